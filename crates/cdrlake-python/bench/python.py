#!/usr/bin/env python3
"""Records a second that Python reads into Polars, beside the command: `bench/python.py [--pairs N] [--records N]`.

Run it with the Python that `ci.sh` has set up. The workload is the frozen one of `benches/`; runs
alternate, and medians are told, for the machine may be shared.
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
NAME = "GB_ABC_10_0001_20251101090122.cdr"
CDRLAKE = TARGET / "release/cdrlake"

READERS = {
    "cdrlake convert": None,
    "batches, not kept": "for batch in cdrlake.read(path, threads=2): rows += len(batch)",
    "pyarrow.table": "import pyarrow as pa; rows = pa.table(cdrlake.read(path, threads=2)).num_rows",
    "polars.DataFrame": "import polars as pl; rows = pl.DataFrame(cdrlake.read(path, threads=2)).height",
    "polars, 4 columns": "import polars as pl; rows = pl.DataFrame(cdrlake.read(path, threads=2, columns="
    "['start_time', 'duration', 'origin_e164', 'destination_e164'])).height",
}


def command(reader, path):
    if READERS[reader] is None:
        output = WORK / "out.parquet"
        return [CDRLAKE, "convert", path, "-o", output, "--overwrite", "-q", "--threads", "2"]
    code = f"import sys, cdrlake\npath, rows = sys.argv[1], 0\n{READERS[reader]}\nprint(rows)"
    return [sys.executable, "-c", code, path]


def run(reader, path, records):
    """Seconds of the process, and its peak memory in MiB."""
    start = time.perf_counter()
    process = subprocess.Popen([str(part) for part in command(reader, path)], stdout=subprocess.PIPE, text=True)
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status != 0 or (out and int(out) != records):
        sys.exit(f"{reader} failed")
    return seconds, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--records", type=int, default=4_000_000)
    arguments = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    plain = WORK / NAME
    generate = [CDRLAKE, "generate", "--frozen", "--records", str(arguments.records), "--seed", "42"]
    subprocess.run([*generate, "-q", "--overwrite", "-o", plain], check=True)
    packed = WORK / f"{NAME}.gz"
    # In a process of its own: a child begins with the peak of its parent.
    subprocess.run(["gzip", "-6kf", plain], check=True)
    print("| | plain: s | records/s | peak | .gz: s | records/s | peak |\n|---|---|---|---|---|---|---|")
    runs = {(reader, path): [] for reader in READERS for path in (plain, packed)}
    for _ in range(arguments.pairs):
        for reader, path in runs:
            runs[reader, path].append(run(reader, path, arguments.records))
    for reader in READERS:
        cells = []
        for path in (plain, packed):
            seconds = statistics.median(seconds for seconds, _ in runs[reader, path])
            peak = max(memory for _, memory in runs[reader, path])
            cells += [f"{seconds:.2f}", f"{arguments.records / seconds / 1e6:.2f} M", f"{peak:.0f} MiB"]
        print(f"| {reader} | {' | '.join(cells)} |", flush=True)


main()
