"""The three lines for each library that README.md shows, beside the command's table."""

from __future__ import annotations

import decimal
import json
import pathlib
import re
import warnings

import pytest
from conftest import ROOT, Delivery

import cdrlake

README = (ROOT / "crates/cdrlake-python/README.md").read_text()
FIRST_README = (ROOT / "README.md").read_text()


@pytest.fixture(autouse=True)
def rejects_are_expected():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cdrlake.RejectsWarning)
        yield


def expected(month: Delivery) -> tuple[int, decimal.Decimal]:
    return month.records, decimal.Decimal(month.report["duration_seconds"])


def run(library: str, month: Delivery, output: str = "") -> dict[str, object]:
    """The block of README.md that begins with `# library`, over the month's files."""
    (block,) = re.findall(rf"```python\n# {library}\n(.*?)```", README, re.S)
    names: dict[str, object] = {}
    block = block.replace('"october.parquet"', json.dumps(output))
    exec(block.replace('"inbox/"', json.dumps(str(month.inbox))), names)
    return names


def seconds(value: object) -> decimal.Decimal:
    return decimal.Decimal(str(value)).quantize(decimal.Decimal("0.1"))


def test_the_first_readme(month: Delivery) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", FIRST_README, re.S)
    names: dict[str, object] = {}
    exec(block.replace('"inbox/"', json.dumps(str(month.inbox))), names)
    assert names["calls"].height == month.records


def test_pyarrow(month: Delivery) -> None:
    import pyarrow.compute as pc

    calls = run("pyarrow", month)["calls"]
    assert (calls.num_rows, pc.sum(calls["duration"]).as_py()) == expected(month)


def test_polars(month: Delivery) -> None:
    calls = run("Polars", month)["calls"]
    assert (calls.height, calls["duration"].sum()) == expected(month)
    # Dictionaries of many batches are one column.
    assert calls["country"].n_unique() == 1


def test_duckdb(month: Delivery) -> None:
    names = run("DuckDB", month)
    rows = names["by_day"].fetchall()
    assert (sum(row[1] for row in rows), sum(row[2] for row in rows)) == expected(month)


def test_pandas(month: Delivery) -> None:
    calls = run("pandas", month)["calls"]
    assert (len(calls), sum(calls["duration"])) == expected(month)


def test_dask(month: Delivery) -> None:
    pytest.importorskip("dask.dataframe")
    names = run("Dask", month)
    calls = names["calls"]
    assert calls.npartitions >= 24
    assert (len(calls), seconds(calls["duration"].sum().compute())) == expected(month)


def test_a_part_of_a_table(month: Delivery, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    out = tmp_path / "october.parquet"
    report = run("a part of a table", month, str(out))["report"]
    starts = pq.read_table(month.parquet)["start_time"]
    october = pc.sum(pc.equal(pc.strftime(starts, "%Y-%m"), "2025-10")).as_py()
    assert 0 < october < month.records
    part = pq.read_table(out)
    assert (part.num_rows, part.column_names) == (october, ["start_time", "duration"])
    told = f"{october} calls; {month.records - october} of other days; {report['records_rejected']} rejected"
    assert capsys.readouterr().out == told + "\n"


def test_an_error(month: Delivery, capsys: pytest.CaptureFixture[str]) -> None:
    import pyarrow.parquet as pq

    run("an error", month)
    source, code, record_number, field, reject_code = capsys.readouterr().out.split()
    first = pq.read_table(month.rejects).slice(0, 1).to_pylist()[0]
    assert (source, code) == (str(month.inbox / first["source_file"]), "too_many_rejects")
    assert (int(record_number), field, reject_code) == (first["record_number"], str(first["field"]), first["code"])


@pytest.mark.large
def test_ray(month: Delivery) -> None:
    pytest.importorskip("ray")
    import ray

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        calls = run("Ray Data", month)["calls"]
        assert (calls.count(), seconds(calls.sum("duration"))) == expected(month)
    finally:
        ray.shutdown()
