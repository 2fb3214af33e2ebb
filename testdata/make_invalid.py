#!/usr/bin/env python3
"""Makes testdata/invalid/ and testdata/index.tsv from the carrier's Voice Line samples.

Each file is the three sample records with one thing wrong or odd, mostly in the second. The index
says what must come of it; it is written here by hand, not by the program under test.
"""

import bz2
import gzip
import io
import lzma
import pathlib
import struct
import tarfile
import zipfile
import zlib

HERE = pathlib.Path(__file__).parent
SAMPLE = (HERE / "valid/DE_SV_00_0001_20110930090122.cdr").read_bytes()
FIRST, SECOND, THIRD = (line + b"\n" for line in SAMPLE.splitlines())

FILES = {}
ROWS = []


def row(name, options="", records=3, blank=0, rejects=(), warnings=(), error=""):
    """`rejects` as line:byte:code:field, `-` for no field; `error` is why the source fails."""
    ROWS.append((name, options, records, blank, " ".join(rejects), " ".join(warnings), error))


def file(name, content, **expected):
    FILES[name] = content
    row(name, **expected)


def second(offset, value):
    """The sample with bytes of the second record replaced."""
    return FIRST + SECOND[:offset] + value + SECOND[offset + len(value):] + THIRD


# Framing.
file("carriage_return.cdr", SAMPLE.replace(b"\n", b"\r\n"), warnings=["carriage_return=3"])
row("carriage_return.cdr", "--strict", 0,
    rejects=["1:0:carriage_return:-", "2:230:carriage_return:-", "3:460:carriage_return:-"])
file("trailing_bytes.cdr", FIRST + SECOND[:-1] + b" PBW2S\n" + THIRD,
     warnings=["trailing_bytes=1"])
row("trailing_bytes.cdr", "--strict", 2, rejects=["2:229:trailing_bytes:trailer"])
file("trailing_bytes_carriage_return.cdr", FIRST + SECOND[:-1] + b" PBW2S\r\n" + THIRD,
     warnings=["carriage_return=1", "trailing_bytes=1"])
row("trailing_bytes_carriage_return.cdr", "--strict", 2, rejects=["2:229:carriage_return:-"])
file("longest_trailer.cdr", FIRST + SECOND[:-1] + b"x" * 64 + b"\n" + THIRD,
     warnings=["trailing_bytes=1"])
file("blank_lines.cdr", FIRST + b"\n\r\n" + SECOND + b"\n" + THIRD, blank=3)
file("missing_line_feed.cdr", SAMPLE[:-1], warnings=["missing_line_feed=1"])
row("missing_line_feed.cdr", "--strict", 2, rejects=["3:458:missing_line_feed:-"])
file("missing_line_feed_substitute.cdr", SAMPLE[:-1] + b"\r\x1a",
     warnings=["carriage_return=1", "missing_line_feed=1"])
file("only_substitute_at_end.cdr", SAMPLE + b"\x1a", blank=1)
file("short_record.cdr", FIRST + SECOND[:100] + b"\n" + THIRD, records=2,
     rejects=["2:229:short_record:-"])
file("short_record_at_end.cdr", FIRST + SECOND + THIRD[:227], records=2,
     rejects=["3:458:short_record:-"])
file("line_feed_inside.cdr", second(100, b"\n"), records=2,
     rejects=["2:229:short_record:-", "3:330:short_record:-"])
file("long_record.cdr", FIRST + SECOND[:-1] + b"x" * 65 + b"\n" + THIRD, records=2,
     rejects=["2:229:long_record:-"])
file("long_record_without_end_of_record.cdr",
     FIRST + SECOND[:227] + b" PBW2S\n" + THIRD, records=2, rejects=["2:229:long_record:-"])
file("two_records_in_a_line.cdr", FIRST[:-1] + SECOND + THIRD, records=1,
     rejects=["1:0:long_record:-"])

# Validation, in wire order.
FIELD = "2:229:%s:%s"
for name, offset, value, code, field in [
    ("not_ascii_origin", 3, b"\xe9", "not_ascii", "origin"),
    ("not_ascii_carrier", 226, b"\x00", "not_ascii", "carrier"),
    ("not_ascii_before_value", 42, b"2011\xff931", "not_ascii", "date"),
    ("invalid_product_type", 40, b"0 ", "invalid_product_type", "product_type"),
    ("invalid_date", 42, b"20110931", "invalid_date", "date"),
    ("invalid_date_year", 42, b"21010101", "invalid_date", "date"),
    ("invalid_time", 50, b"24000000", "invalid_time", "time"),
    ("invalid_time_fraction", 56, b"0-", "invalid_time", "time"),
    ("invalid_duration", 58, b"   1 3  ", "invalid_duration", "duration"),
    ("invalid_duration_blank", 58, b"        ", "invalid_duration", "duration"),
    ("invalid_continuation", 66, b"4", "invalid_continuation", "continuation"),
    ("invalid_end_of_record", 227, b"1", "invalid_end_of_record", "end_of_record"),
    # The product type then ends the destination, which is two digits, too.
    ("shifted_by_one", 0, b" " + SECOND[:227], "invalid_date", "date"),
]:
    file(f"{name}.cdr", second(offset, value), records=2, rejects=[FIELD % (code, field)])
