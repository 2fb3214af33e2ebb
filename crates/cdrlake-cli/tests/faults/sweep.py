"""Kills and fails a run at every system call that changes files, and looks whether one clean run
afterwards makes the lake what it must be: python sweep.py [--long] [SCENARIO]...

Each call is killed before and after it is done, failed once with ENOSPC and with EIO, and failed so
from then on. The short form takes every Nth call of every scenario; the long form every call.
"""

import argparse
import collections
import errno
import multiprocessing
import shutil
import sys
import tempfile
import time
from pathlib import Path

import lakes
import tracer
from lakes import SUCCESS, TESTDATA, Broken, cdrlake, expect
from tracer import Fault

# A file system without renames that refuse to replace.
NO_NOREPLACE = Fault(1, errno=errno.EINVAL, forever=True, only={"renameat2"})

FAULTS = {
    "killed before": lambda number: Fault(number, kill="before"),
    "killed after": lambda number: Fault(number, kill="after"),
    "ENOSPC once": lambda number: Fault(number, errno=errno.ENOSPC),
    "EIO once": lambda number: Fault(number, errno=errno.EIO),
    "ENOSPC from then on": lambda number: Fault(number, errno=errno.ENOSPC, forever=True),
    "EIO from then on": lambda number: Fault(number, errno=errno.EIO, forever=True),
}

# In the short form every so manieth call.
SHORT_STEP = 29

FIRST = ["DE_SV_00_0001_20110930090122.cdr", "invalid_date.cdr", "trailing_bytes.cdr"]
SECOND = ["CZ_AAX_10_0001_20151010090117.cdr", "invalid_duration.cdr"]
LOAD = ["convert", "-q", "--threads", "1", "-o", "lake"]


class Scenario:
    """A command on a lake. `before` makes the lake; `repeatable` says whether the same command once
    more leaves the very same files, rather than the same rows in others."""

    def __init__(self, command, before=(), repeatable=True, always=(), interrupted=False):
        self.command, self.before, self.repeatable = command, before, repeatable
        self.always, self.interrupted = always, interrupted


LOADED = [*LOAD, "first"]
REPLACE = [*LOAD, "--replace", "--country", "CZ", "first/invalid_date.cdr"]
UNLOAD = ["unload", "-q", "lake", "invalid_date.cdr"]
SCENARIOS = {
    "first load": Scenario(LOADED),
    "load": Scenario([*LOAD, "first", "second"], [LOADED]),
    "nothing new": Scenario(LOADED, [LOADED]),
    "replace": Scenario(REPLACE, [LOADED], repeatable=False),
    "unload": Scenario(UNLOAD, [LOADED]),
    "replay": Scenario([*LOAD, "--replay", "lake/_cdrlake/rejects"], [[*LOADED, "--strict"]]),
    # Killed when the run was recorded and no file was visible: what is swept is the recovery.
    "recovery of a load": Scenario([*LOAD, "second"], [LOADED], interrupted=True),
    "recovery of replace": Scenario(REPLACE, [LOADED], repeatable=False, interrupted=True),
    "recovery of unload": Scenario(UNLOAD, [LOADED], interrupted=True),
    "load without noreplace": Scenario([*LOAD, "second"], [LOADED], always=(NO_NOREPLACE,)),
}


