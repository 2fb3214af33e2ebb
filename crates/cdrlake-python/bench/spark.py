#!/usr/bin/env python3
"""Records a second in Spark, with one and two executors of one core, and what they cost:
`bench/spark.py [--records N] [--rounds N] [--costs]`.

Run it with the Python that `ci.sh` has set up. Two jobs over the same files: every column of every row
into Spark's `noop` sink, and calls and seconds by day. Beside the data source `cdr` there are Spark's text
reader and substrings, all inside its JVM, which give the fields as they stand (trimmed, dates and durations
typed, nothing validated, no number normalized, no name resolved), and Spark's own reader of the Parquet file
that `cdrlake convert` makes of the files. All must count and sum alike. `--costs` takes a run of `cdr` apart.
"""

import argparse
import contextlib
import decimal
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
WORK = TARGET / "python/bench"
CDRLAKE = TARGET / "release/cdrlake"
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests"))

from cluster import Cluster, descendants  # noqa: E402
from pyspark.sql import Observation, SparkSession  # noqa: E402
from pyspark.sql import functions as F  # noqa: E402
from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition  # noqa: E402

import cdrlake.spark  # noqa: E402

#: Name, and where it stands (from 1, and length), of what substrings give.
FIELDS = [
    ("origin", 1, 20), ("destination", 21, 20), ("product_type", 41, 2), ("continuation", 67, 1),
    ("switch_id", 68, 25), ("trunk_incoming", 93, 25), ("trunk_outgoing", 118, 25), ("account_code", 143, 20),
    ("pulses_in", 163, 6), ("pulses_generated", 169, 6), ("charge_band", 175, 6), ("service_indicator", 181, 4),
    ("charged_number", 185, 20), ("dialled_number", 205, 20), ("carrier", 225, 3),
]


