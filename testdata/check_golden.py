#!/usr/bin/env python3
"""Reads a Parquet file of testdata/valid with DuckDB and pyarrow and compares it with the golden.

    check_golden.py CALLS.parquet [--write]

The golden is text: a block a record, a line a column that is not null. `--write` writes it anew; it
counts only once a person has reviewed it against the sample records.
"""

import pathlib
import sys

import duckdb
import pyarrow.parquet

GOLDEN = pathlib.Path(__file__).parent / "golden"


def values(path):
    """Every record's columns as text, as DuckDB reads them."""
    relation = duckdb.read_parquet(str(path))
    lines = []
    for record in relation.fetchall():
        columns = dict(zip(relation.columns, record))
        lines.append(f"{columns.pop('source_file')}, record {columns.pop('record_number')}")
        lines += [f"  {name:<22} {value}" for name, value in columns.items() if value is not None]
        lines.append("")
    return "\n".join(lines)


def schema(path):
    """Every column's type and whether it may be null, as pyarrow reads them."""
    file = pyarrow.parquet.ParquetFile(path)
    fields = [
        f"{field.name:<22} {field.type!s:<24} {'' if field.nullable else 'not null'}".rstrip()
        for field in file.schema_arrow
    ]
    metadata = file.metadata.metadata
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


def main():
    path = sys.argv[1]
    check_pages(path)
    differences = 0
    for name, text in [("valid.txt", values(path)), ("schema.txt", schema(path))]:
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
