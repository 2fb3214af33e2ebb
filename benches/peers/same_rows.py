"""Fails unless two Parquet files hold the same rows: `same_rows.py A.parquet B.parquet [COLUMN]...`.

Left out are `source_file`, which names the input, `source_hash`, which none of the others has, `record_id`,
whose type differs among tools while it is null, and the columns that are named.
"""

import sys

import duckdb
import pyarrow.parquet


def rows(path, left_out):
    file = pyarrow.parquet.ParquetFile(path)
    names = {"source_file", "source_hash", "record_id", *left_out} & set(file.schema_arrow.names)
    columns = ", ".join(sorted(names))
    return f"(select * exclude ({columns}) from '{path}')"


def main():
    # Some write local times as instants of this zone.
    duckdb.sql("set timezone = 'UTC'")
    left, right, *left_out = sys.argv[1:]
    left, right = rows(left, left_out), rows(right, left_out)
    for a, b in ((left, right), (right, left)):
        ((count,),) = duckdb.sql(f"select count(*) from ({a} except all {b})").fetchall()
        if count:
            sys.exit(f"{count} rows of {a} are not in {b}")


if __name__ == "__main__":
    main()
