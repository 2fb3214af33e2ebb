#!/usr/bin/env python3
"""Holds masked and pseudonymized Parquet files against the same calls in clear.

    check_privacy.py CDRLAKE [DIRECTORY...]

Converts the directories (testdata/valid if there are none) three times with this program, reads what comes of it
with pyarrow, and makes every mask, token and record_id once more with BLAKE3 of PyPI. The function `token`
is the one of docs/privacy.md.
"""

import os
import pathlib
import re
import secrets
import subprocess
import sys
import tempfile

import blake3
import pyarrow.parquet

HERE = pathlib.Path(__file__).parent
KEEP = 6
PAIRS = [
    ("origin", "origin_e164"),
    ("destination", "destination_e164"),
    ("charged_number", "charged_number_e164"),
    ("dialled_number", "dialled_number_e164"),
]
TEXTS = [
    "switch_id", "trunk_incoming", "trunk_outgoing", "pulses_in", "pulses_generated",
    "charge_band", "trailer",
]


def guide():
    """The Python of the guide."""
    text = (HERE.parent / "docs" / "privacy.md").read_text()
    names = {}
    exec(re.search(r"```python\n(.*?)```", text, re.DOTALL).group(1), names)
    return names["token"]


def raw_token(text, key):
    digest = blake3.blake3(b"raw:" + text.encode(), key=key).digest()[:16]
    letters = "abcdefghijklmnop"
    return "p1_" + "".join(letters[byte >> 4] + letters[byte & 15] for byte in digest)


def masked(number):
    plus = number.startswith("+")
    digits = number[plus:]
    kept = max(0, min(KEEP, len(digits) - 4))
    return "+" * plus + digits[:kept] + "x" * (len(digits) - kept)


def blotted(text):
    def blot(run):
        is_counter = len(run[0]) == 6 and run[0].startswith("0000")
        return run[0] if is_counter else "x" * len(run[0])

    return re.sub(r"[0-9]{6,}", blot, text)


def is_short_trunk_id(row):
    digits = sum(digit.isdigit() for digit in row["charged_number"])
    return row["product_type"] in ("79", "80") and digits < 6


def check(clear, private, number):
    """`number` gives what stands for a number as delivered, with its E.164 form if there is one."""
    differences = 0
    for row, other in zip(clear, private, strict=True):
        expected = dict(row)
        for delivered, e164 in PAIRS:
            if row[delivered] is None:
                continue
            if delivered == "charged_number" and is_short_trunk_id(row):
                continue
            # An id's own E.164 is not in the table.
            if delivered == "charged_number" and row["product_type"] in ("79", "80"):
                expected.pop(delivered), other.pop(delivered)
            else:
                expected[delivered] = number(row[delivered], row[e164])
            expected[e164] = row[e164] and number(row[e164], row[e164])
        for column in TEXTS:
            expected[column] = row[column] and blotted(row[column])
        # Most repeat the origin; what others are in E.164 the table does not tell.
        if row["account_code"] == row["origin"]:
            expected["account_code"] = expected["origin"]
        else:
            expected.pop("account_code"), other.pop("account_code")
        for ids in (expected, other):
            ids.pop("record_id")
        for column, value in expected.items():
            if value != other[column]:
                differences += 1
                print(f"{row['source_file']}, record {row['record_number']}: {column} differs")
    return differences


def record_ids(inputs, key):
    """Of the records of plain files, by file and line."""
    ids = {}
    for path in [path for name in inputs for path in sorted(pathlib.Path(name).glob("*.cdr"))]:
        for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
            digest = blake3.blake3(b"record:" + line[:228], key=key).digest()
            ids |= {(path.name, number): digest[:16]} if line else {}
    return ids


def rows(path):
    return pyarrow.parquet.read_table(path).to_pylist()


def main():
    program, inputs = sys.argv[1], sys.argv[2:] or [str(HERE / "valid")]
    token = guide()
    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        key = secrets.token_bytes(32)
        descriptor = os.open(directory / "key", os.O_WRONLY | os.O_CREAT, 0o600)
        os.write(descriptor, key.hex().encode())
        os.close(descriptor)

        def convert(name, *options):
            output = directory / name
            subprocess.run(
                [program, "convert", "--quiet", *inputs, "-o", str(output), *options], check=True
            )
            return rows(output)

        clear = convert("clear.parquet", "--record-id")
        keyed = ["--record-id", "--key-file", str(directory / "key")]
        parties = "origin,destination"
        tokens = convert("tokens.parquet", "--pseudonymize", parties, *keyed)
        masks = convert("masks.parquet", "--mask", parties, "--keep", str(KEEP), *keyed)
        wanted = record_ids(inputs, key)
        for table in (tokens, masks):
            found = {(row["source_file"], row["record_number"]): row["record_id"] for row in table}
            assert wanted and wanted.items() <= found.items(), "record_id is another"
        differences = check(
            clear,
            tokens,
            lambda text, e164: token(e164, key) if e164 else raw_token(text, key),
        )
        differences += check(clear, masks, lambda text, _: masked(text))
        assert clear and not differences, f"{differences} differences"
        print(f"{len(clear)} rows: masks, tokens and identifiers are as they should be")


if __name__ == "__main__":
    main()
