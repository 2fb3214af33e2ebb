"""The same table by ClickHouse, in process: `chdb_convert.py INPUT OUTPUT.parquet`."""

import os
import sys

import chdb

from fields import select

E164 = """
create function e164 as number -> lower(multiIf(
    isNull(number) or trim(trailing 'xX' from number) = ''
        or trim(leading '0123456789' from trim(trailing 'xX' from number)) <> '', null,
    startsWith(number, '00'),
        if(length(number) between 9 and 17, '+' || substr(number, 3), null),
    startsWith(number, '0'),
        if(length(number) between 6 and 14, '+44' || substr(number, 2), null),
    startsWith(number, '44') and length(number) between 9 and 15, '+' || number,
    null))
"""


def main():
    source, output = sys.argv[1:]
    session = chdb.session.Session()
    session.query(E164)
    columns = select(
        masked="length(origin) - length(trim(trailing 'xX' from origin))",
        start_time="""toDateTime64(makeDateTime64(
            toInt32(substr(line, 43, 4)), toInt32(substr(line, 47, 2)), toInt32(substr(line, 49, 2)),
            toInt32(substr(line, 51, 2)), toInt32(substr(line, 53, 2)), toInt32(substr(line, 55, 2)),
            0, 6, 'UTC'), 6, 'UTC')""",
        instant="cast(null as Nullable(DateTime64(6, 'UTC')))",
        boolean="cast(null as Nullable(Bool))",
        binary="cast(null as Nullable(FixedString(16)))",
        tenths="cast(toDecimal32(toInt32(trim(substr(line, 59, 8))), 1) / 10 as Decimal(8, 1))",
    )
    session.query(f"""
        select {columns} from (
            select *, nullif(trim(substr(line, 1, 20)), '') as origin,
                nullif(trim(substr(line, 21, 20)), '') as destination,
                substr(line, 41, 2) as product_type
            from (
                select line, rowNumberInAllBlocks() + 1 as record_number
                from file('{source}', 'LineAsString', 'line String')
            )
        )
        into outfile '{output}' truncate format Parquet
        settings max_threads = {os.environ.get('THREADS', '2')},
            output_format_parquet_compression_method = 'zstd',
            output_format_compression_level = 1
    """)


if __name__ == "__main__":
    main()