class Sweep:
    """A scenario with its lake before, and the golden one after."""

    def __init__(self, scenario, base):
        self.scenario = scenario
        self.template = base / "template"
        self.template.mkdir(parents=True)
        for directory, folder, names in [("first", "*", FIRST), ("second", "*", SECOND)]:
            (self.template / directory).mkdir()
            for name in names:
                [path] = TESTDATA.glob(f"{folder}/{name}")
                shutil.copy(path, self.template / directory)
        for command in scenario.before:
            cdrlake(command, self.template)
        self.before = lakes.contents(self.template / "lake")
        golden = base / "golden"
        lakes.copy(self.template, golden)
        ended = self.run(golden)
        self.status = ended.status
        expect(self.status in SUCCESS, f"without faults: {ended.status} {ended.stderr}")
        lakes.check_settled(golden / "lake")
        self.after, self.rows = lakes.contents(golden / "lake"), lakes.rows(golden / "lake")
        if scenario.interrupted:
            renamed = next(at for at, call in enumerate(ended.calls) if call == "renameat2")
            self.run(self.template, Fault(renamed + 1, kill="before"))
            golden = base / "recovered"
            lakes.copy(self.template, golden)
            ended = self.run(golden)
        self.calls = ended.calls

    def run(self, directory, *faults):
        command = [lakes.CDRLAKE, *self.scenario.command]
        return tracer.run(command, *faults, *self.scenario.always, cwd=directory)

    def check(self, directory, number, fault):
        """One fault, what is visible after it, and one clean run."""
        lakes.copy(self.template, directory)
        lake = directory / "lake"
        ended = self.run(directory, FAULTS[fault](number))
        if not self.scenario.interrupted or self.scenario.repeatable:
            lakes.check_whole(lake, self.before, self.after)
        if ended.died:
            outcome = "killed"
        elif ended.status in SUCCESS:
            outcome = "succeeded all the same"
            self.check_golden(lake)
        else:
            outcome = "failed"
            expect(ended.status == 1, f"ended {ended.status}: {ended.stderr}")
            named = ended.stderr.startswith("error: ") and "lake" in ended.stderr
            expect(named, f"the message names no path: {ended.stderr}")
        again = self.run(directory)
        expect(again.status in SUCCESS, f"the clean run ended {again.status}: {again.stderr}")
        lakes.check_settled(lake)
        self.check_golden(lake)
        return outcome

    def check_golden(self, lake):
        found = lakes.rows(lake)
        lost, doubled = self.rows - found, found - self.rows
        expect(found == self.rows, f"{lost.total()} rows lost, {doubled.total()} too many")
        if self.scenario.repeatable:
            expect(lakes.contents(lake) == self.after, "other files than the golden ones")


def points(calls, step):
    for number in range(1, len(calls) + 1):
        for index, fault in enumerate(FAULTS):
            # Each fault takes other calls, so that together they meet them all.
            if (number + index * step // len(FAULTS)) % step == 0:
                yield number, fault


def prepare(name, base):
    global SWEEP, DIRECTORY
    DIRECTORY = Path(base, multiprocessing.current_process().name)
    try:
        SWEEP = Sweep(SCENARIOS[name], DIRECTORY)
    except Exception as error:
        # Raised later: a pool starts processes that die here again and again.
        SWEEP = error


def calls():
    if isinstance(SWEEP, Exception):
        raise SWEEP
    return SWEEP.calls


def check_point(point):
    try:
        return point, SWEEP.check(DIRECTORY / "work", *point), None
    except Broken as broken:
        return point, "broken", str(broken)


def sweep(name, step):
    """Sweeps a scenario; gives the number of points by what came of them."""
    begin = time.monotonic()
    outcomes = collections.Counter()
    # Every process makes its own golden lake: DuckDB does not survive a fork.
    context = multiprocessing.get_context("fork")
    with (
        tempfile.TemporaryDirectory(prefix="sweep-") as base,
        context.Pool(initializer=prepare, initargs=(name, base)) as pool,
    ):
        names = pool.apply(calls)
        work = points(names, step)
        for (number, fault), outcome, why in pool.imap_unordered(check_point, work):
            outcomes[outcome] += 1
            if why:
                call = f"call {number} ({names[number - 1]})"
                print(f"BROKEN: {name}, {call} {fault}: {why}", flush=True)
    kinds = collections.Counter(names).most_common()
    kinds = ", ".join(f"{count} {kind}" for kind, count in kinds)
    told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
    seconds = time.monotonic() - begin
    print(f"{name}: {len(names)} calls ({kinds})", flush=True)
    print(f"    {outcomes.total()} points: {told}; {seconds:.0f} s", flush=True)
    return outcomes


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true", help="every call")
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help="all, if none")
    arguments = parser.parse_args()
    tracer.check()
    total = collections.Counter()
    for name in arguments.scenarios or SCENARIOS:
        total += sweep(name, 1 if arguments.long else SHORT_STEP)
    print(f"{total.total()} points, {total['broken']} broken")
    return 1 if total["broken"] else 0


if __name__ == "__main__":
    sys.exit(main())