def session(cluster, executors, **settings):
    builder = (
        SparkSession.builder.master(cluster.master).appName("bench")
        .config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.executor.memory", "1g").config("spark.driver.memory", "700m")
        .config("spark.cores.max", executors).config("spark.sql.shuffle.partitions", "2")
        .config("spark.scheduler.minRegisteredResourcesRatio", "1.0")
        .config("spark.ui.showConsoleProgress", "false")
    )
    for name, value in settings.items():
        builder = builder.config(name.replace("_", "."), value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    cdrlake.spark.register(spark)
    return spark


def by_cdr(spark, inbox, columns=None):
    options = {} if columns is None else {"columns": ",".join(columns)}
    return spark.read.format("cdr").options(**options).load(str(inbox))


def by_text(spark, inbox, columns=None):
    lines = spark.read.text(f"{inbox}/*.cdr*")
    value = F.col("value")
    text = [F.trim(F.substring(value, at, length)).alias(name) for name, at, length in FIELDS]
    time_text = F.concat(F.substring(value, 43, 8), F.substring(value, 51, 6))
    start = F.to_timestamp_ntz(time_text, F.lit("yyyyMMddHHmmss")).alias("start_time")
    duration = (F.trim(F.substring(value, 59, 8)).cast("long") / 10).cast("decimal(8,1)").alias("duration")
    file = F.element_at(F.split(F.input_file_name(), "/"), -1).alias("source_file")
    calls = lines.select(file, start, duration, *text)
    return calls if columns is None else calls.select(*columns)


def by_parquet(spark, inbox, columns=None):
    calls = spark.read.parquet(str(parquet(inbox)))
    return calls if columns is None else calls.select(*columns)


def parquet(inbox):
    """What `convert` makes of the files."""
    return inbox.with_suffix(".parquet")


def every_column(spark, inbox, reader):
    """Every row goes to Spark whole; what comes there is counted on the way."""
    seen = Observation()
    rows = reader(spark, inbox).observe(seen, F.count("*").alias("n"), F.sum("duration").alias("seconds"))
    rows.write.format("noop").mode("overwrite").save()
    return seen.get["n"], seen.get["seconds"]


def by_day(spark, inbox, reader):
    calls = reader(spark, inbox, ["start_time", "duration"])
    days = calls.groupBy(F.to_date("start_time")).agg(F.count("*"), F.sum("duration")).collect()
    return sum(row[1] for row in days), sum(row[2] for row in days)


READERS = {"cdr": by_cdr, "text, substrings": by_text, "convert's Parquet": by_parquet}
JOBS = {"every column": every_column, "calls and seconds by day": by_day}


def processor_seconds(cluster):
    """Of the driver, the executors' JVMs, and their Python workers, so far."""
    ticks = os.sysconf("SC_CLK_TCK")
    of_cluster = {pid for top in cluster.processes for pid in descendants(top.pid)}
    seconds = {"driver": 0.0, "JVM": 0.0, "Python": 0.0}
    for pid in {*descendants(os.getpid()), *of_cluster}:
        with contextlib.suppress(OSError):
            name, fields = stat_of(pid)
            kind = "driver" if pid not in of_cluster else "Python" if name.startswith("python") else "JVM"
            # Its own, and that of children that have ended.
            seconds[kind] += sum(map(int, fields[11:15])) / ticks
    return seconds


def stat_of(pid):
    """Name of a process, and what its status says after that."""
    text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    name, fields = text[text.index("(") + 1 :].rsplit(") ", 1)
    return name, fields.split()


def peaks(cluster):
    """MiB of the largest Python worker, and of the largest JVM, of any executor so far."""
    most = {"Python": 0, "JVM": 0}
    for pid in {pid for worker in cluster.workers for pid in descendants(worker.pid)}:
        with contextlib.suppress(OSError):
            kind = "Python" if stat_of(pid)[0].startswith("python") else "JVM"
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
            (peak,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
            most[kind] = max(most[kind], int(peak) >> 10)
    return most


def timed(cluster, job, *arguments):
    """Seconds by the clock, processor seconds, and what the job gave."""
    before, start = processor_seconds(cluster), time.perf_counter()
    result = job(*arguments)
    seconds, after = time.perf_counter() - start, processor_seconds(cluster)
    return seconds, {kind: after[kind] - before[kind] for kind in after}, result


def prepare(records, files):
    """The files, what a job over them must give, and how fast the command converts them."""
    inbox = WORK / f"inbox-{records}-{files}"
    if not inbox.exists():
        subprocess.run([CDRLAKE, "generate", "--records", str(records), "--files", str(files), "--seed", "42",
                        "-q", "-o", inbox], check=True)
    start = time.perf_counter()
    subprocess.run([CDRLAKE, "convert", inbox, "-o", parquet(inbox), "--overwrite", "-q", "--threads", "2"],
                   check=True)
    seconds = time.perf_counter() - start
    report = cdrlake.validate(inbox)
    assert report["records_written"] == records
    return inbox, (records, decimal.Decimal(report["duration_seconds"])), seconds


def compare(cluster, arguments):
    inbox, expected, seconds = prepare(arguments.records, arguments.files)
    size = sum(file.stat().st_size for file in inbox.iterdir())
    print(f"{arguments.records:,} records, {arguments.files} files, {size / 1e6:.0f} MB compressed, "
          f"{size / arguments.records:.1f} bytes a record; as Parquet "
          f"{parquet(inbox).stat().st_size / arguments.records:.1f}\n"
          f"cdrlake convert, 2 threads: {seconds:.1f} s, {arguments.records / seconds / 1e6:.2f} M records/s\n")
    print("| job | executors | reader | s | records/s | cdr's time over its | processor s: JVM | Python | driver "
          "| records per processor second |\n|---|---|---|---|---|---|---|---|---|---|", flush=True)
    for executors in (1, 2):
        spark = session(cluster, executors)
        for name, job in JOBS.items():
            runs = {reader: [] for reader in READERS}
            for attempt in range(arguments.rounds + 1):
                for reader in READERS:
                    run = timed(cluster, job, spark, inbox, READERS[reader])
                    assert run[2] == expected, (name, reader, run[2], expected)
                    # The first round warms the JVMs.
                    if attempt > 0:
                        runs[reader].append(run)
            for reader in READERS:
                print(f"| {name} | {executors} | {reader} |", row(runs, reader, arguments.records), "|", flush=True)
        most = peaks(cluster)
        print(f"\npeaks so far: a Python worker {most['Python']} MiB, an executor's JVM {most['JVM']} MiB\n", flush=True)
        spark.stop()


def row(runs, reader, records):
    seconds = statistics.median(run[0] for run in runs[reader])
    ratio = statistics.median(cdr[0] / other[0] for cdr, other in zip(runs["cdr"], runs[reader]))
    used = {kind: statistics.median(run[1][kind] for run in runs[reader]) for kind in ("JVM", "Python", "driver")}
    of_executors = used["JVM"] + used["Python"]
    cells = [f"{seconds:.1f}", f"{records / seconds / 1e6:.2f} M", f"{ratio:.2f}", *(f"{s:.1f}" for s in used.values()),
             f"{records / of_executors / 1e6:.2f} M"]
    return " | ".join(cells)


#: Decodes files as a task does and, as Spark's worker would, writes what comes as Arrow's stream to nobody.
ALONE = """
import sys, time, pathlib
import pyarrow as pa, cdrlake
files, is_written = sorted(pathlib.Path(sys.argv[1]).iterdir()), sys.argv[2] == "written"
clock, used = time.perf_counter(), time.process_time()
for file in files:
    batches = cdrlake.read(file, text="plain", threads=1, batch_size=8192, memory_limit=256 << 20)
    with open("/dev/null", "wb") as nowhere:
        writer = pa.ipc.new_stream(nowhere, pa.schema(batches.schema))
        for batch in batches:
            if is_written:
                writer.write_batch(pa.record_batch(batch))
print(time.perf_counter() - clock, time.process_time() - used)
"""


class Bare(DataSource):
    """A data source that gives a row a task at once: what Spark takes for a task in Python, whatever is read."""

    @classmethod
    def name(cls):
        return "bare"

    def schema(self):
        return "start_time timestamp_ntz, duration decimal(8,1)"

    def reader(self, schema):
        return BareReader(int(self.options["tasks"]))


class BareReader(DataSourceReader):
    def __init__(self, tasks):
        self.tasks = tasks

    def partitions(self):
        return [InputPartition(number) for number in range(self.tasks)]

    def read(self, partition):
        import datetime

        import pyarrow as pa

        columns = [pa.array([datetime.datetime(2025, 10, 1)], pa.timestamp("us")),
                   pa.array([decimal.Decimal("1.0")], pa.decimal128(8, 1))]
        yield pa.RecordBatch.from_arrays(columns, ["start_time", "duration"])


def by_bare(spark, inbox, _columns=None):
    return spark.read.format("bare").option("tasks", len(os.listdir(inbox))).load()


def costs(cluster, arguments):
    """What a job of `cdr` is made of."""
    inbox, expected, _ = prepare(arguments.records, arguments.files)
    small = WORK / f"small-{arguments.files}"
    shutil.rmtree(small, ignore_errors=True)
    subprocess.run([CDRLAKE, "generate", "--records", str(arguments.files), "--files", str(arguments.files),
                    "--seed", "42", "-q", "-o", small], check=True)
    print("| | median of its runs |\n|---|---|")

    def tell(what, runs):
        print(f"| {what} | {statistics.median(runs):.2f} s |", flush=True)

    for mode, what in (("only", "decoded"), ("written", "decoded, written as Arrow's stream")):
        pairs = []
        for _ in range(arguments.rounds):
            out = subprocess.check_output([sys.executable, "-c", ALONE, inbox, mode], text=True)
            pairs.append(tuple(map(float, out.split())))
        tell(f"{arguments.records:,} records {what} by one Python process", [clock for clock, _ in pairs])
        tell("its processor time", [used for _, used in pairs])
    for reuse in ("true", "false"):
        spark = session(cluster, 1, spark_python_worker_reuse=reuse)
        first, *rest = (timed(cluster, by_day, spark, small, by_cdr)[0] for _ in range(arguments.rounds + 2))
        spark.dataSource.register(Bare)
        _, *bare = (timed(cluster, by_day, spark, small, by_bare)[0] for _ in range(arguments.rounds + 2))
        if reuse == "true":
            tell("first job of a session, a record a file", [first])
            plans = []
            for _ in range(arguments.rounds):
                start = time.perf_counter()
                by_cdr(spark, small)._jdf.queryExecution().executedPlan().execute().getNumPartitions()
                plans.append(time.perf_counter() - start)
            tell(f"a plan of {arguments.files} files, by the driver", plans)
        kept = "kept" if reuse == "true" else "a new one each task"
        tell(f"later jobs, {arguments.files} tasks of a record each, Python workers {kept}", rest)
        tell("the same of a source that opens nothing", bare)
        spark.stop()
    one, expected, _ = prepare(arguments.records, 1)
    spark = session(cluster, 1)
    seconds, _, result = timed(cluster, every_column, spark, one, by_cdr)
    assert result == expected
    tell(f"every column of one .gz of {arguments.records:,} records, one task, first job", [seconds])
    most = peaks(cluster)
    print(f"\npeaks: a Python worker {most['Python']} MiB, an executor's JVM {most['JVM']} MiB")
    spark.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--records", type=int, default=2_000_000)
    parser.add_argument("--files", type=int, default=16)
    parser.add_argument("--costs", action="store_true", help="take a run of cdr apart instead of comparing")
    arguments = parser.parse_args()
    os.environ["PYSPARK_PYTHON"], os.environ["SPARK_LOCAL_IP"] = sys.executable, "127.0.0.1"
    WORK.mkdir(parents=True, exist_ok=True)
    # Whoever ends this ends the processes of the cluster, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    cluster = Cluster(WORK, workers=2)
    try:
        (costs if arguments.costs else compare)(cluster, arguments)
    finally:
        cluster.stop()


main()
