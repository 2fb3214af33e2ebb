#!/usr/bin/env python3
"""Holds generated records against libphonenumber: their numbers are nobody's.

    check_nobody.py CDRLAKE [--records N]

Records of each country and product, and those of the benchmarks, are generated and converted, and each number in
them must be one that regulators set aside for drama, or one of which libphonenumber knows that it is not assigned.
"""

import argparse
import collections
import pathlib
import subprocess
import sys
import tempfile

import phonenumbers
import pyarrow.parquet

COUNTRIES = "AT BE CA CH CZ DE DK ES FI FR GB HK IE IT JP LU NL NO PL PT RO SE SK US".split()
PRODUCTS = "00 10 11 12 15 19 20".split()
COLUMNS = "origin_e164 destination_e164 charged_number_e164 dialled_number_e164".split()
# What regulators set aside, as they write it; x is any digit.
DRAMA = """
+49 30 23125 xxx, +49 69 90009 xxx, +49 40 66969 xxx, +49 221 4710 xxx, +49 89 99998 xxx
+33 1 99 00 xx xx, +33 2 61 91 xx xx, +33 3 53 01 xx xx, +33 4 65 71 xx xx, +33 5 36 49 xx xx, +33 6 39 98 xx xx
+44 1632 960xxx, +44 20 7946 0xxx, +44 113 496 0xxx, +44 121 496 0xxx, +44 161 496 0xxx, +44 7700 900xxx
+44 3069 990xxx, +44 8081 570xxx, +353 20 91x xxxx, +1 xxx 555 01xx
+46 70 174 060x, +46 70 174 061x, +46 70 174 062x, +46 70 174 063x, +46 70 174 064x
+46 70 174 065x, +46 70 174 066x, +46 70 174 067x, +46 70 174 068x, +46 70 174 069x
"""
PATTERNS = [pattern.replace(" ", "") for line in DRAMA.split("\n") for pattern in line.split(",") if pattern]


def is_drama(number):
    """Whether it is set aside; masked digits are unknown ones of those set aside."""
    if "+46701740600" <= number <= "+46701740604":
        return False
    return any(
        len(number) == len(pattern) and all(p in ("x", n) or n == "x" for n, p in zip(number, pattern))
        for pattern in PATTERNS
    )


def is_assigned(number):
    """Whether libphonenumber takes it for valid, for any digit in place of each masked one."""
    candidates = {number.replace("x", digit) for digit in "0123456789"}
    return any(phonenumbers.is_valid_number(phonenumbers.parse(text)) for text in candidates)


def numbers(cdrlake, country, product, options, directory):
    """All numbers of the records that the options ask for, in E.164."""
    source = pathlib.Path(directory) / f"{country}_ABC_{product}_0001_20251101090122.cdr"
    output = source.with_suffix(".parquet")
    subprocess.run([cdrlake, "generate", "-q", *options, "-o", source], check=True)
    subprocess.run([cdrlake, "convert", "-q", source, "-o", output], check=True)
    table = pyarrow.parquet.read_table(output, columns=[*COLUMNS, "origin", "account_code"])
    found = {number for name in COLUMNS for number in table[name].to_pylist() if number}
    # Another party's number is delivered in the national form, and has no column in E.164.
    pairs = zip(table["origin"].to_pylist(), table["account_code"].to_pylist(), strict=True)
    others = {account_code for origin, account_code in pairs if account_code and account_code != origin}
    return found | {in_e164(number, country) for number in others}


def in_e164(national, country):
    assert national.startswith("0") and not national.startswith("00"), "an account code in another form"
    digits = national if country == "IT" else national[1:]
    return f"+{phonenumbers.country_code_for_region(country)}{digits}"


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("cdrlake")
    arguments.add_argument("--records", type=int, default=2000, help="of each country and product")
    arguments = arguments.parse_args()
    counts, somebodys = collections.Counter(), []
    records = ["--records", str(arguments.records)]
    runs = [(c, p, ["--country", c, "--product", p, *records]) for c in COUNTRIES for p in PRODUCTS]
    # The workload of the benchmarks is British SIP Trunking.
    runs.append(("GB", "10", ["--frozen", *records]))
    for country, product, options in runs:
        with tempfile.TemporaryDirectory() as directory:
            found = numbers(arguments.cdrlake, country, product, options, directory)
        if not found:
            sys.exit(f"no numbers to look at: {options}")
        for number in found:
            kind = "drama" if is_drama(number) else "assigned" if is_assigned(number) else "unassigned"
            counts[kind] += 1
            somebodys += [(country, product, number)] if kind == "assigned" else []
    print(", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())))
    if somebodys:
        sys.exit("\n".join(f"may be somebody's: {case}" for case in somebodys[:50]))


if __name__ == "__main__":
    main()