file("not_ascii_trailer.cdr", FIRST + SECOND[:-1] + b" PB\x002S\n" + THIRD, records=2,
     rejects=["2:229:not_ascii:trailer"])
file("unknown_product_type.cdr", second(40, b"42"), warnings=["unknown_product_type=1"])
row("unknown_product_type.cdr", "--strict", 2, rejects=["2:229:unknown_product_type:product_type"])

# Whole sources.
file("empty.cdr", b"", records=0)
file("not_cdr.cdr", b"origin,destination\n1,2\n", records=0, error="is not a CDR file: 2 lines")
row("invalid_date.cdr", "--max-rejects 0", 0, error="has more rejects than 0: 1 among 3 records")
row("invalid_date.cdr", "--max-rejects 33%", 0,
    error="has more rejects than 33%: 1 among 3 records")
row("invalid_date.cdr", "--max-rejects 34%", 2, rejects=["2:229:invalid_date:date"])

# Containers.
member = gzip.compress(SAMPLE, 9, mtime=0)
file("two_members.cdr.gz", gzip.compress(FIRST, 9, mtime=0) + gzip.compress(SECOND + THIRD, 9, mtime=0))
file("zeros_after_last_member.cdr.gz", member + bytes(512), warnings=["trailing_zeros=1"])
file("empty_member.cdr.gz", gzip.compress(b"", 9, mtime=0), records=0)
file("truncated.cdr.gz", member[:-30], records=0, error="gzip stream is cut off")
file("wrong_checksum.cdr.gz", member[:-8] + b"\0\0\0\0" + member[-4:], records=0,
     error="gzip stream is damaged")
file("garbage_after_last_member.cdr.gz", member + b"garbage", records=0,
     error="gzip stream is damaged: garbage after the last member")
file("plain_named_gzip.cdr.gz", SAMPLE, records=0, error="is no gzip file, though its name says so")
file("empty_named_gzip.cdr.gz", b"", records=0, error="is no gzip file, though its name says so")
file("gzip_named_plain.cdr", member)
file("bzip2.cdr.bz2", bz2.compress(SAMPLE), records=0, error="holds bzip2 data")
file("xz.cdr.xz", lzma.compress(SAMPLE), records=0, error="holds xz data")


