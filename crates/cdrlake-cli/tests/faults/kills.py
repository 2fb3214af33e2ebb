"""Kills runs on many threads at random instants, twice in a row too, interrupts them, and lets runs
race for a lake: python kills.py [--long] [--seed N] [EXPERIMENT]...

After each, one clean run: every row of every source is there once. Half of the kills are uniform in
time; the others wait for a phase of the run to begin, so that short ones are hit as well.
"""

import argparse
import collections
import multiprocessing
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import lakes
from lakes import SUCCESS, TESTDATA, Broken, cdrlake, expect

SOURCES, RECORDS = 12, 6000
TRY_LATER = 75


def write_sources(directory):
    """Sources of calls of four months, with a short line in a thousand, no two lines equal."""
    directory.mkdir()
    [sample] = TESTDATA.glob("valid/GB_ADC_12_0001_*.cdr")
    line = sample.read_bytes()[:228]
    for source in range(SOURCES):
        lines = []
        for record in range(RECORDS):
            number = source * RECORDS + record
            date = b"2025%02d%02d%06d00" % (number % 4 + 1, number % 28 + 1, number % 24 * 10000)
            switch = b"%025d" % (number * 7919)
            whole = line[:42] + date + line[58:67] + switch + line[92:]
            lines.append(whole[:-1] if record % 1000 == 500 else whole)
        (directory / f"GB_ADC_12_{source:04}_20250501090122.cdr").write_bytes(b"\n".join(lines) + b"\n")


LOAD = ["convert", "-q", "--threads", "3", "../in", "-o", "lake"]
NAMES = [f"GB_ADC_12_{source:04}_20250501090122.cdr" for source in (2, 3, 7)]
REPLACE = [*LOAD[:4], "--replace", "--strict", *(f"../in/{name}" for name in NAMES), "-o", "lake"]
UNLOAD = ["unload", "-q", "lake", *NAMES]


class Bench:
    """A directory with sources, a lake to begin with, and what must come of it."""

    def __init__(self, base, command, loaded):
        self.base, self.command = base, command
        base.mkdir()
        write_sources(base / "in")
        self.template = base / "template"
        self.template.mkdir()
        if loaded:
            cdrlake(LOAD, self.template)
        self.runs = 1 if loaded else 0
        self.work = base / "work"
        self.lake = self.work / "lake"
        self.reset()
        begin = time.monotonic()
        cdrlake(command, self.work)
        self.duration = time.monotonic() - begin
        lakes.check_settled(self.lake)
        self.golden = lakes.fingerprint(self.lake)

    def reset(self):
        lakes.copy(self.template, self.work)

    def start(self, *more):
        command = [lakes.CDRLAKE, *self.command, *more]
        null = subprocess.DEVNULL
        return subprocess.Popen(command, cwd=self.work, stdout=null, stderr=null)

    def settle(self):
        """One clean run, and the truth."""
        cdrlake(self.command, self.work)
        self.check()

    def check(self):
        lakes.check_settled(self.lake)
        found = lakes.fingerprint(self.lake)
        expect(found == self.golden, f"rows {found}, golden {self.golden}")

    def kill(self, chance):
        """Starts a run and kills it; says in what phase, or that it was too late."""
        process = self.start_and_wait(chance)
        process.kill()
        if process.wait() != -9:
            return None
        return self.phase()

    def start_and_wait(self, chance):
        """Starts a run, and waits for an instant by chance."""
        before = set(self.files())
        process = self.start()
        wait = chance.choice(["time", "time", "time", "staging", "recording", "publishing"])
        if wait == "time":
            time.sleep(chance.uniform(0, self.duration))
        else:
            while process.poll() is None and not self.reached(wait, before):
                time.sleep(0.0002)
            time.sleep(chance.choice([0, 0.002, 0.005, 0.02]) * chance.random())
        return process

    def files(self):
        patterns = ["calls/**/*.parquet", "_cdrlake/rejects/*.pq"]
        return [path for pattern in patterns for path in self.lake.glob(pattern)]

    def reached(self, wait, before):
        internal = self.lake / "_cdrlake"
        staged = any(internal.glob("staging/*"))
        if wait == "staging":
            return staged
        if wait == "recording":
            return staged and (internal / "ledger.sqlite-journal").exists()
        return not before.issuperset(self.files())

    def phase(self):
        """What the killed run was doing, as its traces tell."""
        internal = self.lake / "_cdrlake"
        if not (internal / "ledger.sqlite").exists():
            return "opening"
        staged = any(internal.glob("staging/*"))
        if (internal / "ledger.sqlite-journal").exists():
            return "writing the ledger"
        ledger = sqlite3.connect(internal / "ledger.sqlite")
        try:
            if not ledger.execute("PRAGMA user_version").fetchone()[0]:
                return "opening"
            runs = ledger.execute("SELECT status FROM runs").fetchall()
        finally:
            ledger.close()
        if ("publishing",) in runs:
            return "publishing"
        if len(runs) > self.runs:
            return "ending"
        return "loading" if staged else "opening or reading"


