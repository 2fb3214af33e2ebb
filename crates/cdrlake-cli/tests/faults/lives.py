"""Lives of a lake: random operations on an inbox and a lake, each held against a simple model.

    CDRLAKE=target/release/cdrlake target/venv/bin/python crates/cdrlake-cli/tests/faults/lives.py

takes `--operations N` and `--seed S`.

Deliveries come, grow, are corrected, come under other names and numbers, are taken away; they are loaded with every
`--on-changed`, put in another's place with `--replace`, unloaded; the lake is copied and moved, and runs are killed.
After each operation the rows of the lake, read by pyarrow, must be those of the model, the ledger must count them,
and what a run says of each source must be what the model expects. Now and then an audit must find every file as it
should be.
"""

import argparse
import json
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections import Counter

import pyarrow.parquet as pq

CDRLAKE = os.path.abspath(os.environ["CDRLAKE"])
RECORD = 229
DELIVERIES = 6
OF_DELIVERY = 24
POLICIES = ["hold", "supersede", "both", "skip"]
#: Names of a delivery's file: the carrier's, and what copies and downloads make of it.
NAMES = ["{}.cdr", "{}_1a2b3c4d.cdr", "Copy of {}.cdr", "{} (2).cdr", "{}.cdr.1", "{}.cdr~", "{lower}.cdr"]

#: Findings that no life of a lake may lead to.
WRONG = {"file_changed", "file_differs", "source_differs", "damaged_file", "missing_file", "unknown_file"}

Content = tuple[int, ...]


def stem(delivery: int) -> str:
    return f"GB_ABC_10_{delivery + 1:04}_2025100{delivery + 1}170151"


class Model:
    """What should be true of a lake."""

    def __init__(self) -> None:
        #: The contents that are loaded, by delivery or, without one, by path.
        self.loaded: dict[str, list[Content]] = {}
        #: What became of contents that are not loaded and are to stay out.
        self.out: dict[Content, str] = {}
        #: Contents with which deliveries came, and which others held already.
        self.noted: dict[str, set[Content]] = {}
        #: The same, before another version of them was loaded.
        self.closed: dict[str, set[Content]] = {}

    def rows(self) -> Counter[int]:
        return Counter(record for contents in self.loaded.values() for content in contents for record in content)

    def all_loaded(self) -> set[Content]:
        return {content for contents in self.loaded.values() for content in contents}

    def convert(self, files: list[tuple[str, str | None, Content]], policy: str) -> dict[str, str]:
        """Loads an inbox: paths, deliveries and contents, in the order in which they are met."""
        statuses: dict[str, str] = {}
        candidates = []
        holders = {content: key for key, contents in self.loaded.items() for content in contents}
        first: dict[Content, tuple[str, str | None]] = {}
        for path, delivery, content in files:
            if content in first or content in holders:
                statuses[path] = "same"
            elif content in self.out:
                statuses[path] = self.out[content]
            else:
                first[content] = (path, delivery)
                candidates.append((path, delivery, content))
        superseding = set()
        by_content: dict[Content, str] = {}
        noted = {delivery: set(contents) for delivery, contents in self.noted.items()}
        of_others: dict[str, list[Content]] = {}
        for path, delivery, content in candidates:
            current = self.loaded.setdefault(delivery or path, [])
            statuses[path] = "loaded"
            if delivery and delivery not in of_others:
                held = noted.get(delivery, set())
                of_others[delivery] = [c for c in held if holders.get(c, delivery) != delivery]
            others = of_others[delivery] if delivery else []
            if (current or others) and delivery and policy != "both":
                is_held = any(holders[c].startswith("GB_") for c in others)
                statuses[path] = self.version([*current, *others], content, policy, is_held)
            if statuses[path] == "loaded":
                if delivery and policy != "both":
                    if current or others:
                        superseding.add(path)
                    free = [c for c in others if not holders[c].startswith("GB_")]
                    for earlier in [*current, *free]:
                        self.out[earlier] = "superseded"
                        if earlier in by_content:
                            statuses[by_content[earlier]] = "superseded"
                    for earlier in free:
                        self.loaded[holders[earlier]].remove(earlier)
                    current.clear()
                    of_others[delivery] = []
                current.append(content)
                by_content[content] = path
            elif statuses[path] == "excluded":
                self.out[content] = "excluded"
        for path, delivery, content in files:
            twin, of_twin = first.get(content, (path, delivery))
            if twin != path and statuses[twin] in ("held", "excluded"):
                statuses[path] = "same" if of_twin == delivery else "held"
            elif statuses[path] == "same" and delivery:
                holder = holders.get(content, of_twin or twin)
                if holder != delivery and content not in self.closed.get(delivery, ()):
                    self.noted.setdefault(delivery, set()).add(content)
            if path in superseding:
                self.close(delivery)
        return statuses

    @staticmethod
    def version(current: list[Content], content: Content, policy: str, is_held: bool) -> str:
        old, new = Counter(record for one in current for record in one), Counter(content)
        shared = (old & new).total()
        holds_all = shared == old.total() and new.total() >= old.total()
        is_like = policy == "supersede" and 2 * shared >= old.total() and shared < new.total()
        if (holds_all or is_like) and not is_held:
            return "loaded"
        return "excluded" if policy == "skip" else "held"

    def replace(self, path: str, delivery: str | None, content: Content) -> None:
        """A file is named itself, to be put in the place of whatever version there is."""
        key = delivery or path
        holders = {held: holder for holder, contents in self.loaded.items() for held in contents}
        for contents in self.loaded.values():
            if content in contents and contents is not self.loaded.get(key):
                contents.remove(content)
        current = self.loaded.setdefault(key, [])
        if delivery and content not in current:
            others = [c for c in self.noted.get(delivery, ()) if holders.get(c, delivery) != delivery and c != content]
            for earlier in others:
                if not holders[earlier].startswith("GB_"):
                    self.out[earlier] = "superseded"
                    self.loaded[holders[earlier]].remove(earlier)
            self.out |= dict.fromkeys(current, "superseded")
            if current or others:
                self.close(delivery)
            current.clear()
        if content not in current:
            current.append(content)
        self.out.pop(content, None)

    def close(self, delivery: str) -> None:
        """Another version of a delivery has the place of those that others hold."""
        self.closed.setdefault(delivery, set()).update(self.noted.pop(delivery, ()))

    def unload(self, key: str) -> None:
        self.out |= dict.fromkeys(self.loaded[key], "unloaded")
        self.loaded[key] = []


