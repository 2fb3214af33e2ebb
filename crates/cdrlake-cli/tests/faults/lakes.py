"""Lakes under test: how they come about, and what must be true of them."""

import collections
import os
import shutil
import sqlite3
import subprocess
from pathlib import Path

import duckdb

ROOT = Path(__file__).resolve().parents[4]
TESTDATA = ROOT / "testdata"
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
# The program under test; an unoptimized build will do.
CDRLAKE = os.environ.get("CDRLAKE", str(TARGET / "debug/cdrlake"))
SUCCESS = (0, 3)


class Broken(Exception):
    """A lake, or a run, is not what it must be."""


def expect(condition, what):
    if not condition:
        raise Broken(what)


def cdrlake(arguments, cwd, statuses=SUCCESS):
    ended = subprocess.run([CDRLAKE, *arguments], cwd=cwd, capture_output=True, text=True)
    expect(ended.returncode in statuses, f"{arguments} ended {ended.returncode}: {ended.stderr}")
    return ended


# Where a lake tells of its sources, and where its rejected lines are.
SOURCES = "_cdrlake/sources/sources.pq"
REJECTS = "_cdrlake/rejects"


def visible_files(lake):
    """What a reader can meet: paths of files in the lake, and whether one is no part of it."""
    for directory, names, files in os.walk(lake):
        if directory == str(lake) and "_cdrlake" in names:
            names.remove("_cdrlake")
        for name in files:
            path = Path(directory, name)
            expect(not name.startswith((".", "_")) and name.endswith(".parquet"), f"{path} shows")
            expect(path.is_relative_to(lake / "calls"), f"{path} is no file of calls")
            yield path.relative_to(lake)
    for path in lake.glob(f"{REJECTS}/*"):
        expect(path.name.endswith(".pq") and not path.name.startswith("."), f"{path} shows")
        yield path.relative_to(lake)
    if (lake / SOURCES).exists():
        yield Path(SOURCES)


def contents(lake):
    """The bytes of every file of calls and rejects, by path in the lake."""
    files = visible_files(lake)
    return {str(path): (lake / path).read_bytes() for path in files if str(path) != SOURCES}


def rows(lake):
    """Every row of the lake as DuckDB reads it, with how often it is there."""
    tables = collections.Counter()
    for kind, pattern in [("calls", "calls/**/*.parquet"), ("rejects", f"{REJECTS}/*.pq")]:
        if any(lake.glob(pattern)):
            query = f"SELECT * FROM read_parquet('{lake / pattern}', hive_partitioning = true)"
            tables.update((kind, *row) for row in duckdb.sql(query).fetchall())
    return tables


def fingerprint(lake):
    """Counts and sums of hashes, which tell multisets of many rows apart."""
    found = []
    for pattern in ["calls/**/*.parquet", f"{REJECTS}/*.pq"]:
        if any(lake.glob(pattern)):
            read = f"read_parquet('{lake / pattern}', hive_partitioning = true)"
            query = f"SELECT count(*), sum(hash(COLUMNS(*))::HUGEINT) FROM {read}"
            found.append(duckdb.sql(query).fetchall())
    return found


def check_settled(lake):
    """After a run that ended well: nothing is under way, and all that tells of the lake agrees."""
    staging = os.listdir(lake / "_cdrlake/staging")
    expect(not staging, f"left in staging: {staging}")
    internal = set(os.listdir(lake / "_cdrlake")) - {"rejects", "sources"}
    expect(
        internal == {"identity", "ledger.sqlite", "ledger.sqlite.lock", "staging"},
        f"left beside the ledger: {internal}",
    )
    ledger = sqlite3.connect(f"file:{lake / '_cdrlake/ledger.sqlite'}?mode=ro", uri=True)
    try:
        checks = [("PRAGMA integrity_check", [("ok",)]), ("PRAGMA foreign_key_check", [])]
        checks += [("SELECT run FROM runs WHERE status <> 'published'", [])]
        for query, expected in checks:
            found = ledger.execute(query).fetchall()
            expect(found == expected, f"{query} gives {found}")
        files = dict(ledger.execute("SELECT path, rows FROM files WHERE staged IS NULL"))
        columns = "status, records_written, records_rejected, rejects_state, run, content_hash"
        sources = ledger.execute(f"SELECT name, {columns} FROM sources ORDER BY source").fetchall()
    finally:
        ledger.close()
    there = {str(path) for path in visible_files(lake)} - {SOURCES}
    expect(there == set(files), f"files {sorted(there)}, in the ledger {sorted(files)}")
    for path, count in files.items():
        [(found,)] = duckdb.sql(f"SELECT count(*) FROM read_parquet('{lake / path}')").fetchall()
        expect(found == count, f"{path} has {found} rows, in the ledger {count}")
    face = duckdb.sql(f"SELECT source, {columns} FROM read_parquet('{lake / SOURCES}')")
    face = face.fetchall()
    expect(face == sources, f"the table of sources tells {face}, the ledger {sources}")


def check_whole(lake, *goldens):
    """At any time: whatever is visible is whole, and a file of one of the golden lakes."""
    if not lake.is_dir():
        return
    for path in visible_files(lake):
        if str(path) == SOURCES:
            duckdb.sql(f"SELECT * FROM read_parquet('{lake / path}')").fetchall()
            continue
        content = (lake / path).read_bytes()
        expect(
            any(golden.get(str(path)) == content for golden in goldens),
            f"{path} is in no golden lake",
        )


def copy(template, directory):
    shutil.rmtree(directory, ignore_errors=True)
    shutil.copytree(template, directory, symlinks=True)
