#!/usr/bin/env python3
"""Holds the normalization of numbers against libphonenumber, by way of the command.

    check_numbers.py CDRLAKE [--numbers N]

For each country valid numbers of every kind are drawn by libphonenumber's own metadata, written in
each form in which a number may be delivered, converted, and read back. What cdrlake and the library
make of a form must be the number it was made from, or differ as `explained` says; the documentation
of `cdrlake_core::normalize` has the same in a table.
"""

import argparse
import collections
import pathlib
import random
import subprocess
import sys
import tempfile

import phonenumbers
import pyarrow.parquet
from phonenumbers import PhoneNumberFormat, PhoneNumberType

TESTDATA = pathlib.Path(__file__).parent
COUNTRIES = "AT BE CA CH CZ DE DK ES FI FR GB HK IE IT JP LU NL NO PL PT RO SE SK US".split()
# Where SIP Trunking numbers come with the country code in front.
SIP_WITH_CODE = "CZ PL RO SK LU FI NO JP".split()
SEED = 42
# A country's numbers that are drawn before another try is given up.
DRAWS = 200
# The table of `normalize`, row by row.
NO_TRUNK_PREFIX = "CA CZ DK ES HK LU NO PL PT US".split()
AREA_LIKE_CODE = "DE NL SE".split()
SHORT_NUMBERS = "NL NO".split()


def is_valid(number, country):
    return phonenumbers.is_valid_number_for_region(number, country)


def kinds(country):
    for kind in PhoneNumberType.values():
        example = phonenumbers.example_number_for_type(country, kind)
        if example is not None and is_valid(example, country):
            yield example


def numbers_of(country, wanted, rng):
    """Valid numbers of all kinds that the country has: its examples with other digits."""
    examples, found = list(kinds(country)), {}
    for _ in range(DRAWS * wanted):
        if len(found) >= wanted:
            break
        example = rng.choice(examples)
        digits = list(phonenumbers.national_significant_number(example))
        for place in range(rng.randrange(1, len(digits)), len(digits)):
            digits[place] = str(rng.randrange(10))
        text = "+" + str(example.country_code) + "".join(digits)
        try:
            number = phonenumbers.parse(text)
        except phonenumbers.NumberParseException:
            continue
        if is_valid(number, country):
            found[text] = number
    return list(found.values())


def forms(country, number):
    """What may be delivered: form, digits, product type."""
    code = str(number.country_code)
    national = phonenumbers.national_significant_number(number)
    yield "international", "00" + code + national, "00"
    yield "plus", "+" + code + national, "00"
    if country == "IT":
        # Its 0 is part of the number.
        yield "as in Italy", national, "00"
    else:
        yield "national", "0" + national, "00"
        yield "with code", code + national, "00"
    if country in SIP_WITH_CODE:
        yield "SIP", code + national, "79"


def by_libphonenumber(form, digits, country):
    """What the library makes of the same digits, dialled in the country."""
    # Not every country dials 00 abroad, but the carrier writes it everywhere.
    digits = "+" + digits[2:] if form == "international" else digits
    try:
        number = phonenumbers.parse(digits, country)
    except phonenumbers.NumberParseException:
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def convert(cdrlake, country, delivered, directory):
    """The E.164 forms of these numbers, as origins of records."""
    sample = (TESTDATA / "valid/DE_SV_00_0001_20110930090122.cdr").read_bytes()[:228]
    source = pathlib.Path(directory) / f"{country}.cdr"
    with open(source, "wb") as file:
        for _, digits, product_type in delivered:
            origin = digits.ljust(20).encode()
            file.write(origin + sample[20:40] + product_type.encode() + sample[42:] + b"\n")
    output = source.with_suffix(".parquet")
    command = [cdrlake, "convert", "-q", "--country", country, source, "-o", output]
    subprocess.run(command, check=True)
    return pyarrow.parquet.read_table(output)["origin_e164"].to_pylist()


def verdict(found, expected):
    return "same" if found == expected else "none" if found is None else "other"


def explained(country, form, number, ours, theirs):
    """Whether it is known why these verdicts differ."""
    significant = phonenumbers.national_significant_number(number)
    # As short as no E.164 number of ours, or too short to tell from a national number.
    is_short = country in SHORT_NUMBERS and len(significant) < 7 and form in ("national", "with code")
    # The carrier writes a 0 before national numbers, the library drops it only where one dials it.
    has_no_trunk_prefix = country in NO_TRUNK_PREFIX and form == "national"
    # Germany has an area 49..., too: the library takes a number without prefix for a national one.
    begins_like_an_area = country in AREA_LIKE_CODE and form == "with code"
    return (ours == "same" or is_short and ours == "none") and (
        theirs == "same" or has_no_trunk_prefix or begins_like_an_area
    )


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("cdrlake")
    arguments.add_argument("--numbers", type=int, default=3000, help="of each country")
    arguments = arguments.parse_args()
    rng = random.Random(SEED)
    table, unexplained = collections.Counter(), []
    with tempfile.TemporaryDirectory() as directory:
        for country in COUNTRIES:
            numbers = numbers_of(country, arguments.numbers, rng)
            if len(numbers) < arguments.numbers:
                print(f"{country}  only {len(numbers)} numbers found in {DRAWS * arguments.numbers} draws")
            delivered = [(number, *form) for number in numbers for form in forms(country, number)]
            found = convert(arguments.cdrlake, country, [form for _, *form in delivered], directory)
            for (number, form, digits, _), ours in zip(delivered, found, strict=True):
                truth = phonenumbers.format_number(number, PhoneNumberFormat.E164)
                theirs = by_libphonenumber(form, digits, country)
                verdicts = verdict(ours, truth), verdict(theirs, truth)
                if not explained(country, form, number, *verdicts):
                    unexplained.append((country, form, digits, ours, theirs))
                table[country, form, *verdicts] += 1
    for (country, form, ours, theirs), count in sorted(table.items()):
        print(f"{country}  {form:<14} {count:>6}  cdrlake {ours:<6} libphonenumber {theirs}")
    if unexplained:
        sys.exit("\n".join(f"not explained: {case}" for case in unexplained))


if __name__ == "__main__":
    main()
