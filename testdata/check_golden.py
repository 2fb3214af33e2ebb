#!/usr/bin/env python3
"""Reads Parquet files with DuckDB and pyarrow and compares them with the goldens.

    check_golden.py VALID.parquet REJECTS.parquet [--write]

The first is made of testdata/valid, the second holds what testdata/invalid has rejected. Goldens are
text: a block a row, a line a column that is not null. `--write` writes them anew; they count only once
a person has reviewed them against the files.
"""

import gzip
import io
import pathlib
import sys
import zipfile

import blake3
import duckdb
import pyarrow.parquet

TESTDATA = pathlib.Path(__file__).parent
GOLDEN = TESTDATA / "golden"


def values(path):
    """Every row's columns as text, as DuckDB reads them."""
    relation = duckdb.read_parquet(str(path))
    lines = []
    for record in relation.fetchall():
        columns = dict(zip(relation.columns, record))
        lines.append(f"{columns.pop('source_file')}, record {columns.pop('record_number')}")
        texts = {name: text(name, value) for name, value in columns.items() if value is not None}
        lines += [f"  {name:<22} {value}" for name, value in texts.items()]
        lines.append("")
    return "\n".join(lines)


def text(name, value):
    return value.hex() if name in ("source_hash", "record_id") and isinstance(value, bytes) else value


def content(source_file):
    """The decompressed bytes of a source of testdata/valid."""
    name, *members = source_file.split("!")
    found = (TESTDATA / "valid" / name).read_bytes()
    for member in members:
        found = zipfile.ZipFile(io.BytesIO(found)).read(member)
    while found.startswith(b"\x1f\x8b"):
        found = gzip.decompress(found)
    return found


def check_hashes(path):
    """Each row tells the first half of its source's BLAKE3."""
    rows = duckdb.sql(f"SELECT DISTINCT source_file, source_hash FROM read_parquet('{path}')")
    for source_file, source_hash in rows.fetchall():
        expected = blake3.blake3(content(source_file)).digest()[:16]
        assert source_hash == expected, f"{source_file} has {source_hash.hex()}"


def schema(path):
    """Every column's type and whether it may be null, as pyarrow reads them."""
    file = pyarrow.parquet.ParquetFile(path)
    fields = [
        f"{field.name:<22} {field.type!s:<24} {'' if field.nullable else 'not null'}".rstrip()
        for field in file.schema_arrow
    ]
    metadata = file.metadata.metadata or {}
    fields += [f"{key.decode()} = {metadata[key].decode()}" for key in sorted(metadata)]
    return "\n".join(fields) + "\n"


def check_pages(path):
    """What readers need to skip pages and rows."""
    metadata = pyarrow.parquet.ParquetFile(path).metadata
    for group in range(metadata.num_row_groups):
        for index in range(metadata.num_columns):
            column = metadata.row_group(group).column(index)
            assert column.has_offset_index, f"{column.path_in_schema} has no offset index"
            assert column.has_column_index, f"{column.path_in_schema} has no column index"
            assert column.is_stats_set, f"{column.path_in_schema} has no statistics"
    pyarrow.parquet.read_table(path, page_checksum_verification=True)


def main():
    valid, rejects = sys.argv[1:3]
    check_pages(valid)
    check_hashes(valid)
    differences = 0
    for name, path, text in [
        ("valid.txt", valid, values(valid)),
        ("schema.txt", valid, schema(valid)),
        ("rejects.txt", rejects, values(rejects)),
        ("rejects_schema.txt", rejects, schema(rejects)),
    ]:
        golden = GOLDEN / name
        if "--write" in sys.argv:
            golden.write_text(text)
        elif golden.read_text() != text:
            differences += 1
            print(f"{golden} differs from what {path} holds:")
            for expected, found in zip(golden.read_text().splitlines(), text.splitlines()):
                if expected != found:
                    print(f"  expected {expected!r}\n  found    {found!r}")
                    break
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
