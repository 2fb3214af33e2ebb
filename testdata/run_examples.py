"""Runs the examples of README and guides, and compares what they print with what is shown.

    target/venv/bin/python testdata/run_examples.py CDRLAKE [--write] [FILE.md ...]

Each page's blocks run in order, in an empty directory of the page's own with `testdata` beside them:

* `sh` by bash, with `cdrlake` (and `cdrlake-sandbox`, if it was built beside it) on the path; variables
  that a block exports are there in the next;
* `sql` by DuckDB; `python` by this Python.

A `text` block right after such a block is what it prints, on standard output and standard error; `…` in it
stands for anything, on a line of its own for any lines. `--write` puts there what was printed. Comments in
front of a block say what a reader need not see:

    <!-- status 3 -->               the exit status is 3
    <!-- not run: why -->           the block is not run; Python is still compiled
    <!-- run ... -->                more shell, such as files that a guide takes to be there
"""

import argparse
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
RUN = ("sh", "sql", "python")
SHOWN = ("text", "toml", "ini", "yaml", "json")
PIECE = re.compile(
    r"^<!-- (?P<mark>status \d+|not run: [^>]+) -->\n"
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
        kept = {name: os.environ[name] for name in ["HOME", "LANG"] if name in os.environ}
        path = f"{tools}:{pathlib.Path(sys.executable).parent}:/usr/bin:/bin"
        self.environment = {**kept, "PATH": path, "TZ": "UTC", "COLUMNS": "100"}
        self.groups = []

    def run(self, kind, body):
        """What a block prints, and its exit status."""
        variables = self.directory / "environment"
        commands = {
            "sh": ["bash", "-e", "-c", f"trap 'env -0 > {variables}' EXIT\n{body}"],
            "sql": [sys.executable, "-c", SQL],
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
            process.communicate(b"" if kind == "sh" else body.encode(), timeout=300)
            output.seek(0)
            printed = output.read().decode()
        if kind == "sh":
            pairs = [pair.partition("=") for pair in variables.read_text().split("\0") if pair]
            self.environment = {name: value for name, _, value in pairs}
        return printed, process.returncode

    def close(self):
        """Ends what blocks left running."""
        for group in self.groups:
            try:
                os.killpg(group, signal.SIGTERM)
            except ProcessLookupError:
                pass


def is_as_shown(printed, shown):
    """Whether what is printed is what is shown, up to `…`."""
    pattern = re.escape(shown.strip("\n"))
    pattern = re.sub(r"(^|\n)…\n", r"\1(?:.*\n)*?", pattern)
    pattern = re.sub(r"\n…$", r"(?:\n.*)*", pattern).replace("…", ".*?")
    lines = (line.rstrip() for line in printed.strip("\n").splitlines())
    return re.fullmatch(pattern, "\n".join(lines)) is not None


def page(path, cdrlake, write):
    """Runs a page, and returns how many blocks ran and which did not, and why."""
    text = path.read_text()
    ran, left_out, new, at = 0, [], [], 0
    mark, printed = None, None
    with tempfile.TemporaryDirectory() as directory:
        place = Place(pathlib.Path(directory), cdrlake)
        try:
            for piece in PIECE.finditer(text):
                line = text.count("\n", 0, piece.start()) + 1
                where = f"{path.relative_to(REPOSITORY)}:{line}"
                body, kind = piece["body"], piece["kind"]
                if piece["mark"]:
                    mark = piece["mark"]
                    continue
                if piece["hidden"] is not None:
                    output, status = place.run("sh", piece["hidden"])
                    if status != 0:
                        raise SystemExit(f"{where}: status {status}\n{output}")
                elif kind in RUN and mark and mark.startswith("not run"):
                    if kind == "python":
                        compile(body, where, "exec")
                    left_out.append(f"{where}: {mark}")
                    printed = None
                elif kind in RUN:
                    expected = int(mark.split()[1]) if mark else 0
                    printed, status = place.run(kind, body)
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
                mark = None
        finally:
            place.close()
    if write:
        path.write_text("".join(new) + text[at:])
    return ran, left_out


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cdrlake", type=pathlib.Path)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("pages", type=pathlib.Path, nargs="*")
    arguments = parser.parse_intermixed_args()
    pages = arguments.pages or [REPOSITORY / "README.md", *sorted(REPOSITORY.glob("docs/*.md"))]
    total, all_left_out = 0, []
    for path in pages:
        ran, left_out = page(path.resolve(), arguments.cdrlake.resolve(), arguments.write)
        print(f"{path.name}: {ran} blocks ran")
        total += ran
        all_left_out += left_out
    print(f"{total} blocks ran; {len(all_left_out)} did not:")
    print("\n".join(f"  {left_out}" for left_out in all_left_out))


if __name__ == "__main__":
    sys.exit(main())
