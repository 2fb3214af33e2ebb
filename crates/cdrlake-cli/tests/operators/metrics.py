"""Lets Prometheus' own parser read what `--metrics-file` writes, of a lake with an awkward name.

    target/venv/bin/python crates/cdrlake-cli/tests/operators/metrics.py target/release/cdrlake
"""

import pathlib
import subprocess
import sys
import tempfile

from prometheus_client.parser import text_string_to_metric_families

REPOSITORY = pathlib.Path(__file__).resolve().parents[4]
VALID = REPOSITORY / "testdata/valid"
INVALID = REPOSITORY / "testdata/invalid/invalid_date.cdr"


def families(path):
    """By name; the parser fails on what it cannot read, and this on what it reads twice."""
    found = {}
    for family in text_string_to_metric_families(path.read_text()):
        assert family.name not in found, family.name
        assert family.type == "gauge" and family.documentation, family
        samples = {}
        for sample in family.samples:
            assert sample.name == family.name, sample
            labels = frozenset(sample.labels.items())
            assert labels not in samples, sample
            samples[labels] = sample
        found[family.name] = list(samples.values())
    return found


def main(cdrlake):
    cdrlake = pathlib.Path(cdrlake).resolve()
    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory).resolve()
        lake, prom = directory / 'a "lake"\\of\nmine', directory / "cdrlake.prom"

        def run(*arguments, status):
            command = [cdrlake, *arguments, "--metrics-file", prom]
            ended = subprocess.run(command, cwd=directory, capture_output=True, text=True)
            assert ended.returncode == status, ended
            return families(prom)

        first = run("convert", VALID, INVALID, "-o", lake, status=3)
        for samples in first.values():
            for sample in samples:
                assert sample.labels["lake"] == str(lake), sample
                assert sample.labels["command"] == "convert", sample
        written = {s.labels["result"]: s.value for s in first["cdrlake_last_run_records"]}
        assert written["written"] > 0 and written["rejected"] == 1, written
        success = first["cdrlake_last_success_timestamp_seconds"][0].value
        failed = run("convert", directory / "nothing.cdr", "-o", lake, status=1)
        assert failed["cdrlake_last_success_timestamp_seconds"][0].value == success
        assert failed["cdrlake_last_run_timestamp_seconds"][0].value >= success
        audited = run("audit", lake, status=3)
        assert audited["cdrlake_audit_findings"]
    print(f"{len(first)} metrics of a load, {len(audited)} of an audit")


if __name__ == "__main__":
    main(*sys.argv[1:])
