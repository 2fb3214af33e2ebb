"""Fails unless every reader finds the same table in a file: `read_alike.py FILE.parquet`.

pyarrow, DuckDB, Polars and ClickHouse each bring a Parquet reader of their own. Conditions on
columns make them use statistics and page indexes, which must not lose a row either.
"""

import sys

import chdb
import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq


def read_all(path):
    yield "DuckDB", duckdb.sql(f"from '{path}'").to_arrow_table()
    yield "Polars", pl.read_parquet(path).to_arrow()
    yield "ClickHouse", chdb.query(f"select * from file('{path}', 'Parquet')", "ArrowTable")


def counts(path, column, value):
    """How many rows hold `value`, by each reader."""
    text = str(value).replace("'", "''")
    where = f"where {column} = '{text}'"
    table = pq.read_table(path, filters=[(column, "=", value)])
    yield "pyarrow", table.num_rows
    yield "DuckDB", duckdb.sql(f"select count(*) from '{path}' {where}").fetchall()[0][0]
    yield "Polars", pl.scan_parquet(path).filter(pl.col(column) == value).collect().height
    query = f"select count() from file('{path}', 'Parquet') {where}"
    yield "ClickHouse", int(chdb.query(query, "CSV").bytes())


def main():
    (path,) = sys.argv[1:]
    expected = pq.read_table(path)
    for reader, table in read_all(path):
        if table.num_rows != expected.num_rows or table.num_columns != expected.num_columns:
            sys.exit(f"{reader} finds {table.num_rows} rows of {table.num_columns} columns")
        for name in expected.column_names:
            want = expected[name].combine_chunks()
            found = pa.chunked_array(table[name].chunks).cast(want.type).combine_chunks()
            if not found.equals(want):
                sys.exit(f"{reader} reads other values in {name}")
    for name in expected.column_names:
        values = expected[name]
        if pa.types.is_string(values.type) or pa.types.is_integer(values.type):
            for value in pc.unique(values.drop_null())[:3].to_pylist():
                want = pc.sum(pc.equal(values, value)).as_py()
                for reader, count in counts(path, name, value):
                    if count != want:
                        sys.exit(f"{reader} finds {count} rows by {name}, not {want}")


if __name__ == "__main__":
    main()
