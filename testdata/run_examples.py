"""Runs the examples of README and guides, and compares what they print with what is shown.

    target/venv/bin/python testdata/run_examples.py CDRLAKE [--all] [--write] [FILE.md ...]

Each page's blocks run in order, in an empty directory of the page's own with `testdata` beside them:

* `sh` by bash, with `cdrlake` (and `cdrlake-sandbox`, if it was built beside it) on the path; variables
  that a block exports are there in the next;
* `sql` by DuckDB; `python` by this Python;
* `crontab` by `sh`, line by line, with as little of an environment as cron gives.

A `text` block right after such a block is what it prints, on standard output and standard error; `…` in it
stands for anything, on a line of its own for any lines. `--write` puts there what was printed. Comments in
front of a block say what a reader need not see:

    <!-- status 3 -->               the exit status is 3
    <!-- needs MODULE -->           the block is left out where this Python has no such module; with
                                    `--all` that is an error
    <!-- parsed as DIALECT -->      SQL of another engine: sqlglot parses it, and of a table that it makes
                                    the lake must have the columns
    <!-- served: TEXT -->           the block runs in the repository and is left running once it has
                                    printed this
    <!-- not run: why -->           the block is not run; Python is still compiled
    <!-- run ... -->                more shell, such as files that a guide takes to be there
"""

import argparse
import importlib.util
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
RUN = ("sh", "sql", "python", "crontab")
SHOWN = ("text", "toml", "ini", "yaml", "json")
PIECE = re.compile(
    r"^<!-- (?P<mark>(?P<what>status|needs|parsed as|served:|not run:) (?P<detail>[^>]+)) -->\n"
    r"|^<!-- run\n(?P<hidden>.*?)^-->\n"
    r"|^```(?P<kind>\w*)\n(?P<body>.*?)^```\n",
    re.MULTILINE | re.DOTALL,
)
SQL = """import sys, duckdb
connection = duckdb.connect()
for statement in connection.extract_statements(sys.stdin.read()):
    relation = connection.sql(statement)
    if relation is not None:
        relation.show(max_width=200)
"""


# What is found wrong is raised; what is parsed to no more than words is wrong, too.
PARSE = """import sys, duckdb, sqlglot
for statement in sqlglot.parse(sys.stdin.read(), dialect=sys.argv[1]):
    if isinstance(statement, sqlglot.exp.Command) and statement.this.upper() == "CALL":
        called = sqlglot.parse_one(f"select {statement.expression.name}", dialect=sys.argv[1])
        assert called.find(sqlglot.exp.Func), f"calls nothing: {statement}"
    else:
        assert not statement.find(sqlglot.exp.Command), f"cannot be parsed: {statement}"
    if isinstance(statement, sqlglot.exp.Create):
        names = ", ".join(column.name for column in statement.this.expressions)
        duckdb.sql(f"select {names} from read_parquet('lake/calls/*/*.parquet', hive_partitioning = true)")
"""
CRON_LINE = re.compile(r"(?:[\d*/,-]+\s+){5}(?P<command>.+)")


