"""Streams beside what the command writes to Parquet."""

from __future__ import annotations

import gc
import gzip
import io
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from conftest import RECORD, ROOT, Delivery, cdrlake, plain, plain_file, same

import cdrlake as cdr

VALID = ROOT / "testdata/valid"


def table(*arguments, **options) -> pa.Table:
    return plain(pa.table(cdr.read(*arguments, **options)))


@pytest.fixture(autouse=True)
def rejects_are_expected(recwarn):
    """The deliveries have damaged lines; only the test of warnings looks."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cdr.RejectsWarning)
        yield


def test_rows_are_those_of_the_command(month: Delivery) -> None:
    expected = plain(pq.read_table(month.parquet))
    for options in ({}, {"threads": 1}, {"batch_size": 1000}, {"text": "plain"}):
        same(table(month.inbox, time_zone="country", **options), expected)


def test_the_report_is_that_of_the_command(month: Delivery) -> None:
    reader = cdr.read([month.inbox], time_zone="country")
    with pytest.raises(ValueError, match="ended"):
        reader.report
    rows = sum(batch.num_rows for batch in reader)
    report = reader.report
    assert rows == report["records_written"] == month.records
    left_out = ("run_id", "outputs")
    assert {k: v for k, v in report.items() if k not in left_out} == {
        k: v for k, v in month.report.items() if k not in left_out
    }
    assert {k: v for k, v in cdr.validate(month.inbox, time_zone="country").items() if k not in left_out} == {
        k: v for k, v in month.report.items() if k not in left_out
    }


def test_rejects_are_those_of_the_command(month: Delivery) -> None:
    expected = pq.read_table(month.rejects)
    same(pa.table(cdr.rejects(month.inbox)), expected)
    same(pa.table(cdr.read(month.inbox, columns=["origin"]).rejects), expected)
    codes = pa.table(cdr.rejects(month.inbox, columns=["code"]))["code"].value_counts().to_pylist()
    assert {row["values"]: row["counts"] for row in codes} == month.report["rejects"]


def test_rejected_lines_are_told(single: Delivery) -> None:
    with pytest.warns(cdr.RejectsWarning, match=f"^{single.report['records_rejected']} of"):
        table(single.inbox)


def test_columns_are_pruned(single: Delivery) -> None:
    names = ["duration", "source_file", "start_time"]
    same(table(single.inbox, columns=names), plain(pq.read_table(single.parquet, columns=names)).select(names))
    assert table(single.inbox, columns=[]).num_rows in (0, single.records)
    with pytest.raises(ValueError, match="there is no column \"calls\""):
        cdr.read(single.inbox, columns=["calls"])


def test_the_schema_is_known_before_anything_is_opened() -> None:
    reader = cdr.read("/nowhere/at/all.cdr")
    assert reader.schema.names == cdr.schema().names == [c["name"] for c in cdr.columns()]
    schema = pa.schema(cdr.schema(text="plain"))
    assert schema.field("origin_e164").type == pa.string()
    assert schema.field("start_time").type == pa.timestamp("us")
    assert schema.field("start_time_utc").type == pa.timestamp("us", "UTC")
    assert schema.field("duration").type == pa.decimal128(8, 1)
    assert not schema.field("source_file").nullable
    assert pa.types.is_dictionary(pa.schema(cdr.schema()).field("country").type)


def test_file_objects_are_files(single: Delivery) -> None:
    path = plain_file(single)
    expected = table(path)
    with open(path, "rb") as file:
        same(table(file), expected)
    same(table([(str(path), io.BytesIO(path.read_bytes()))]), expected)
    packed = single.parquet.parent / f"{path.name}.gz"
    # A file object of Python's own, which unwraps in Python.
    with gzip.open(packed) as file:
        same(table((path.name, file)), expected)
    # Taken by a library that may hold the GIL while it waits.
    import polars as pl

    with open(packed, "rb") as file:
        assert pl.DataFrame(cdr.read(file)).height == single.records
    with pytest.raises(TypeError, match="an input is a path"):
        cdr.read(3)
    with pytest.raises(ValueError, match="file objects can be read once"):
        cdr.read(io.BytesIO(b"")).rejects


class Broken(io.RawIOBase):
    def read(self, size: int = -1) -> bytes:
        raise RuntimeError("the bucket is gone")


def test_errors_know_source_place_and_code(tmp_path: pathlib.Path, single: Delivery) -> None:
    foreign = tmp_path / "notes.cdr"
    foreign.write_text("not a record\n" * 3)
    with pytest.raises(cdr.DataError) as raised:
        list(cdr.read([VALID / "DE_SV_00_0001_20110930090122.cdr", foreign]))
    error = raised.value
    assert isinstance(error, ValueError)
    assert (error.source, error.code, error.record_number) == (str(foreign), "not_cdr", 1)
    assert (error.byte_offset, error.field, error.reject_code) == (0, None, "short_record")
    import pickle

    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.__dict__) == (str(error), error.__dict__)

    damaged = bytearray(plain_file(single).read_bytes()[: 100 * RECORD])
    damaged[41 * RECORD + 42 : 41 * RECORD + 50] = b"20251301"
    (tmp_path / "dated.cdr").write_bytes(damaged)
    with pytest.raises(cdr.DataError) as raised:
        list(cdr.read(tmp_path / "dated.cdr", country="GB", max_rejects=0))
    error = raised.value
    assert (error.code, error.record_number, error.byte_offset) == ("too_many_rejects", 42, 41 * RECORD)
    assert (error.field, error.reject_code) == ("date", "invalid_date")
    assert 'found "dddddddd"' in str(error) and "20251301" not in str(error)

    reader = cdr.read("/nowhere.cdr")
    with pytest.raises(cdr.FileError, match="No such file") as raised:
        next(reader)
    assert isinstance(raised.value, OSError)
    assert (raised.value.code, raised.value.kind) == ("cannot_open", "io")
    # A library that takes the stream tells the message; the report has the error itself.
    reader = cdr.read(foreign)
    with pytest.raises(pa.ArrowException, match="not one sound record"):
        pa.table(reader)
    with pytest.raises(cdr.DataError, match="not one sound record"):
        reader.report
    with pytest.raises(cdr.FileError, match="the bucket is gone"):
        list(cdr.read(Broken()))


def test_a_damaged_end_fails_the_whole(tmp_path: pathlib.Path, single: Delivery) -> None:
    packed = (single.parquet.parent / f"{plain_file(single).name}.gz").read_bytes()
    cut = tmp_path / "GB_ABC_10_0001_20251101090122.cdr.gz"
    cut.write_bytes(packed[:-9])
    reader = cdr.read(cut)
    with pytest.raises(cdr.FileError) as raised:
        list(reader)
    assert (raised.value.code, raised.value.kind) == ("cannot_read", "damaged_input")


def test_content_that_comes_again_is_an_error(tmp_path: pathlib.Path, single: Delivery) -> None:
    copy = tmp_path / "copy.cdr"
    copy.write_bytes(plain_file(single).read_bytes())
    with pytest.raises(cdr.DataError) as raised:
        list(cdr.read([plain_file(single), copy], country="GB"))
    assert (raised.value.code, raised.value.source) == ("repeated", str(copy))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"country": "XX"}, "unknown country"),
        ({"product": "SIP"}, "unknown product"),
        ({"profile": "TOOLONG"}, "a profile has"),
        ({"time_zone": "Mars"}, "unknown time zone"),
        ({"max_rejects": "many"}, "expected a count"),
        ({"text": "large"}, "text must be"),
        ({"batch_size": 0}, "batch_size"),
        ({"threads": 0}, "threads must be 1 or more"),
        ({"threads": -1}, "threads is not below 0"),
        ({"profiles": {"ABC": {"contry": "GB"}}}, "unknown setting"),
    ],
)
def test_wrong_arguments_are_value_errors(options, message) -> None:
    with pytest.raises(ValueError, match=message):
        cdr.read(VALID, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"country": 39}, "country is text, not int"),
        ({"threads": "2"}, "threads is a number, not str"),
        ({"memory_limit": "256MiB"}, "memory_limit is a number, not str"),
        ({"strict": "yes"}, "strict is True or False, not str"),
        ({"columns": "duration"}, "columns is a list of names"),
        ({"profiles": {"ABC": "GB"}}, "profile ABC: expected settings like"),
        ({"profiles": {"ABC": {"product": 12}}}, "product is text, not int"),
    ],
)
def test_arguments_of_another_type_are_named(options, message) -> None:
    with pytest.raises(TypeError, match=message):
        cdr.read(VALID, **options)


def test_metadata_comes_from_arguments(single: Delivery, tmp_path: pathlib.Path) -> None:
    nameless = tmp_path / "calls"
    nameless.write_bytes(plain_file(single).read_bytes()[: 1000 * RECORD])
    rows = table(nameless, profile="ABC", profiles={"ABC": {"country": "UK", "product": "wholesale sip",
                 "time_zone": "Europe/London"}}, time_zone="profile", record_id=True)
    first = rows.slice(0, 1).to_pylist()[0]
    assert (first["country"], first["profile"], first["product_identifier"]) == ("GB", "ABC", "15")
    assert first["start_time_utc"] is not None and len(first["record_id"]) == 16
    assert pc.count_distinct(rows["record_id"]).as_py() == rows.num_rows


def test_a_stream_is_read_once(single: Delivery) -> None:
    reader = cdr.read(single.inbox)
    assert pa.table(reader).num_rows == single.records
    with pytest.raises(ValueError, match="read once"):
        pa.table(reader)
    # What iteration left is what a library gets.
    reader = cdr.read(single.inbox, batch_size=10_000)
    first = next(iter(reader))
    assert pa.record_batch(first).num_rows == len(first) == 10_000
    assert pa.table(reader).num_rows == single.records - 10_000
    assert list(reader.__class__([], *cdr.read([])._arguments[1:])) == []


def threads() -> int:
    return len(os.listdir("/proc/self/task"))


def test_what_is_not_read_on_is_not_decoded_on(month: Delivery) -> None:
    before = threads()
    for _ in range(20):
        reader = cdr.read(month.inbox, batch_size=100)
        next(reader)
        del reader
    gc.collect()
    deadline = time.monotonic() + 10
    while threads() > before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert threads() <= before


def test_other_threads_work_while_it_decodes(month: Delivery) -> None:
    """The longest time for which a thread that does nothing but look at the clock was kept from it."""
    longest, done = 0.0, threading.Event()

    def watch() -> None:
        nonlocal longest
        last = time.perf_counter()
        while not done.is_set():
            time.sleep(0.001)
            now = time.perf_counter()
            longest, last = max(longest, now - last), now

    watcher = threading.Thread(target=watch)
    watcher.start()
    started = time.perf_counter()
    cdr.validate([month.inbox])
    for _ in cdr.read(month.inbox, threads=1):
        pass
    seconds = time.perf_counter() - started
    done.set()
    watcher.join()
    assert longest < max(0.2, seconds / 2), (longest, seconds)


CHILD = r"""
import re, sys, cdrlake
rows = 0
for batch in cdrlake.read(sys.argv[1], threads=2, memory_limit=256 << 20):
    rows += batch.num_rows
