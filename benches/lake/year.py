#!/usr/bin/env python3
"""A year of twice-daily deliveries of three profiles into lakes: all in one run, and run by run.

    python3 benches/lake/year.py [--days 365] [--records 2000]

Says files and sizes by partition, peak memory and time; proves that both lakes hold the same calls,
each once; and shows with DuckDB and Polars how much of a lake is read for a month, and for an hour.
Needs the release build, and the packages of testdata/requirements.txt and peers/requirements.txt.
"""

import argparse
import collections
import datetime
import gzip
import os
import pathlib
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).parents[2]
CDRLAKE = ROOT / "target/release/cdrlake"
PROFILES = ["ABC", "DEF", "GHI"]
FIRST_DAY = datetime.date(2025, 1, 1)
LINE = 229


def deliveries(directory, days, records):
    """Writes the files, run by run: each run's are the three profiles' of half a day."""
    runs = []
    count = days * 2 * len(PROFILES)
    generate = [CDRLAKE, "generate", "--frozen", "--quiet", "--seed", "7", "--output", "-"]
    process = subprocess.Popen([*generate, "--records", str(count * records)], stdout=subprocess.PIPE)
    for day in range(days):
        date = FIRST_DAY + datetime.timedelta(day)
        for half, clock in enumerate(["090122", "170122"]):
            run = []
            for profile in PROFILES:
                lines = bytearray(process.stdout.read(records * LINE))
                for index in range(records):
                    # The file of the morning has the evening before, too.
                    evening = half == 0 and index < records // 4
                    called = date - datetime.timedelta(evening)
                    hour = 17 + index % 7 if evening else 9 * half + index % 8
                    at = index * LINE + 42
                    lines[at:at + 10] = b"%s%02d" % (called.strftime("%Y%m%d").encode(), hour)
                name = f"GB_{profile}_10_{(2 * day + half) % 9999 + 1:04}_{date:%Y%m%d}{clock}.cdr.gz"
                path = directory / name
                path.write_bytes(gzip.compress(bytes(lines), 1, mtime=0))
                run.append(path)
            runs.append(run)
    process.stdout.close()
    process.wait()
    return runs


def convert(lake, inputs):
    start = time.monotonic()
    command = [CDRLAKE, "convert", "--quiet", *inputs, "-o", lake]
    subprocess.run(command, check=True)
    return time.monotonic() - start


def peak():
    """The most memory that any child held so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def partitions(lake):
    sizes = collections.defaultdict(list)
    for path in sorted(lake.glob("calls/*/*.parquet")):
        sizes[path.parent.name].append(path.stat().st_size)
    return sizes


def describe(name, lake, seconds):
    sizes = partitions(lake)
    files = [len(of_partition) for of_partition in sizes.values()]
    total = [sum(of_partition) for of_partition in sizes.values()]
    print(f"{name}: {seconds:.1f} s, {len(sizes)} partitions, files each "
          f"{min(files)} to {max(files)} (median {statistics.median(files):.0f}), MB each "
          f"{min(total) / 1e6:.1f} to {max(total) / 1e6:.1f} (median {statistics.median(total) / 1e6:.1f})")


def check(duckdb, lakes, calls):
    """Both lakes hold the same calls, and as many as were delivered."""
    sums = []
    for lake in lakes:
        query = f"""select count(*), sum(duration), bit_xor(hash(source_file, record_number, origin,
                    destination, start_time, duration)), count(distinct (source_file, record_number))
                    from read_parquet('{lake}/calls/*/*.parquet', hive_partitioning = true)"""
        sums.append(duckdb.sql(query).fetchall()[0])
    assert sums[0] == sums[1], sums
    assert sums[0][0] == sums[0][3] == calls, (sums, calls)
    print(f"both lakes hold the same {calls} calls, each once")


def duckdb_reads(duckdb, lake, where):
    """How many files, row groups and rows DuckDB reads."""
    query = f"""explain (analyze, format json) select count(*), sum(duration) from
                read_parquet('{lake}/calls/*/*.parquet', hive_partitioning = true) where {where}"""
    plan = duckdb.sql(query).fetchall()[0][1]
    one = lambda pattern: int(re.search(pattern, plan).group(1))
    return (one(r'"Total Files Read": "(\d+)"'), one(r'"row_groups_scanned": (\d+)'),
            one(r'"rows_scanned": (\d+)'))


def polars_reads(lake, where):
    """How many files Polars skips, of how many, and how many row groups it reads of the others."""
    code = f"""