class Place:
    """Where a page's blocks run."""

    def __init__(self, directory, cdrlake):
        self.directory = directory
        tools, self.work = directory / "bin", directory / "work"
        tools.mkdir()
        self.work.mkdir()
        (self.work / "testdata").symlink_to(REPOSITORY / "testdata")
        for tool in [cdrlake, cdrlake.with_name("cdrlake-sandbox")]:
            (tools / tool.name).symlink_to(tool)
        kept = ["HOME", "LANG", "CARGO_HOME", "CARGO_TARGET_DIR", "RUSTUP_HOME"]
        kept = {name: os.environ[name] for name in kept if name in os.environ}
        path = f"{tools}:{pathlib.Path(sys.executable).parent}:/usr/bin:/bin"
        self.environment = {**kept, "PATH": path, "TZ": "UTC", "COLUMNS": "100"}
        self.groups = []

    def run(self, kind, body, dialect=None):
        """What a block prints, and its exit status."""
        if kind == "crontab":
            return self.run_crontab(body)
        variables = self.directory / "environment"
        commands = {
            "sh": ["bash", "-e", "-c", f"trap 'env -0 > {variables}' EXIT\n{body}"],
            "sql": [sys.executable, "-c", *([PARSE, dialect] if dialect else [SQL])],
            "python": [sys.executable, "-"],
        }
        # To a file: what a block leaves running holds its output open.
        with tempfile.TemporaryFile() as output:
            process = subprocess.Popen(
                commands[kind],
                cwd=self.work,
                env=self.environment,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self.groups.append(process.pid)
            process.communicate(b"" if kind == "sh" else body.encode(), timeout=600)
            output.seek(0)
            printed = output.read().decode()
        if kind == "sh":
            pairs = [pair.partition("=") for pair in variables.read_text().split("\0") if pair]
            self.environment = {name: value for name, _, value in pairs}
        return printed, process.returncode

    def run_crontab(self, body):
        """What the commands of a crontab print, and the first exit status that is not 0."""
        environment = {"HOME": str(self.work), "PATH": self.environment["PATH"], "SHELL": "/bin/sh"}
        printed = ""
        for line in body.splitlines():
            if line.startswith("#"):
                continue
            command = ["/bin/sh", "-c", CRON_LINE.fullmatch(line)["command"]]
            done = subprocess.run(command, cwd=self.work, env=environment, timeout=300, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            printed += done.stdout
            if done.returncode != 0:
                return printed, done.returncode
        return printed, 0

    def serve(self, body, text):
        """Leaves a block running, once it has printed this text; what it printed, and its status."""
        cargo = pathlib.Path(shutil.which("cargo") or "cargo").parent
        environment = {**self.environment, "PATH": f"{self.environment['PATH']}:{cargo}"}
        log = self.directory / "served"
        with log.open("wb") as output:
            process = subprocess.Popen(["bash", "-e", "-c", body], cwd=REPOSITORY, env=environment, stdout=output,
                                       stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT, start_new_session=True)
        self.groups.append(process.pid)
        for _ in range(6000):
            printed = log.read_text()
            if text in printed or process.poll() is not None:
                break
            time.sleep(0.1)
        return printed, process.poll() or 0 if text in printed else 1

    def close(self):
        """Ends what blocks left running."""
        for group in self.groups:
            try:
                os.killpg(group, signal.SIGTERM)
            except ProcessLookupError:
                pass


def is_as_shown(printed, shown):
    """Whether what is printed is what is shown, up to `…`."""
    def pattern(line):
        return r"(?:.*\n)*?" if line == "…" else re.escape(line).replace("…", ".*?") + r"\n"

    lines = "".join(f"{line.rstrip()}\n" for line in printed.strip("\n").splitlines())
    return re.fullmatch("".join(map(pattern, shown.strip("\n").splitlines())), lines) is not None


def why_left_out(what, detail):
    """Why a block that is marked so is not run, if it is not."""
    module = {"needs": detail, "parsed as": "sqlglot"}.get(what)
    if what == "not run:":
        return detail
    if module and importlib.util.find_spec(module) is None:
        return f"there is no module {module} here"
    return None


def page(path, cdrlake, write, run_all):
    """Runs a page; gives how many blocks ran, which of them were only parsed, and which did not run."""
    text = path.read_text()
    ran, parsed, left_out, new, at = 0, [], [], [], 0
    what, detail, printed = None, None, None
    with tempfile.TemporaryDirectory() as directory:
        place = Place(pathlib.Path(directory), cdrlake)
        try:
            for piece in PIECE.finditer(text):
                line = text.count("\n", 0, piece.start()) + 1
                where = f"{path.relative_to(REPOSITORY)}:{line}"
                body, kind = piece["body"], piece["kind"]
                if piece["mark"]:
                    what, detail = piece["what"], piece["detail"]
                    continue
                if piece["hidden"] is not None:
                    output, status = place.run("sh", piece["hidden"])
                    if status != 0:
                        raise SystemExit(f"{where}: status {status}\n{output}")
                elif kind in RUN and (why := why_left_out(what, detail)):
                    if run_all and what != "not run:":
                        raise SystemExit(f"{where}: {why}")
                    if kind == "python":
                        compile(body, where, "exec")
                    left_out.append(f"{where}: {why}")
                    printed = None
                elif kind in RUN:
                    expected = int(detail) if what == "status" else 0
                    if what == "served:":
                        printed, status = place.serve(body, detail)
                    else:
                        printed, status = place.run(kind, body, detail if what == "parsed as" else None)
                    if what == "parsed as":
                        parsed.append(f"{where}: parsed as {detail}")
                    if status != expected:
                        raise SystemExit(f"{where}: status {status}, not {expected}\n{printed}")
                    ran += 1
                    end = piece.end()
                elif kind == "text" and printed is not None and not text[end : piece.start()].strip():
                    if write and not is_as_shown(printed, body):
                        lines = "".join(f"{line.rstrip()}\n" for line in printed.splitlines())
                        new += [text[at : piece.start("body")], lines]
                        at = piece.end("body")
                    elif not is_as_shown(printed, body):
                        raise SystemExit(f"{where}: shows\n{body}\nbut this was printed:\n{printed}")
                    printed = None
                elif kind not in SHOWN:
                    raise SystemExit(f"{where}: a block of unknown kind {kind!r}")
                what, detail = None, None
        finally:
            place.close()
    if write:
        path.write_text("".join(new) + text[at:])
    return ran, parsed, left_out


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cdrlake", type=pathlib.Path)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("pages", type=pathlib.Path, nargs="*")
    arguments = parser.parse_intermixed_args()
    pages = arguments.pages or [REPOSITORY / "README.md", *sorted(REPOSITORY.glob("docs/*.md"))]
    total, all_parsed, all_left_out = 0, [], []
    for path in pages:
        ran, parsed, left_out = page(
            path.resolve(), arguments.cdrlake.resolve(), arguments.write, arguments.all)
        print(f"{path.name}: {ran} blocks ran", flush=True)
        total += ran
        all_parsed += parsed
        all_left_out += left_out
    print(f"{total} blocks ran, {len(all_parsed)} of them only through a parser; {len(all_left_out)} did not:")
    print("\n".join(f"  {told}" for told in all_parsed + all_left_out))


if __name__ == "__main__":
    sys.exit(main())
