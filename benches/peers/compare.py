#!/usr/bin/env python3
"""Measures cdrlake beside other tools and against itself: `compare.py [--quick] [--pairs N]`.

Sets everything up by itself below target/peers: a virtual environment with pinned versions, the
release binaries, the workload. All tools must give the same rows before anything is timed. Pairs
are run back to back and interleaved, for the machine may be shared; ratios are medians of pairs.
Writes the table to target/peers/results.md and the chart to target/peers/speed.svg.
"""

import argparse
import gzip
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time
import venv

from chart import bar_chart

HERE = pathlib.Path(__file__).parent.resolve()
ROOT = HERE.parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
WORK = ROOT / "target/peers"
NAME = "GB_ABC_10_0001_20251101090122.cdr"
RECORD = 229
# The frozen workload: its records, seed and BLAKE3.
RECORDS, SEED = 4_000_000, 42
BLAKE3 = "8a804ea9d363a144c87ddd8ccdd636cc3edd447f3a8a0b3a140065c6aa2a1de4"
QUICK_RECORDS = 400_000
# Rows are compared, and pandas is timed, on as many.
CHECKED_RECORDS, PANDAS_RECORDS = 200_000, 100_000
PEERS = ("polars", "duckdb", "chdb")
LABELS = {"cdrlake": "cdrlake", "polars": "Polars", "duckdb": "DuckDB", "chdb": "ClickHouse",
          "pandas": "pandas"}
# What a tool need not give, to its advantage.
LEFT_OUT = {"duckdb": ("record_number",)}
CDRLAKE, PYTHON = TARGET / "release/cdrlake", WORK / "venv/bin/python"


def set_up(records):
    WORK.mkdir(parents=True, exist_ok=True)
    if not PYTHON.exists():
        venv.create(WORK / "venv", with_pip=True)
    requirements = str(HERE / "requirements.txt")
    subprocess.run([PYTHON, "-m", "pip", "install", "-q", "-r", requirements], check=True)
    build = ["cargo", "build", "--release", "-q", "-p", "cdrlake-cli", "-p", "cdrlake-benches"]
    subprocess.run([*build, "--target-dir", TARGET], cwd=ROOT, check=True)
    plain = file("plain", NAME)
    if not plain.exists() or plain.stat().st_size != records * RECORD:
        generate = [TARGET / "release/cdrlake", "generate", "--frozen", "--quiet", "--overwrite"]
        subprocess.run([*generate, "--records", str(records), "--seed", str(SEED), "-o", plain], check=True)
        subprocess.run(["gzip", "-6knf", plain], check=True)
    report = WORK / "report.json"
    convert(plain, "--report", report)
    content_hash = json.loads(report.read_text())["sources"][0]["content_hash"]
    if records == RECORDS and content_hash != BLAKE3:
        sys.exit(f"the workload changed: its BLAKE3 is {content_hash}")
    return plain, pathlib.Path(f"{plain}.gz")


def file(directory, name):
    (WORK / directory).mkdir(exist_ok=True)
    return WORK / directory / name


def head(plain, records, directory):
    """The first records, under the same name."""
    path = file(directory, NAME)
    with open(plain, "rb") as source:
        path.write_bytes(source.read(records * RECORD))
    return path


def command(tool, source, threads=2):
    output = WORK / f"{tool}.parquet"
    if tool == "cdrlake":
        return [CDRLAKE, "convert", source, "-o", output, "--overwrite", "--quiet",
                "--threads", str(threads)]
    return [PYTHON, HERE / f"{tool}_convert.py", source, output]


