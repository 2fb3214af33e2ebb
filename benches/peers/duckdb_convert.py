"""The same table by DuckDB, but for the record number: `duckdb_convert.py INPUT OUTPUT.parquet`.

Every record gets the number 1: to count them in order would bind DuckDB to one thread, and take it
twice the time.
"""

import os
import sys

import duckdb

from fields import select

E164 = """
create macro e164(number) as lower(case
    when number is null or rtrim(number, 'xX') = ''
        or ltrim(rtrim(number, 'xX'), '0123456789') <> '' then null
    when starts_with(number, '00') then case
        when length(number) between 9 and 17 then '+' || substr(number, 3) end
    when starts_with(number, '0') then case
        when length(number) between 6 and 14 then '+44' || substr(number, 2) end
    when starts_with(number, '44') and length(number) between 9 and 15 then '+' || number
end)
"""


def main():
    source, output = sys.argv[1:]
    duckdb.sql(f"set threads = {os.environ.get('THREADS', '2')}")
    duckdb.sql(E164)
    columns = select(
        masked="length(origin) - length(rtrim(origin, 'xX'))",
        start_time="strptime(substr(line, 43, 14), '%Y%m%d%H%M%S')",
        instant="null::timestamptz",
        boolean="null::boolean",
        binary="null::blob",
        tenths="(cast(trim(substr(line, 59, 8)) as integer) * 0.1::decimal(2, 1))::decimal(8, 1)",
    )
    duckdb.sql(f"""
        copy (
            with lines as (
                select line, 1 as record_number
                from read_csv('{source}', columns = {{'line': 'varchar'}}, header = false,
                    delim = '\x01', quote = '', escape = '', auto_detect = false)
            ),
            numbers as (
                select *, nullif(trim(substr(line, 1, 20)), '') as origin,
                    nullif(trim(substr(line, 21, 20)), '') as destination,
                    substr(line, 41, 2) as product_type
                from lines
            )
            select {columns} from numbers
        ) to '{output}' (format parquet, compression zstd, compression_level 1)
    """)


if __name__ == "__main__":
    main()
