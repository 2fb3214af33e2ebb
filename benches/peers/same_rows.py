"""Fails unless two Parquet files hold the same rows: `same_rows.py A.parquet B.parquet`.

Left out are `source_file`, which names the input, and `record_id`, whose type differs among tools
while it is null.
"""

import sys

import duckdb


def rows(path):
    return f"(select * exclude (source_file, record_id) from '{path}')"


def main():
    # Some write local times as instants of this zone.
    duckdb.sql("set timezone = 'UTC'")
    left, right = (rows(path) for path in sys.argv[1:])
    for a, b in ((left, right), (right, left)):
        ((count,),) = duckdb.sql(f"select count(*) from ({a} except all {b})").fetchall()
        if count:
            sys.exit(f"{count} rows of {a} are not in {b}")


if __name__ == "__main__":
    main()