import datetime, polars
from polars import col
scan = polars.scan_parquet({f"{lake}/calls/*/*.parquet"!r}, hive_partitioning=True)
scan.filter({where}).select(col("duration").sum()).collect()
"""
    process = subprocess.run([sys.executable, "-c", code], env={**os.environ, "POLARS_VERBOSE": "1"},
                             capture_output=True, text=True, check=True)
    skipped = re.findall(r"allows skipping (\d+) / (\d+) files", process.stderr)
    groups = re.findall(r"Predicate pushdown: reading (\d+) / (\d+) row groups", process.stderr)
    return skipped, [sum(int(pair[side]) for pair in groups) for side in (0, 1)]


def prune(duckdb, lake, month, day):
    files = len(list(lake.glob("calls/*/*.parquet")))
    of_month = len(list(lake.glob(f"calls/call_month={month}/*.parquet")))
    everything = duckdb_reads(duckdb, lake, "duration >= 0")
    by_month = duckdb_reads(duckdb, lake, f"call_month = '{month}'")
    by_hour = duckdb_reads(duckdb, lake, f"start_time between '{day} 10:00' and '{day} 11:00'")
    for what, (read, groups, rows) in [("all", everything), ("a month", by_month), ("an hour", by_hour)]:
        print(f"DuckDB for {what}: {read} files, {groups} row groups, {rows} rows")
    assert by_month[0] == of_month and by_month[2] < everything[2] and by_hour[2] < by_month[2]
    skipped, _ = polars_reads(lake, f"col('call_month') == '{month}'")
    assert skipped == [(str(files - of_month), str(files))], skipped
    hour = f"datetime.datetime.fromisoformat('{day} 10:00'), datetime.datetime.fromisoformat('{day} 11:00')"
    _, (groups, of_groups) = polars_reads(lake, f"col('start_time').is_between({hour})")
    print(f"Polars for a month: skips {files - of_month} of {files} files; for an hour: reads {groups} of "
          f"{of_groups} row groups")
    assert 0 < groups < of_groups


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--records", type=int, default=2000)
    arguments = parser.parse_args()
    import duckdb
    with tempfile.TemporaryDirectory(dir=ROOT / "target") as directory:
        directory = pathlib.Path(directory)
        inbox = directory / "inbox"
        inbox.mkdir()
        runs = deliveries(inbox, arguments.days, arguments.records)
        calls = len(runs) * len(PROFILES) * arguments.records
        before = peak()
        seconds = convert(directory / "one", [inbox])
        describe(f"one run of {len(runs) * len(PROFILES)} files", directory / "one", seconds)
        print(f"its peak: {peak():.0f} MiB (making the files took {before:.0f})")
        times = [convert(directory / "many", run) for run in runs]
        describe(f"{len(runs)} runs of {len(PROFILES)} files", directory / "many", sum(times))
        last = times[-10:]
        print(f"a run: median {statistics.median(times):.3f} s, the last ten {statistics.median(last):.3f} s")
        assert statistics.median(last) < 1
        check(duckdb, [directory / "one", directory / "many"], calls)
        middle = FIRST_DAY + datetime.timedelta(arguments.days // 2)
        prune(duckdb, directory / "one", f"{middle:%Y-%m}", f"{middle:%Y-%m-%d}")


if __name__ == "__main__":
    main()
