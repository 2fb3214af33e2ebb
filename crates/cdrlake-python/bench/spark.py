#!/usr/bin/env python3
"""Records a second in Spark, with one and two executors of one core: `bench/spark.py [--rounds N]`.

Run it with the Python that `ci.sh` has set up. Two jobs over the same files: every column of every row
into Spark's `noop` sink, and calls and seconds by day. The other side is Spark's text reader and
substrings, all inside its JVM, which gives the fields as they stand: trimmed, dates and durations
typed, nothing validated and no number normalized.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
WORK = TARGET / "python/bench"
CDRLAKE = TARGET / "release/cdrlake"
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests"))

from cluster import Cluster  # noqa: E402
from pyspark.sql import SparkSession  # noqa: E402
from pyspark.sql import functions as F  # noqa: E402

import cdrlake.spark  # noqa: E402

#: Name, and where it stands (from 1, and length), of what substrings give.
FIELDS = [
    ("origin", 1, 20), ("destination", 21, 20), ("product_type", 41, 2), ("continuation", 67, 1),
    ("switch_id", 68, 25), ("trunk_incoming", 93, 25), ("trunk_outgoing", 118, 25), ("account_code", 143, 20),
    ("pulses_in", 163, 6), ("pulses_generated", 169, 6), ("charge_band", 175, 6), ("service_indicator", 181, 4),
    ("charged_number", 185, 20), ("dialled_number", 205, 20), ("carrier", 225, 3),
]


def session(cluster, executors):
    spark = (
        SparkSession.builder.master(cluster.master).appName("bench")
        .config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.executor.memory", "1g").config("spark.driver.memory", "700m")
        .config("spark.cores.max", executors).config("spark.sql.shuffle.partitions", "2")
        .config("spark.scheduler.minRegisteredResourcesRatio", "1.0")
        .config("spark.ui.showConsoleProgress", "false").getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    cdrlake.spark.register(spark)
    return spark


def by_text(spark, inbox):
    lines = spark.read.text(f"{inbox}/*.cdr*")
    value = F.col("value")
    text = [F.trim(F.substring(value, at, length)).alias(name) for name, at, length in FIELDS]
    time_text = F.concat(F.substring(value, 43, 8), F.substring(value, 51, 6))
    start = F.to_timestamp_ntz(time_text, F.lit("yyyyMMddHHmmss")).alias("start_time")
    duration = (F.trim(F.substring(value, 59, 8)).cast("long") / 10).cast("decimal(8,1)").alias("duration")
    file = F.element_at(F.split(F.input_file_name(), "/"), -1).alias("source_file")
    return lines.select(file, start, duration, *text)


def by_cdrlake(spark, inbox, columns=None):
    options = {} if columns is None else {"columns": columns}
    return spark.read.format("cdr").options(**options).load(str(inbox))


def into_nothing(frame):
    frame.write.format("noop").mode("overwrite").save()


def by_day(frame):
    frame.groupBy(F.to_date("start_time")).agg(F.count("*"), F.sum("duration")).collect()


JOBS = {
    "every column": {
        "cdr": lambda spark, inbox: into_nothing(by_cdrlake(spark, inbox)),
        "text": lambda spark, inbox: into_nothing(by_text(spark, inbox)),
    },
    "calls and seconds by day": {
        "cdr": lambda spark, inbox: by_day(by_cdrlake(spark, inbox, "start_time,duration")),
        "text": lambda spark, inbox: by_day(by_text(spark, inbox).select("start_time", "duration")),
    },
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--records", type=int, default=4_000_000)
    parser.add_argument("--files", type=int, default=16)
    arguments = parser.parse_args()
    os.environ["PYSPARK_PYTHON"], os.environ["SPARK_LOCAL_IP"] = sys.executable, "127.0.0.1"
    WORK.mkdir(parents=True, exist_ok=True)
    inbox = WORK / f"inbox-{arguments.records}-{arguments.files}"
    if not inbox.exists():
        subprocess.run([CDRLAKE, "generate", "--records", str(arguments.records), "--files", str(arguments.files),
                        "--seed", "42", "-q", "-o", inbox], check=True)
    start = time.perf_counter()
    for _ in range(arguments.rounds):
        subprocess.run([CDRLAKE, "convert", inbox, "-o", WORK / "out.parquet", "--overwrite", "-q", "--threads", "2"],
                       check=True)
    command = (time.perf_counter() - start) / arguments.rounds
    print(f"cdrlake convert, 2 threads: {arguments.records / command / 1e6:.2f} M records/s\n")
    print("| job | executors | cdr: s | records/s | text and substrings: s | records/s | text / cdr |")
    print("|---|---|---|---|---|---|---|", flush=True)
    cluster = Cluster(WORK, workers=2)
    try:
        for executors in (1, 2):
            spark = session(cluster, executors)
            for name, sides in JOBS.items():
                seconds = {side: [] for side in sides}
                for attempt in range(arguments.rounds + 1):
                    for side, job in sides.items():
                        start = time.perf_counter()
                        job(spark, inbox)
                        # The first round warms the JVMs.
                        if attempt > 0:
                            seconds[side].append(time.perf_counter() - start)
                ratio = statistics.median(t / c for c, t in zip(seconds["cdr"], seconds["text"]))
                cells = [name, executors]
                for side in ("cdr", "text"):
                    median = statistics.median(seconds[side])
                    cells += [f"{median:.1f}", f"{arguments.records / median / 1e6:.2f} M"]
                print("|", " | ".join(map(str, [*cells, f"{ratio:.2f}"])), "|", flush=True)
            spark.stop()
    finally:
        cluster.stop()


main()