def kill_once(bench, chance):
    return [bench.kill(chance)]


def kill_recovery(bench, chance):
    """Kills a run that has something to recover from, early in the next run."""
    first = bench.kill(chance)
    if first not in ("loading", "writing the ledger", "publishing"):
        return [None]
    process = bench.start()
    time.sleep(chance.uniform(0, chance.choice([0.01, 0.03])))
    process.kill()
    if process.wait() != -9:
        return [None]
    return [f"{first}, then {bench.phase()}"]


def interrupt(bench, chance):
    """A run that says it was interrupted has changed nothing; any other has done its work."""
    before = lakes.contents(bench.lake) if bench.lake.exists() else {}
    process = bench.start_and_wait(chance)
    number, status = chance.choice([(signal.SIGINT, 130), (signal.SIGTERM, 143)])
    process.send_signal(number)
    ended = process.wait()
    if ended in SUCCESS:
        bench.check()
        return ["too late: it did its work"]
    if ended == -number:
        return ["too early: it did not listen yet"]
    expect(ended == status, f"ended {ended} by signal {number}")
    after = lakes.contents(bench.lake) if bench.lake.exists() else {}
    expect(after == before, "files were published")
    staging = list(bench.lake.glob("_cdrlake/staging/*"))
    expect(not staging, f"left in staging: {staging}")
    expect(bench.phase() != "publishing", "a run is recorded")
    return [f"ended with {status}"]


def race(bench, chance):
    """Three runs at once: each does its work or is refused. Waiting, each does it."""
    waits = chance.random() < 0.5
    processes = []
    for _ in range(3):
        processes.append(bench.start(*(["--wait"] if waits else [])))
        time.sleep(chance.choice([0, 0, 0.001, 0.01]) * chance.random())
    statuses = sorted(process.wait() for process in processes)
    allowed = SUCCESS if waits else (*SUCCESS, TRY_LATER)
    expect(all(status in allowed for status in statuses), f"raced to {statuses}")
    expect(any(status in SUCCESS for status in statuses), f"nobody won: {statuses}")
    bench.check()
    return [f"{'waiting' if waits else 'refused'}: {statuses}"]


# What is done, on what command, on a loaded lake or none, and how often: long and short.
EXPERIMENTS = {
    "load": (kill_once, LOAD, False, 1000, 25),
    "double": (kill_recovery, LOAD, False, 100, 5),
    "race": (race, LOAD, False, 200, 5),
    "interrupt": (interrupt, LOAD, False, 200, 8),
    "interrupt replace": (interrupt, REPLACE, True, 100, 5),
    "replace": (kill_once, REPLACE, True, 200, 10),
    "unload": (kill_once, UNLOAD, True, 200, 10),
}


def prepare(name, base):
    global BENCH
    _, command, loaded, _, _ = EXPERIMENTS[name]
    try:
        BENCH = Bench(Path(base, multiprocessing.current_process().name), command, loaded)
    except Exception as error:
        # Raised later: a pool starts processes that die here again and again.
        BENCH = error


def experiment(work):
    """Once, but again and again if nothing was killed that matters here."""
    if isinstance(BENCH, Exception):
        raise BENCH
    name, seed = work
    chance = random.Random(seed)
    act = EXPERIMENTS[name][0]
    late = 0
    try:
        while True:
            BENCH.reset()
            [phase] = act(BENCH, chance)
            if phase is not None:
                BENCH.settle()
                return seed, phase, late, None
            BENCH.settle()
            late += 1
    except Broken as broken:
        kept = Path(tempfile.gettempdir(), f"broken-{name}-{seed}")
        shutil.copytree(BENCH.work, kept, dirs_exist_ok=True)
        return seed, "broken", late, f"{broken}; see {kept}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("experiments", nargs="*", metavar="EXPERIMENT", help="all, if none")
    arguments = parser.parse_args()
    broken = 0
    for name in arguments.experiments or EXPERIMENTS:
        begin = time.monotonic()
        *_, long, short = EXPERIMENTS[name]
        count = long if arguments.long else short
        work = [(name, arguments.seed * 1_000_000 + number) for number in range(count)]
        phases, too_late = collections.Counter(), 0
        # Every process makes its own golden lake: DuckDB does not survive a fork.
        context = multiprocessing.get_context("fork")
        with (
            tempfile.TemporaryDirectory(prefix="kills-") as base,
            context.Pool(initializer=prepare, initargs=(name, base)) as pool,
        ):
            for seed, phase, late, why in pool.imap_unordered(experiment, work):
                phases[phase] += 1
                too_late += late
                if why:
                    broken += 1
                    print(f"BROKEN: {name}, seed {seed}: {why}", flush=True)
        seconds = time.monotonic() - begin
        print(f"{name}: {count} in {seconds:.0f} s, {too_late} more came too early or too late")
        for phase, times in phases.most_common():
            print(f"    {times:5} {phase}", flush=True)
    print(f"{broken} broken")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
