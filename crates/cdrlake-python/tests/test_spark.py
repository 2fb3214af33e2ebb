"""The data source in a real cluster: what Spark reads is what the command converts."""

from __future__ import annotations

import datetime
import json
import os
import pathlib
import re
import sys
import threading
import time

import duckdb
import pytest
from cluster import Cluster, json_of
from conftest import RECORD, ROOT, Delivery, plain_file
from conftest import cdrlake as command

pyspark = pytest.importorskip("pyspark")
pytestmark = pytest.mark.cluster

from pyspark.errors import PySparkException  # noqa: E402
from pyspark.sql import SparkSession  # noqa: E402
from pyspark.sql import functions as F  # noqa: E402

import cdrlake as cdr  # noqa: E402
import cdrlake.spark  # noqa: E402

LONG = os.environ.get("CDRLAKE_LONG") == "1"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    cluster = Cluster(tmp_path_factory.mktemp("cluster"), workers=2)
    yield cluster
    cluster.stop()


@pytest.fixture(scope="module")
def spark(cluster):
    session = (
        SparkSession.builder.master(cluster.master)
        .appName("cdrlake")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.executor.memory", "700m")
        .config("spark.driver.memory", "700m")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.sql.session.timeZone", "Asia/Tokyo")
        # Both workers must have joined before the first task.
        .config("spark.scheduler.minRegisteredResourcesRatio", "1.0")
        .config("spark.ui.showConsoleProgress", "false")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    cdrlake.spark.register(session)
    yield session
    session.stop()


def read(spark, path, **options):
    return spark.read.format("cdr").options(**options).load(str(path))


def tasks(spark) -> dict[str, int]:
    """Tasks that each executor has completed."""
    context = spark.sparkContext
    executors = json_of(f"{context.uiWebUrl}/api/v1/applications/{context.applicationId}/allexecutors")
    return {each["id"]: each["completedTasks"] for each in executors if each["id"] != "driver"}


def same_rows(frame, expected: pathlib.Path, work: pathlib.Path, where: str = "true") -> int:
    """Writes the frame as Spark does and compares every column of every row, and a checksum over all, with
    the command's table."""
    out = work / "spark"
    frame.write.mode("overwrite").option("compression", "none").parquet(str(out))
    columns = ", ".join(f'"{name}"' for name in frame.columns)
    theirs = f"select {columns} from read_parquet('{out}/*.parquet')"
    ours = f"select {columns} from read_parquet('{expected}') where {where}"
    duckdb.sql("set timezone = 'UTC'")
    for left, right in ((ours, theirs), (theirs, ours)):
        (missing,) = duckdb.sql(f"select count(*) from ({left} except all {right})").fetchall()[0]
        assert missing == 0, (left, right)
    checksums = [
        duckdb.sql(f"select count(*), bit_xor(hash({columns})) from ({q})").fetchall()[0]
        for q in (ours, theirs)
    ]
    assert checksums[0] == checksums[1]
    return int(checksums[0][0])


def test_a_month_of_files_is_what_the_command_converts(spark, month: Delivery, tmp_path) -> None:
    before = tasks(spark)
    calls = read(spark, f"{month.inbox}/*.cdr.gz", timeZone="country")
    assert calls.rdd.getNumPartitions() == 24
    count, total = calls.agg(F.count("*"), F.sum("duration")).first()
    assert (count, str(total)) == (month.records, month.report["duration_seconds"])
    assert same_rows(calls, month.parquet, tmp_path) == month.records
    after = tasks(spark)
    worked = [after[each] - before.get(each, 0) for each in after]
    assert len(worked) == 2 and min(worked) > 0, worked


def test_the_lines_of_the_readme(spark, month: Delivery) -> None:
    readme = (ROOT / "crates/cdrlake-python/README.md").read_text()
    (block,) = re.findall(r"```python\n(import cdrlake.spark\n.*?)```", readme, re.S)
    names = {"spark": spark}
    exec(block.replace('"/archive/2025/*.cdr.gz"', json.dumps(f"{month.inbox}/*.cdr.gz")), names)
    assert names["calls"].count() == month.records


def test_the_schema_is_the_table(spark, month: Delivery) -> None:
    calls = read(spark, month.inbox)
    assert calls.schema == cdrlake.spark.schema()
    assert [field.name for field in calls.schema] == cdr.schema().names
    assert calls.schema["start_time"].dataType.simpleString() == "timestamp_ntz"
    assert calls.schema["duration"].dataType.simpleString() == "decimal(8,1)"


def test_a_plain_file_is_split_between_lines(spark, single: Delivery, tmp_path) -> None:
    plain = plain_file(single)
    calls = read(spark, plain, splitSize=str(3 << 20), recordId="false")
    assert calls.rdd.getNumPartitions() == -(-plain.stat().st_size // (3 << 20))
    assert same_rows(calls, single.parquet, tmp_path) == single.records
    whole = read(spark, plain, splitSize="0")
    assert whole.rdd.getNumPartitions() == 1
    assert whole.count() == single.records


def test_columns_and_dates_are_pushed_down(spark, month: Delivery, tmp_path) -> None:
    (middle,) = duckdb.sql(f"select median(start_time) from read_parquet('{month.parquet}')").fetchall()[0]
    middle = middle.replace(microsecond=0)
    columns = "source_file,record_number,start_time,start_time_utc,duration,origin_e164,record_id"
    calls = read(spark, month.inbox, columns=columns, recordId="true", timeZone="country")
    assert ",".join(calls.columns) == columns
    early = calls.filter(F.col("start_time") < F.expr(f"timestamp_ntz'{middle}'"))
    # Spark has left the filter to the source.
    physical = early._jdf.queryExecution().toString().split("Physical Plan")[1]
    assert "Filter" not in physical.replace("RuntimeFilters", ""), physical
    where = f"start_time < timestamp '{middle}'"
    rows = same_rows(early.drop("record_id"), month.parquet, tmp_path, where)
    assert 0 < rows < month.records
    assert calls.agg(F.count_distinct("record_id")).first()[0] > 0
    # An instant is compared as one, whatever the session's zone.
    instant = middle.replace(tzinfo=datetime.timezone.utc)
    count = calls.filter(F.col("start_time_utc") >= F.lit(instant)).count()
    (expected,) = duckdb.sql(
        f"select count(*) from read_parquet('{month.parquet}') "
        f"where start_time_utc >= timestamptz '{middle}+00'"
    ).fetchall()[0]
    assert count == expected
    wanted = "duration decimal(8,1), country string"
    assert spark.read.format("cdr").schema(wanted).load(str(month.inbox)).columns == ["duration", "country"]


def test_rejects_are_a_mode(spark, month: Delivery, tmp_path) -> None:
    rejects = read(spark, month.inbox, mode="rejects")
    assert rejects.schema == cdrlake.spark.schema("rejects")
    assert same_rows(rejects, month.rejects, tmp_path) == month.report["records_rejected"]


def test_what_is_no_cdr_file_fails_the_job(spark, tmp_path) -> None:
    foreign = tmp_path / "notes.cdr"
    foreign.write_text("not a record\n" * 1_000_000)
    for split_size in ("0", "1000000"):
        with pytest.raises(PySparkException, match="not one sound record"):
            read(spark, foreign, splitSize=split_size).count()
    # Damage in one split is no verdict on the file.
    sound = (ROOT / "testdata/valid/DE_SV_00_0001_20110930090122.cdr").read_bytes()[:RECORD]
    foreign.write_bytes(sound * 10 + b"not a record\n" * 100_000)
    assert read(spark, foreign, splitSize="10000", country="DE").count() == 10


def test_wrong_options_are_found_at_once(spark, single: Delivery, tmp_path) -> None:
    for options, message in [
        ({"contry": "GB"}, "unknown option"),
        ({"country": "XX"}, "unknown country"),
        ({"columns": "calls"}, "there is no column"),
        ({"mode": "all"}, "mode is"),
        ({"strict": "yes"}, "strict is true or false"),
        ({"recordId": "1"}, "recordId is true or false"),
        ({"memoryLimit": "256MiB"}, "memoryLimit is a number"),
        ({"splitSize": "-1"}, "splitSize is a number"),
        ({"batchSize": "0"}, "batch_size must be 1 to"),
        ({"profiles": "ABC"}, "profiles is JSON like"),
    ]:
        with pytest.raises(PySparkException, match=message):
            read(spark, single.inbox, **options).count()
    with pytest.raises(PySparkException, match="there is no file"):
        read(spark, tmp_path / "nothing-*.cdr").count()
    with pytest.raises(PySparkException, match="duration is decimal"):
        spark.read.format("cdr").schema("duration double").load(str(single.inbox)).count()


def test_files_elsewhere_are_read_through_fsspec(spark, month: Delivery) -> None:
    calls = read(spark, f"local://{month.inbox}/*.cdr.gz", columns="duration")
    assert calls.count() == month.records


def test_a_worker_that_is_killed_loses_nothing(spark, cluster, month: Delivery, tmp_path) -> None:
    """Last, for it leaves the cluster with one worker."""
    inbox = month.inbox
    if LONG:
        inbox = tmp_path / "long"
        command("generate", "--records", 4_000_000, "--files", 48, "--seed", 9, "-q", "-o", inbox)
    expected = cdr.validate(inbox)
    before = sum(tasks(spark).values())
    killed = threading.Event()

    def kill() -> None:
        # Some tasks of this job are done, and more are not.
        while sum(tasks(spark).values()) < before + 4:
            time.sleep(0.02)
        cluster.kill(cluster.workers[0])
        killed.set()

    killer = threading.Thread(target=kill)
    killer.start()
    calls = read(spark, inbox)
    row = calls.agg(F.count("*"), F.sum("duration"), F.count_distinct("source_file", "record_number")).first()
    killer.join()
    assert killed.is_set()
    assert (row[0], str(row[1])) == (expected["records_written"], expected["duration_seconds"])
    assert row[2] == row[0]
