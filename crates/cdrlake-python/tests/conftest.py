"""Synthetic deliveries, and what the command makes of them."""

from __future__ import annotations

import gzip
import json
import os
import pathlib
import signal
import subprocess
import sys

import pyarrow as pa
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
RECORD = 229


def cdrlake(*arguments: object, accepted: tuple[int, ...] = (0,)) -> str:
    """Runs the command."""
    command = os.environ.get("CDRLAKE", TARGET / "release/cdrlake")
    done = subprocess.run([str(each) for each in (command, *arguments)], capture_output=True, text=True)
    assert done.returncode in accepted, done.stderr
    return done.stdout


class Delivery:
    """Files of calls, and the command's table, rejects and report of them."""

    def __init__(self, inbox: pathlib.Path, work: pathlib.Path, *options: str) -> None:
        self.inbox = inbox
        self.options = options
        self.parquet = work / "cli.parquet"
        self.rejects = work / "cli.rejects.parquet"
        report = work / "report.json"
        cdrlake("convert", inbox, "-o", self.parquet, "-q", "--report", report, *options, accepted=(0, 3))
        self.report = json.loads(report.read_text())

    @property
    def records(self) -> int:
        return self.report["records_written"]


@pytest.fixture(scope="session")
def month(tmp_path_factory: pytest.TempPathFactory) -> Delivery:
    """120,000 calls in 24 files, one line in a thousand damaged."""
    work = tmp_path_factory.mktemp("month")
    inbox = work / "inbox"
    cdrlake("generate", "--records", 120_000, "--files", 24, "--damage", "all=0.1%", "--seed", 7,
            "-q", "-o", inbox)
    return Delivery(inbox, work, "--time-zone", "country")


@pytest.fixture(scope="session")
def single(tmp_path_factory: pytest.TempPathFactory) -> Delivery:
    """One plain file of 150,000 calls, more than two blocks, with a gzip of it elsewhere."""
    work = tmp_path_factory.mktemp("single")
    inbox = work / "inbox"
    inbox.mkdir()
    plain = inbox / "GB_ABC_10_0001_20251101090122.cdr"
    cdrlake("generate", "--records", 150_000, "--seed", 3, "--damage", "all=0.01%", "-q", "-o", plain)
    with gzip.open(work / f"{plain.name}.gz", "wb", 1) as packed:
        packed.write(plain.read_bytes())
    return Delivery(inbox, work)


def plain_file(delivery: Delivery) -> pathlib.Path:
    (plain,) = delivery.inbox.iterdir()
    return plain


def plain(table: pa.Table) -> pa.Table:
    """Text as text, however it is encoded."""
    fields = [
        field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field
        for field in table.schema
    ]
    return table.cast(pa.schema(fields)).combine_chunks()


def same(left: pa.Table, right: pa.Table) -> None:
    assert left.column_names == right.column_names
    assert left.num_rows == right.num_rows
    for name in left.column_names:
        one, other = left[name].combine_chunks(), right[name].combine_chunks()
        assert one.cast(other.type).equals(other), name


def pytest_configure() -> None:
    """Whoever ends the tests ends the processes of the cluster, too."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