class Run:
    """Seconds of wall and processor, and peak memory in MiB, of one process."""

    def __init__(self, command, accepted=(0,)):
        environment = {**os.environ, "POLARS_MAX_THREADS": "2", "THREADS": "2"}
        # Each writes a new file, and waits for no other's way to the disk.
        for part in command:
            if isinstance(part, pathlib.Path) and part.suffix == ".parquet":
                part.unlink(missing_ok=True)
        os.sync()
        start = time.perf_counter()
        process = subprocess.Popen([str(part) for part in command], env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        self.seconds = time.perf_counter() - start
        self.cpu = usage.ru_utime + usage.ru_stime
        self.memory = usage.ru_maxrss / 1024
        if os.waitstatus_to_exitcode(status) not in accepted:
            sys.exit(f"{command[0]} failed")


def convert(source, *more):
    return Run([*command("cdrlake", source), *more])


def median(values):
    return statistics.median(values)


def check_rows(plain):
    source = head(plain, CHECKED_RECORDS, "checked")
    Run(command("cdrlake", source))
    for tool in (*PEERS, "pandas"):
        Run(command(tool, source))
        rows = [PYTHON, HERE / "same_rows.py", WORK / "cdrlake.parquet", WORK / f"{tool}.parquet"]
        subprocess.run([*rows, *LEFT_OUT.get(tool, ())], check=True)


def beside_peers(sources, pairs):
    """Each input: seconds, memory and output by tool, and the ratio to each peer."""
    results = {}
    for source in sources:
        runs = {tool: [] for tool in ("cdrlake", *PEERS)}
        ratios = {tool: [] for tool in PEERS}
        sizes = {}
        for _ in range(pairs):
            for tool in PEERS:
                ours, theirs = Run(command("cdrlake", source)), Run(command(tool, source))
                runs["cdrlake"].append(ours)
                runs[tool].append(theirs)
                ratios[tool].append(theirs.seconds / ours.seconds)
                sizes[tool] = (WORK / f"{tool}.parquet").stat().st_size
        sizes["cdrlake"] = (WORK / "cdrlake.parquet").stat().st_size
        results[source.suffix] = {
            tool: {
                "seconds": median(run.seconds for run in of_tool),
                "cpu": median(run.cpu for run in of_tool),
                "memory": max(run.memory for run in of_tool),
                "bytes": sizes[tool],
                "ratio": median(ratios[tool]) if tool in ratios else 1.0,
            }
            for tool, of_tool in runs.items()
        }
    return results


def pairs_of(pairs, left, right):
    """The median of `right`'s seconds over `left`'s."""
    return median(run_right.seconds / run_left.seconds
                  for run_left, run_right in ((left(), right()) for _ in range(pairs)))


def small_files(plain, files):
    """The same records as so many files, gzipped."""
    directory = WORK / f"small-{files}"
    if not directory.exists():
        directory.mkdir()
        records = plain.stat().st_size // RECORD // files
        with open(plain, "rb") as source:
            for number in range(files):
                name = f"GB_ABC_10_{number:04}_20251101{number // 3600:02}{number // 60 % 60:02}{number % 60:02}"
                with gzip.GzipFile(directory / f"{name}.cdr.gz", "wb", 6, mtime=0) as output:
                    output.write(source.read(records * RECORD))
    return directory


# These files are written in pieces: a process begins with its parent's peak of memory.


def damaged(plain):
    """Every hundredth line with an impossible date."""
    path = file("damaged", NAME)
    with open(plain, "rb") as source, open(path, "wb") as output:
        while lines := source.read(100 * RECORD):
            output.write(lines[:46] + b"x" + lines[47:])
    return path


def ten_times(compressed):
    """The compressed file, ten times one behind the other: members of one gzip."""
    path = file("tenfold", compressed.name)
    with open(path, "wb") as output:
        for _ in range(10):
            with open(compressed, "rb") as source:
                shutil.copyfileobj(source, output)
    return path


def into_lake(source):
    """Into a new lake, a directory a day."""
    shutil.rmtree(WORK / "lake", ignore_errors=True)
    return Run([CDRLAKE, "convert", source, "-o", WORK / "lake", "--partition-by", "call_date",
                "--quiet", "--threads", "2"])


def own_rows(plain, compressed, pairs, files):
    ours = lambda source, threads=2, accepted=(0,): (
        lambda: Run(command("cdrlake", source, threads), accepted))
    rows = []
    ratio = pairs_of(pairs, ours(plain, 2), ours(plain, 1))
    rows.append(("2 threads over 1", "at least 1.85", f"{ratio:.2f}"))
    ratio = pairs_of(pairs, ours(small_files(plain, files)), ours(compressed))
    rows.append((f"{files:,} files, .gz, speed of the single .gz", "at least 0.8", f"{ratio:.2f}"))
    ratio = pairs_of(pairs, lambda: into_lake(plain), ours(plain))
    rows.append(("a lake by call_date, speed of the single file", "at least 0.85", f"{ratio:.2f}"))
    floor = [TARGET / "release/floor", compressed, WORK / "cdrlake.parquet"]
    shares = []
    for _ in range(pairs):
        cpu = Run(command("cdrlake", compressed)).cpu
        inflate, compress = map(float, subprocess.check_output(floor).split())
        shares.append(cpu / (inflate + compress))
    rows.append(("CPU of the .gz, over inflate + zstd", "at most 1.6", f"{median(shares):.2f}"))
    tiny = head(plain, 100, "tiny")
    seconds = median(ours(tiny)().seconds for _ in range(4 * pairs + 1))
    rows.append(("100 records, whole process, fsyncs included", "under 30 ms", f"{seconds * 1e3:.0f} ms"))
    ratio = pairs_of(pairs, ours(damaged(plain), 2, (3,)), ours(plain))
    rows.append(("1 % damaged lines, speed of the clean file", "at least 0.8", f"{ratio:.2f}"))
    tenfold = ten_times(compressed)
    peak, tenfold_peak = ours(compressed)().memory, ours(tenfold)().memory
    tenfold.unlink()
    rows.append(("peak memory, .gz and ten-fold .gz", "at most 256 MiB",
                 f"{peak:.0f} and {tenfold_peak:.0f} MiB"))
    return rows


def write_results(peers, own, pandas, records, pairs):
    lines = [f"{records:,} records, two threads, zstd level 1, {pairs} pairs", "",
             "| | plain | .gz | processor, plain | .gz | peak memory | output | ratio, plain | ratio, .gz |",
             "|---|---|---|---|---|---|---|---|---|"]
    plain, compressed = peers[".cdr"], peers[".gz"]
    for tool in ("cdrlake", *PEERS):
        left, right = plain[tool], compressed[tool]
        memory = max(left["memory"], right["memory"])
        ratios = ("", "") if tool == "cdrlake" else (f"{left['ratio']:.1f}", f"{right['ratio']:.1f}")
        lines.append(f"| {LABELS[tool]} | {left['seconds']:.2f} s | {right['seconds']:.2f} s "
                     f"| {left['cpu']:.2f} s | {right['cpu']:.2f} s | {memory:.0f} MiB | {left['bytes'] / 1e6:.1f} MB | {ratios[0]} | {ratios[1]} |")
    lines += [f"| pandas | {pandas:.0f} s (from {PANDAS_RECORDS:,} records) | | | | | | "
              f"{pandas / plain['cdrlake']['seconds']:.0f} | |", "",
              "| | target | measured |", "|---|---|---|"]
    share = plain["cdrlake"]["bytes"] / plain["polars"]["bytes"]
    own = [("output over Polars'", "at most 0.90", f"{share:.2f}"), *own]
    lines += [f"| {name} | {target} | {measured} |" for name, target, measured in own]
    (WORK / "results.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))
    bars = [(LABELS[tool], records / plain[tool]["seconds"] / 1e6,
             records / compressed[tool]["seconds"] / 1e6) for tool in ("cdrlake", *PEERS)]
    bars.append(("pandas", records / pandas / 1e6, None))
    (WORK / "speed.svg").write_text(bar_chart(bars))


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--quick", action="store_true", help="fewer records, one pair")
    arguments.add_argument("--pairs", type=int, help="pairs of runs; 5 if not said")
    arguments = arguments.parse_args()
    records = QUICK_RECORDS if arguments.quick else RECORDS
    pairs = arguments.pairs or (1 if arguments.quick else 5)
    plain, compressed = set_up(records)
    check_rows(plain)
    of_pandas = Run(command("pandas", head(plain, PANDAS_RECORDS, "checked")))
    pandas = of_pandas.seconds * records / PANDAS_RECORDS
    peers = beside_peers((plain, compressed), pairs)
    own = own_rows(plain, compressed, pairs, 200 if arguments.quick else 2000)
    write_results(peers, own, pandas, records, pairs)


if __name__ == "__main__":
    main()
