"""`convert` beside the command, and its parts of a table beside pyarrow's own."""

from __future__ import annotations

import datetime
import pathlib

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from conftest import ROOT, Delivery, cdrlake, plain, same

import cdrlake as cdr

VALID = ROOT / "testdata/valid"


def test_convert_writes_what_the_command_writes(single: Delivery, tmp_path: pathlib.Path) -> None:
    out = tmp_path / "out.parquet"
    report = cdr.convert(single.inbox, out)
    assert out.read_bytes() == single.parquet.read_bytes()
    assert (tmp_path / "out.rejects.parquet").read_bytes() == single.rejects.read_bytes()
    assert report["records_written"] == single.records
    with pytest.raises(cdr.LakeError, match="exists already") as raised:
        cdr.convert(single.inbox, out)
    assert raised.value.code == "output_exists"
    assert cdr.convert(single.inbox, out, overwrite=True)["records_written"] == single.records


def test_convert_loads_lakes(month: Delivery, tmp_path: pathlib.Path) -> None:
    lake = tmp_path / "lake"
    report = cdr.convert(month.inbox, lake, time_zone="country", partition_by="call_date")
    assert report["records_written"] == month.records
    again = cdr.convert(month.inbox, lake, time_zone="country")
    assert {source["status"] for source in again["sources"]} == {"same"}
    rows = pq.read_table(lake / "calls", partitioning="hive")
    assert rows.num_rows == month.records
    with pytest.raises(cdr.LakeError, match="call_date"):
        cdr.convert(month.inbox, lake, partition_by="call_month")
    with pytest.raises(ValueError, match="overwrite is not for"):
        cdr.convert(month.inbox, lake, overwrite=True)


def test_convert_tells_of_sources_that_failed(tmp_path: pathlib.Path) -> None:
    foreign = tmp_path / "notes.cdr"
    foreign.write_text("not a record\n")
    sound = VALID / "DE_SV_00_0001_20110930090122.cdr"
    with pytest.raises(cdr.SourcesFailed, match="not one sound record") as raised:
        cdr.convert([sound, foreign], tmp_path / "out.parquet")
    statuses = [source["status"] for source in raised.value.report["sources"]]
    assert statuses == ["loaded", "failed"]
    assert pq.read_table(tmp_path / "out.parquet").num_rows == 3


def days_of(month: Delivery) -> list[datetime.date]:
    times = pq.read_table(month.parquet, columns=["start_time"])["start_time"]
    return sorted(pc.unique(times.cast(pa.date32())).to_pylist())


@pytest.mark.parametrize(
    ("columns", "ends"),
    [
        (None, (3, 9)),
        (["duration", "origin"], (3, 9)),
        (["start_time_utc", "source_file", "start_time", "record_number"], (5, None)),
        (["destination_e164"], (None, 5)),
        (["charge_band", "start_time"], (7, 7)),
        (["duration"], None),
    ],
)
def test_parts_of_the_table_are_those_that_pyarrow_filters(
    columns: list[str] | None, ends: tuple[int | None, int | None] | None, month: Delivery, tmp_path: pathlib.Path
) -> None:
    """Both ends of a range belong to it, by the local time of `start_time`."""
    days, where, expected = days_of(month), None, pq.read_table(month.parquet)
    if ends is not None:
        first, last = (None if end is None else days[end] for end in ends)
        where = f"{first or ''}..{last or ''}" if first != last else str(first)
        midnight = datetime.time()
        if first is not None:
            is_late = pc.field("start_time") >= pc.scalar(datetime.datetime.combine(first, midnight))
            expected = expected.filter(is_late)
        if last is not None:
            next_day = datetime.datetime.combine(last + datetime.timedelta(days=1), midnight)
            expected = expected.filter(pc.field("start_time") < pc.scalar(next_day))
        assert 0 < expected.num_rows < month.records
    if columns is not None:
        # In the table's order, whatever was asked for.
        expected = expected.select([name for name in expected.column_names if name in columns])
    out = tmp_path / "part.parquet"
    report = cdr.convert(month.inbox, out, time_zone="country", columns=columns, where_date=where)
    same(plain(pq.read_table(out)), plain(expected))
    assert report["records_written"] == expected.num_rows
    assert report["records_filtered"] == month.records - expected.num_rows
    # Rejected lines have no day.
    same(pq.read_table(tmp_path / "part.rejects.parquet"), pq.read_table(month.rejects))
    by_command = tmp_path / "by_command.parquet"
    options = [] if columns is None else ["--columns", ",".join(columns)]
    options += [] if where is None else ["--where-date", where]
    cdrlake("convert", month.inbox, "-o", by_command, "-q", *month.options, *options, accepted=(3,))
    assert out.read_bytes() == by_command.read_bytes()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": ["duration", "calls"]}, 'there is no column "calls"'),
        ({"columns": []}, "columns is empty"),
        ({"where_date": "October"}, "expected days like"),
        ({"where_date": "2025-10-02..2025-10-01"}, "is after"),
        ({"compression": "gzip"}, "expected zstd"),
        ({"partition_by": "call_month"}, "partition_by is not for .*, which is one file"),
        ({"wait": True}, "wait is not for"),
    ],
)
def test_wrong_arguments_write_nothing(options: dict, message: str, tmp_path: pathlib.Path) -> None:
    out = tmp_path / "out.parquet"
    with pytest.raises(ValueError, match=message):
        cdr.convert(VALID, out, **options)
    assert not out.exists()


def test_arguments_of_another_type_are_named(tmp_path: pathlib.Path) -> None:
    for options, message in [
        ({"columns": "duration"}, "columns is a list of names"),
        ({"where_date": datetime.date(2025, 10, 1)}, "where_date is text, not date"),
        ({"overwrite": "yes"}, "overwrite is True or False, not str"),
    ]:
        with pytest.raises(TypeError, match=message):
            cdr.convert(VALID, tmp_path / "out.parquet", **options)
    with pytest.raises(ValueError, match="output is empty"):
        cdr.convert(VALID, "")


def test_a_part_is_of_one_file_not_of_a_lake(tmp_path: pathlib.Path) -> None:
    lake = tmp_path / "lake"
    for options in ({"columns": ["duration"]}, {"columns": []}, {"where_date": "2025-10-01.."}):
        with pytest.raises(ValueError, match="which is a lake; name one file"):
            cdr.convert(VALID, lake, **options)
    assert not lake.exists()


def test_lakes_keep_their_masks(tmp_path: pathlib.Path) -> None:
    """What the command has settled of numbers holds for whoever loads."""
    sample = VALID / "DE_SV_00_0001_20110930090122.cdr"
    key = tmp_path / "key"
    key.write_text("11" * 32)
    key.chmod(0o600)
    other = next(file for file in sorted(VALID.glob("*.cdr")) if file != sample)
    for name, options in (("masked", ["--mask", "origin", "--keep", "4"]),
                          ("tokens", ["--pseudonymize", "origin", "--key-file", key])):
        cdrlake("convert", other, "-o", tmp_path / name, "-q", *options, accepted=(0, 3))
    cdr.convert(sample, tmp_path / "masked")
    rows = pq.read_table(tmp_path / "masked/calls", columns=["source_file", "origin"])
    origins = rows.filter(pc.field("source_file") == sample.name)["origin"].to_pylist()
    assert len(origins) == 3 and all(origin[4:] == "x" * (len(origin) - 4) for origin in origins), origins
    with pytest.raises(cdr.LakeError, match="key"):
        cdr.convert(sample, tmp_path / "tokens")