def archive(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members:
            info = zipfile.ZipInfo(name, (2011, 9, 30, 9, 1, 22))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return buffer.getvalue()


plain = archive([("a.cdr", SAMPLE)])
file("truncated.cdr.zip", plain[:-10], records=0, error="cannot be read as a zip archive")
file("plain_named_zip.cdr.zip", SAMPLE, records=0, error="is no zip file, though its name says so")
encrypted = bytearray(plain)
for signature, offset in [(b"PK\x03\x04", 6), (b"PK\x01\x02", 8)]:
    encrypted[plain.index(signature) + offset] |= 1
file("encrypted.cdr.zip", bytes(encrypted), records=0, error="is encrypted; decrypt it first")
damaged = bytearray(plain)
damaged[plain.index(b"PK\x03\x04") + 14 + 40] ^= 0xFF
file("damaged_member.cdr.zip", bytes(damaged), records=0, error="cannot be read to its end")

file("comment.cdr.zip", plain[:-2] + struct.pack("<H", 5) + b"hello")
file("zeros_after_end.cdr.zip", plain + bytes(100), warnings=["trailing_zeros=1"])
for name, garbage in [("garbage", b"garbage"), ("another_zip", plain),
                      ("zeros_and_garbage", bytes(100) + b"garbage")]:
    file(f"{name}_after_end.cdr.zip", plain + garbage, records=0,
         error="cannot be read as a zip archive")
# What calls itself a directory, and has content, is a file.
file("directory_with_content.cdr.zip",
     archive([("empty/", b""), ("x.cdr/", FIRST), ("y.cdr\\", SECOND), ("z.cdr", THIRD)]))


class Unseekable(io.RawIOBase):
    """Makes zipfile write lengths behind the content, in data descriptors."""

    def __init__(self):
        self.written = b""

    def writable(self):
        return True

    def write(self, content):
        self.written += bytes(content)
        return len(content)


unseekable = Unseekable()
with zipfile.ZipFile(unseekable, "w") as streamed:
    for method, content in [(zipfile.ZIP_DEFLATED, FIRST + SECOND), (zipfile.ZIP_STORED, THIRD)]:
        info = zipfile.ZipInfo(f"{method}.cdr", (2011, 9, 30, 9, 1, 22))
        info.compress_type = method
        streamed.writestr(info, content)
file("data_descriptors.cdr.zip", unseekable.written)

twice = bytearray(archive([("a.cdr", FIRST), ("b.cdr", SECOND)]))
while b"b.cdr" in twice:
    twice[twice.index(b"b.cdr")] = ord("a")
file("two_members_of_one_name.cdr.zip", bytes(twice), records=0, error="duplicate file names")


def raw_zip(entries, listed=None):
    """A zip of stored entries by hand: (name, content, changes of the local header)."""
    def header(name, content, **changes):
        fields = {"method": 0, "crc": zlib.crc32(content), "size": len(content), **changes}
        return struct.pack("<5H3L2H", 20, 0, fields["method"], 0x4B36, 0x3F3E, fields["crc"],
                           fields["size"], fields["size"], len(name), 0)

    body, central = b"", b""
    for name, content, changes in entries:
        if listed is None or name in listed:
            both = {key: changes[key] for key in changes.keys() & {"method"}}
            central += (b"PK\x01\x02\x14\x00" + header(name, content, **both)
                        + struct.pack("<3H2L", 0, 0, 0, 0, len(body)) + name)
        body += b"PK\x03\x04" + header(name, content, **changes) + name + content
    return body, central


def ended(body, central, count):
    return body + central + b"PK\x05\x06" + struct.pack(
        "<4H2LH", 0, 0, count, count, len(central), len(body), 0)


file("by_hand.cdr.zip", ended(*raw_zip([(b"a", FIRST, {}), (b"b", SECOND + THIRD, {})]), 2))
DAMAGED_ZIP = "cannot be read as a zip archive"
for name, changes in [("size", {"size": 229}), ("checksum", {"crc": 0})]:
    file(f"lying_{name}.cdr.zip", ended(*raw_zip([(b"a", SAMPLE, changes)]), 1), records=0,
         error=DAMAGED_ZIP)
file("unknown_method.cdr.zip", ended(*raw_zip([(b"a", SAMPLE, {"method": 77})]), 1), records=0,
     error="is compressed with zip's method 77")
file("unlisted_entry.cdr.zip",
     ended(*raw_zip([(b"a", FIRST, {}), (b"b", SECOND, {})], listed=[b"a"]), 1), records=0,
     error=DAMAGED_ZIP)
# The second entry stands in the content of the first; each is sound by itself.
inner, inner_central = raw_zip([(b"b", SECOND, {})])
outer, outer_central = raw_zip([(b"a", FIRST + inner + THIRD, {})])
start = outer.index(inner)
inner_central = inner_central[:42] + struct.pack("<L", start) + inner_central[46:]
file("overlapping_entries.cdr.zip", ended(outer, outer_central + inner_central, 2), records=0,
     error="overlapping entries")
buffer = io.BytesIO()
with zipfile.ZipFile(buffer, "w") as zip64:
    info = zipfile.ZipInfo("a.cdr", (2011, 9, 30, 9, 1, 22))
    with zip64.open(info, "w", force_zip64=True) as entry:
        entry.write(SAMPLE)
file("zip64.cdr.zip", buffer.getvalue())


def tarred(members):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def tar_header(name, size, kind=tarfile.REGTYPE, **fields):
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    for field, value in fields.items():
        setattr(info, field, value)
    return info


def by_hand(*members, format=tarfile.USTAR_FORMAT):
    """A tar of headers as they are, each with what stands behind it."""
    body = b""
    for info, content in members:
        body += info.tobuf(format) + content + bytes(-len(content) % 512)
    return body + bytes(1024)


def old(archive):
    """The first header as it was before ustar: without a magic."""
    header = bytearray(archive[:257] + bytes(255))
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + archive[512:]


LONG_NAME = "d" * 150 + "/" + "n" * 150 + ".cdr"
for name, format in [("gnu", tarfile.GNU_FORMAT), ("pax", tarfile.PAX_FORMAT)]:
    file(f"long_name_{name}.tar", by_hand((tar_header(LONG_NAME, len(SAMPLE)), SAMPLE),
                                          format=format))
file("old.tar", old(by_hand((tar_header("a.cdr", len(SAMPLE)), SAMPLE))))
file("directory_with_content.tar",
     by_hand((tar_header("empty", 0, tarfile.DIRTYPE), b""),
             (tar_header("a.cdr", len(SAMPLE), tarfile.DIRTYPE), SAMPLE)))
file("link.tar", by_hand((tar_header("a.cdr", 0, tarfile.SYMTYPE, linkname="b.cdr"), b"")),
     records=0, error="is a link in a tar archive")
# A sparse file of one piece, in each of the ways that there are.
piece = f"1\n0\n{len(SAMPLE)}\n".encode()
piece += bytes(-len(piece) % 512)
for name, records, content in [
    ("0_0", {"GNU.sparse.size": "687", "GNU.sparse.numblocks": "1", "GNU.sparse.offset": "0",
             "GNU.sparse.numbytes": "687"}, SAMPLE),
    ("0_1", {"GNU.sparse.size": "687", "GNU.sparse.map": "0,687"}, SAMPLE),
    ("1_0", {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "687",
             "GNU.sparse.name": "a.cdr"}, piece + SAMPLE),
]:
    file(f"sparse_pax_{name}.tar",
         by_hand((tar_header("sparse/a.cdr", len(content), pax_headers=records), content),
                 format=tarfile.PAX_FORMAT),
         records=0, error="is packed as a sparse file")
sparse = bytearray(by_hand((tar_header("a.cdr", len(SAMPLE), tarfile.GNUTYPE_SPARSE), SAMPLE),
                           format=tarfile.GNU_FORMAT))
sparse[386:410] = b"%011o\0%011o\0" % (0, len(SAMPLE))
sparse[483:495] = b"%011o\0" % len(SAMPLE)
sparse[148:156] = b" " * 8
sparse[148:156] = b"%06o\0 " % sum(sparse[:512])
file("sparse_gnu.tar", bytes(sparse))
# All before a member is held in memory.
for name, kind in [("name", tarfile.GNUTYPE_LONGNAME), ("link", tarfile.GNUTYPE_LONGLINK),
                   ("pax", tarfile.XHDTYPE)]:
    long = b"70000 comment=".ljust(69999, b"x") + b"\n"
    file(f"long_header_{name}.tar.gz",
         gzip.compress(by_hand((tar_header("long", len(long), kind), long),
                               (tar_header("a.cdr", len(SAMPLE)), SAMPLE)), 9, mtime=0),
         records=0, error="the headers of a member, such as its name, take more than 65536 bytes")

tar = tarred([("a.cdr", FIRST), ("b.cdr", SECOND + THIRD)])
file("two_members.tar", tar)
file("two_members.tar.gz", gzip.compress(tar, 9, mtime=0))
file("truncated.tar", tar[:700], records=0, error="cannot be read as a tar archive to its end")
file("plain_named_tar.tar", SAMPLE, records=0, error="is no tar file, though its name says so")

HEADER = ["file", "options", "records", "blank_lines", "rejects", "warnings", "error"]


def main():
    directory = HERE / "invalid"
    directory.mkdir(exist_ok=True)
    for old in directory.iterdir():
        old.unlink()
    for name, content in FILES.items():
        (directory / name).write_bytes(content)
    lines = [HEADER]
    for path in sorted((HERE / "valid").iterdir()):
        records, warnings = VALID[path.name]
        lines.append([f"valid/{path.name}", "", records, 0, "", warnings, ""])
    lines += [[f"invalid/{name}", *rest] for name, *rest in ROWS]
    with open(HERE / "index.tsv", "w") as index:
        for line in lines:
            index.write("\t".join(map(str, line)) + "\n")


VALID = {
    "CZ_AAX_10_0001_20151010090117.cdr": (1, ""),
    "DE_ABC_10_0001_20110603170122.cdr.gz": (4, ""),
    "DE_SV_00_0001_20110930090122.cdr": (3, ""),
    "FR_PBW_00_0001_20150820170113.cdr": (2, "trailing_bytes=2"),
    "GB_ADC_12_0001_20111020090122.cdr": (3, ""),
    "GB_DMP_12_0001_20180323170131.cdr": (2, ""),
    "IT_AJB_12_0001_20121026170104.cdr": (1, ""),
    "IT_AJC_15_0001_20121106170122.cdr.zip": (2, ""),
    "LU_ALB_10_0001_20150917090117.cdr": (1, ""),
    "RO_BKD_10_0001_20150703090117.cdr": (1, ""),
    "SK_BKE_10_0001_20150922090117.cdr": (1, ""),
}

if __name__ == "__main__":
    main()