# Not getrusage, whose peak is the parent's at first.
print(rows, int(re.search(r"VmHWM:\s*(\d+)", open("/proc/self/status").read())[1]) // 1024)
"""


def test_memory_is_bounded(tmp_path: pathlib.Path) -> None:
    """Of 916 MB no more than the limit and what is said of it is in memory at a time."""
    path = tmp_path / "GB_ABC_10_0001_20251101090122.cdr"
    cdrlake("generate", "--frozen", "--records", 4_000_000, "--seed", 42, "-q", "-o", path)
    out = subprocess.check_output([sys.executable, "-c", CHILD, path], text=True)
    rows, peak = map(int, out.split())
    assert rows == 4_000_000
    assert peak < 256 + 64 + 64, f"{peak} MiB"


ENDLESS = """
import sys, cdrlake

class Endless:
    lines = open(sys.argv[1], "rb").read()[:229] * 4096
    reads = 0

    def read(self, size):
        self.reads += 1
        if self.reads == 100:
            print("reading", flush=True)
        return self.lines[: size - size % 229]

source = "GB_ABC_10_0001_20251101090122.cdr", Endless()
"""

INTERRUPTED = {
    "iterating": "for _ in cdrlake.read(source): pass",
    "pyarrow": "import pyarrow\npyarrow.table(cdrlake.read(source))",
    "rejects": "for _ in cdrlake.rejects(source): pass",
    "validate": "cdrlake.validate(source)",
    "convert": "cdrlake.convert(source, sys.argv[2])",
}


@pytest.mark.parametrize("how", INTERRUPTED)
def test_keyboard_interrupt_ends_it(how: str, tmp_path: pathlib.Path) -> None:
    """However it is read, a source without an end is left at once."""
    sample = VALID / "DE_SV_00_0001_20110930090122.cdr"
    out = tmp_path / "out.parquet"
    command = [sys.executable, "-c", ENDLESS + INTERRUPTED[how], sample, out]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    # It is well under way, however long its imports took.
    assert child.stdout is not None and child.stdout.readline() == "reading\n"
    started = time.monotonic()
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=20)
    # A library that takes the whole stream raises its own error.
    is_taken = how == "pyarrow"
    assert errors.rstrip().endswith("(KeyboardInterrupt)" if is_taken else "KeyboardInterrupt"), errors
    assert child.returncode == (1 if is_taken else -signal.SIGINT)
    assert time.monotonic() - started < 10
    assert not out.exists()


def test_a_memory_limit_that_is_too_low_is_told() -> None:
    with pytest.raises(ValueError, match="memory limit is too low"):
        list(cdr.read(VALID, memory_limit=1 << 20))