class Life:
    def __init__(self, directory: pathlib.Path, seed: int) -> None:
        self.directory, self.random = directory, random.Random(seed)
        self.inbox, self.lake = directory / "in", directory / "L"
        self.inbox.mkdir()
        records = str(DELIVERIES * OF_DELIVERY)
        self.run("generate", "-q", "--records", records, "--from", "2025-10-01", "-o", "pool.cdr")
        pool = (directory / "pool.cdr").read_bytes()
        self.records = [pool[at : at + RECORD] for at in range(0, len(pool), RECORD)]
        self.numbers = {key(record): number for number, record in enumerate(self.records)}
        assert len(self.numbers) == len(self.records), "the records of the pool cannot be told apart"
        self.files: dict[str, tuple[str | None, Content]] = {}
        self.model = Model()
        self.done = ""

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [CDRLAKE, *arguments]
        return subprocess.run(command, cwd=self.directory, capture_output=True, text=True, check=False)

    def step(self) -> None:
        operations = [(self.put, 10), (self.take_away, 2), (self.convert, 8), (self.replace, 2), (self.unload, 2)]
        operations += [(self.move, 1), (self.kill, 1)]
        functions, weights = zip(*operations, strict=True)
        self.random.choices(functions, weights)[0]()
        self.check()

    def put(self) -> None:
        """A file comes: any version of a delivery, another delivery's content, or a file without a carrier's name."""
        delivery = self.random.randrange(DELIVERIES)
        first = delivery * OF_DELIVERY
        kind = self.random.choice(["grown", "grown", "other", "borrowed", "nameless"])
        if kind == "grown":
            content = tuple(range(first, first + self.random.randint(1, 12)))
        elif kind == "borrowed" and self.files:
            content = self.random.choice(list(self.files.values()))[1]
        else:
            content = tuple(sorted(self.random.sample(range(first, first + OF_DELIVERY), self.random.randint(1, 14))))
        # Some calls come twice in one delivery.
        if kind == "other" and self.random.random() < 0.3:
            content = (*content, content[-1])
        if kind == "nameless":
            name, told = f"calls {self.random.randrange(3)}.cdr", None
        else:
            told = stem(delivery)
            name = self.random.choice(NAMES).format(told, lower=told.lower())
        self.files[name] = (told, content)
        (self.inbox / name).write_bytes(b"".join(self.records[number] for number in content))
        self.done = f"put {name} {content}"

    def take_away(self) -> None:
        if self.files:
            name = self.random.choice(list(self.files))
            (self.inbox / name).unlink()
            del self.files[name]
            self.done = f"take away {name}"

    def met(self) -> list[tuple[str, str | None, Content]]:
        names = sorted(self.files, key=os.fsencode)
        return [(f"in/{name}", *self.files[name]) for name in names]

    def convert(self) -> None:
        policy = self.random.choice(POLICIES)
        self.done = f"convert --on-changed {policy}"
        ended = self.run("convert", "-q", "in", "-o", "L", "--on-changed", policy, "--report", "report.json")
        assert ended.returncode in (0, 3, 4), ended
        report = json.loads((self.directory / "report.json").read_text())
        expected = self.model.convert(self.met(), policy)
        found = {source["source"]: source["status"] for source in report["sources"]}
        assert found == expected, (found, expected)
        is_news = any(s["status"] in ("held", "failed") and not s["known_before"] for s in report["sources"])
        is_open = any(s["known_before"] for s in report["sources"])
        assert ended.returncode == (4 if is_news else 3 if is_open else 0), (ended, report)
        assert is_news <= ("held" in expected.values()), expected

    def replace(self) -> None:
        if self.files:
            path, delivery, content = self.random.choice(self.met())
            self.done = f"convert --replace {path}"
            ended = self.run("convert", "-q", path, "-o", "L", "--replace")
            assert ended.returncode == 0, ended
            self.model.replace(path, delivery, content)

    def unload(self) -> None:
        keys = [key for key, contents in self.model.loaded.items() if len(contents) == 1]
        if keys:
            key_ = self.random.choice(keys)
            self.done = f"unload {key_}"
            ended = self.run("unload", "-q", "L", key_)
            assert ended.returncode == 0, ended
            self.model.unload(key_)

    def move(self) -> None:
        if self.lake.exists():
            self.done = "copy the lake, and go on with the copy"
            shutil.copytree(self.lake, self.directory / "copy")
            shutil.rmtree(self.lake)
            (self.directory / "copy").rename(self.lake)

    def kill(self) -> None:
        """A run is killed; the next one brings the lake to where it would have been."""
        policy = self.random.choice(POLICIES)
        self.done = f"kill a convert --on-changed {policy}, and do it again"
        command = [CDRLAKE, "convert", "-q", "in", "-o", "L", "--on-changed", policy]
        process = subprocess.Popen(command, cwd=self.directory, stderr=subprocess.DEVNULL)
        time.sleep(self.random.random() * 0.03)
        process.send_signal(signal.SIGKILL)
        process.wait()
        ended = self.run(*command[1:])
        assert ended.returncode in (0, 3, 4), ended
        self.model.convert(self.met(), policy)

    def check(self) -> None:
        found: Counter[int] = Counter()
        for path in (self.lake / "calls").rglob("*.parquet"):
            file = pq.ParquetFile(path, page_checksum_verification=True)
            self.check_provenance(file)
            table = file.read(["origin", "destination", "start_time"])
            for origin, destination, start in zip(*(column.to_pylist() for column in table.columns), strict=True):
                found[self.numbers[f"{origin or ''} {destination or ''} {start:%Y%m%d%H%M%S}"]] += 1
        expected = self.model.rows()
        assert found == expected, {"too many": found - expected, "too few": expected - found}
        if (self.lake / "_cdrlake/ledger.sqlite").exists():
            ledger = sqlite3.connect(f"file:{self.lake / '_cdrlake/ledger.sqlite'}?mode=ro", uri=True)
            sql = "SELECT coalesce(sum(records_written), 0) FROM sources WHERE status = 'loaded'"
            assert ledger.execute(sql).fetchone() == (expected.total(),)
            ledger.close()

    @staticmethod
    def check_provenance(file: pq.ParquetFile) -> None:
        """Each row tells the hash of the source that the file's metadata tells of it."""
        found = file.read(["source_hash"]).column(0).to_pylist()
        expected: list[bytes | None] = [None] * len(found)
        for source in json.loads(file.metadata.metadata[b"cdrlake.sources"]):
            for first, rows in source["rows"]:
                expected[first : first + rows] = [bytes.fromhex(source["hash"])[:16]] * rows
        assert found == expected, "rows tell other sources than their file"

    def audit(self) -> None:
        if self.lake.exists():
            ended = self.run("audit", "L", "--verify", "--today", "2025-10-08", "--json")
            findings = [finding for audit in json.loads(ended.stdout)["audits"] for finding in audit["findings"]]
            wrong = [finding for finding in findings if finding["kind"] in WRONG]
            assert not wrong, wrong


def key(record: bytes) -> str:
    text = record.decode()
    return f"{text[:20].strip()} {text[20:40].strip()} {text[42:56]}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--operations", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        life = Life(pathlib.Path(directory), arguments.seed)
        for number in range(arguments.operations):
            try:
                life.step()
                if number % 25 == 24:
                    life.audit()
            except (AssertionError, KeyError) as error:
                raise SystemExit(f"seed {arguments.seed}, operation {number}, {life.done}: {error}") from error
    print(f"{arguments.operations} operations: the lake is as the model has it after each")


if __name__ == "__main__":
    main()
