#!/usr/bin/env python3
"""Runs cdrlake and Polars side by side on the same synthetic file: `compare.py [RECORDS] [PAIRS]`.

Sets everything up by itself below target/peers: a virtual environment with pinned versions, the
release binaries, the file. Both must give the same rows before anything is timed. Figures are
medians over pairs of runs, each pair back to back, for the machine may be shared.
"""

import os
import pathlib
import statistics
import subprocess
import sys
import time
import venv

HERE = pathlib.Path(__file__).parent.resolve()
ROOT = HERE.parent.parent
WORK = ROOT / "target/peers"
THREADS = "2"


def set_up(records):
    WORK.mkdir(parents=True, exist_ok=True)
    python = WORK / "venv/bin/python"
    if not python.exists():
        venv.create(WORK / "venv", with_pip=True)
    requirements = str(HERE / "requirements.txt")
    subprocess.run([python, "-m", "pip", "install", "-q", "-r", requirements], check=True)
    build = ["cargo", "build", "--release", "-q", "-p", "cdrlake-cli", "-p", "cdrlake-benches"]
    build += ["--target-dir", ROOT / "target"]
    subprocess.run(build, cwd=ROOT, check=True)
    source = WORK / "GB_ABC_10_0001_20251101090122.cdr"
    with open(source, "wb") as file:
        synthesize = [ROOT / "target/release/synthesize", str(records), "1"]
        subprocess.run(synthesize, stdout=file, check=True)
    subprocess.run(["gzip", "-6kf", source], check=True)
    return python, source


def run(command):
    """Seconds, and peak memory in MiB."""
    environment = {**os.environ, "POLARS_MAX_THREADS": THREADS}
    start = time.perf_counter()
    process = subprocess.Popen(command, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status != 0:
        sys.exit(f"{command[0]} failed")
    return seconds, usage.ru_maxrss / 1024


def main():
    records = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    pairs = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    python, plain = set_up(records)
    for source in (plain, pathlib.Path(f"{plain}.gz")):
        ours, theirs = WORK / "cdrlake.parquet", WORK / "polars.parquet"
        cdrlake = [ROOT / "target/release/cdrlake", "convert", source, "-o", ours]
        cdrlake += ["--overwrite", "--quiet", "--threads", THREADS]
        polars = [python, HERE / "polars_convert.py", source, theirs]
        run(cdrlake), run(polars)
        subprocess.run([python, HERE / "same_rows.py", ours, theirs], check=True)
        timed = [(run(cdrlake), run(polars)) for _ in range(pairs)]
        times = [[side[index][0] for side in timed] for index in (0, 1)]
        memory = [max(side[index][1] for side in timed) for index in (0, 1)]
        ratio = statistics.median(polars[0] / ours[0] for ours, polars in timed)
        print(f"{source.name}, {records:,} records, {THREADS} threads, {pairs} pairs")
        for name, path, index in (("cdrlake", ours, 0), ("Polars", theirs, 1)):
            median = statistics.median(times[index])
            print(
                f"  {name:<8} {median:6.2f} s  {records / median / 1e6:5.2f} million records/s"
                f"  {memory[index]:5.0f} MiB  output {path.stat().st_size / 1e6:6.1f} MB"
            )
        print(f"  cdrlake is {ratio:.1f} times as fast\n")


if __name__ == "__main__":
    main()
