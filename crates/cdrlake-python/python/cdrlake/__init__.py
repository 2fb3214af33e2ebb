"""Carrier call detail records as Arrow streams, checked as the command ``cdrlake`` checks them.

    import cdrlake, polars as pl
    calls = pl.DataFrame(cdrlake.read("inbox/", time_zone="country"))

``read`` gives the calls of files, directories and archives as a stream that every library takes which
knows the Arrow PyCapsule interface; ``rejects`` the lines that are no sound records, with their bytes.
``convert`` writes Parquet or a lake, ``validate`` only judges. ``cdrlake.spark`` is a data source for
Spark. Errors are :class:`CdrError`, and know source, line and code.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from importlib.metadata import version as _version
from typing import Any, Literal

from . import _arguments, _native
from ._arguments import Input, Inputs, Profile
from ._errors import (
    CdrError,
    DataError,
    FileError,
    LakeError,
    RejectsWarning,
    SourcesFailed,
)
from ._native import Batch, Schema
from ._reader import Reader

__all__ = [
    "Batch",
    "CdrError",
    "DataError",
    "FileError",
    "Input",
    "Inputs",
    "LakeError",
    "Profile",
    "Reader",
    "RejectsWarning",
    "Schema",
    "SourcesFailed",
    "columns",
    "convert",
    "read",
    "rejects",
    "schema",
    "validate",
]

__version__ = _version("cdrlake")

#: Bytes of memory that a reader or run stays within, give or take 64 MiB.
DEFAULT_MEMORY_LIMIT = 512 << 20

#: Rows of a batch, at the most and unless said otherwise.
MAX_BATCH_SIZE = 16_384


def read(
    inputs: Inputs,
    *,
    country: str | None = None,
    profile: str | None = None,
    product: str | None = None,
    time_zone: str | None = None,
    profiles: Mapping[str, Profile] | None = None,
    columns: Iterable[str] | None = None,
    strict: bool = False,
    max_rejects: int | str | None = None,
    allow_changed: bool = False,
    record_id: bool = False,
    text: Literal["dictionary", "plain"] = "dictionary",
    batch_size: int = MAX_BATCH_SIZE,
    threads: int | None = None,
    memory_limit: int = DEFAULT_MEMORY_LIMIT,
) -> Reader:
    """Calls, one row a record, in input order, as a stream that can be read once.

    Nothing is opened before the first batch is asked for; then threads decode ahead of the reader, as
    far as ``memory_limit`` allows, without the GIL. The first source that fails ends the stream with an
    error, for rows that were given cannot be taken back: do not use what came before it. So does a source
    whose content was read before under another name. Rejected lines are left out, and told at the end
    by a :class:`RejectsWarning`; :attr:`Reader.report` counts them, ``rejects`` gives them.

    :param inputs: Files, directories and archives (.gz, .zip, .tar, inside each other, too), or objects
        with ``read`` (plain, .gz and .tar), or pairs of a name and such an object.
    :param country: Country of sources whose names do not tell, as ``"GB"``.
    :param profile: Reseller profile of sources whose names do not tell.
    :param product: Product of sources whose names do not tell: identifier, name or offering.
    :param time_zone: Whose clocks the times are of: ``"Europe/London"``, ``"country"`` or ``"profile"``;
        fills ``start_time_utc``.
    :param profiles: What is known of profiles: ``{"ABC": {"country": "GB", "time_zone": "Europe/London"}}``.
    :param columns: The columns, in this order; all if None. :func:`columns` tells which there are.
    :param strict: Reject what would only draw a warning.
    :param max_rejects: How many lines of a source may be rejected before it fails: a count or ``"1%"``;
        any number if None.
    :param allow_changed: Read sources of one name, of the carrier's form, with other content, too.
    :param record_id: Fill the column ``record_id``.
    :param text: ``"plain"`` for engines that do not know dictionary-encoded text.
    :param batch_size: Rows of a batch at the most, 1 to 16384.
    :param threads: Threads that decode; one a core if None.
    :param memory_limit: Bytes to stay within, give or take 64 MiB.
    :raises ValueError: An argument is wrong. What is wrong with a source is raised while it is read, as
        :class:`DataError` or :class:`FileError`.
    """
    load = _arguments.load(
        country=country,
        profile=profile,
        product=product,
        time_zone=time_zone,
        profiles=profiles,
        strict=strict,
        max_rejects=max_rejects,
        allow_changed=allow_changed,
        record_id=record_id,
        threads=threads,
        memory_limit=memory_limit,
    )
    reading = _arguments.reading(table="calls", columns=columns, text=text, batch_size=batch_size)
    return Reader(_arguments.inputs(inputs), load, reading)


def rejects(
    inputs: Inputs,
    *,
    country: str | None = None,
    profile: str | None = None,
    product: str | None = None,
    profiles: Mapping[str, Profile] | None = None,
    columns: Iterable[str] | None = None,
    strict: bool = False,
    max_rejects: int | str | None = None,
    allow_changed: bool = False,
    batch_size: int = MAX_BATCH_SIZE,
    threads: int | None = None,
    memory_limit: int = DEFAULT_MEMORY_LIMIT,
) -> Reader:
    """Rejected lines, one row each, as a stream like that of :func:`read`.

    The columns are those of the rejects files that ``convert`` writes: ``source_file``,
    ``record_number``, ``byte_offset``, ``code``, ``field``, ``message``, ``raw`` (the line's bytes, cut
    at 64 KiB), ``raw_length``, ``country``, ``profile``, ``product_identifier``, ``source_hash``.
    ``raw`` may hold subscribers' numbers; the other columns hold none.
    """
    load = _arguments.load(
        country=country,
        profile=profile,
        product=product,
        time_zone=None,
        profiles=profiles,
        strict=strict,
        max_rejects=max_rejects,
        allow_changed=allow_changed,
        record_id=False,
        threads=threads,
        memory_limit=memory_limit,
    )
    reading = _arguments.reading(
        table="rejects", columns=columns, text="plain", batch_size=batch_size
    )
    return Reader(_arguments.inputs(inputs), load, reading)


def convert(
    inputs: Inputs,
    output: str | os.PathLike[str],
    *,
    country: str | None = None,
    profile: str | None = None,
    product: str | None = None,
    time_zone: str | None = None,
    profiles: Mapping[str, Profile] | None = None,
    strict: bool = False,
    max_rejects: int | str | None = None,
    allow_changed: bool = False,
    record_id: bool = False,
    threads: int | None = None,
    memory_limit: int = DEFAULT_MEMORY_LIMIT,
    columns: Iterable[str] | None = None,
    where_date: str | None = None,
    compression: str = "zstd:1",
    rejects: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    partition_by: str | None = None,
    replace: bool = False,
    deduplicate: bool = False,
    target_file_size: int = 256 << 20,
    ledger: str | os.PathLike[str] | None = None,
    wait: bool = False,
    allow_network_filesystem: bool = False,
) -> dict[str, Any]:
    """Converts sources to one Parquet file (``output`` ends in .parquet) or into a lake (a directory).

    What ``cdrlake convert`` does; returns what its ``--report`` writes. Arguments that :func:`read` has, too,
    mean the same here. Lakes with masks or tokens for numbers are made by the command (``--mask``,
    ``--pseudonymize``); this loads masked ones by their own settings, and is refused by those that need a key.

    :param output: The file or the lake; a lake that is not there is made.
    :param columns: Of one file: its columns, always in the table's order; all if None.
    :param where_date: Of one file: the days on which its calls start, by their local time, both ends included:
        ``"2025-10-01..2025-10-31"``, ``"2025-10-01.."``, ``"..2025-10-31"`` or ``"2025-10-19"``. Other calls are
        ``records_filtered`` in the report; rejected lines, which have no day, go to the rejects file as ever.
    :param compression: ``"zstd:1"`` to ``"zstd:22"``, ``"snappy"`` or ``"none"``.
    :param rejects: Of one file: where rejected lines go, if there are any; ``x.rejects.parquet`` beside
        ``x.parquet`` if None.
    :param overwrite: Of one file: replace one that is there.
    :param partition_by: Of a lake: ``"call_month"``, ``"call_date"``, ``"country,call_month"`` or ``"none"``; fixed
        when the lake is made, by month if None.
    :param replace: Of a lake: load sources again that it has, in place of their earlier rows.
    :param deduplicate: Of a lake: leave out records that it has the same bytes of; needs ``record_id``.
    :param target_file_size: Of a lake: bytes at which a file ends.
    :param ledger: Of a lake: its ledger, where that is not in it.
    :param wait: Of a lake: wait for another run to end, instead of an error.
    :param allow_network_filesystem: Of a lake: keep the ledger there though locks may not hold.
    :raises ValueError: An argument is wrong, or not for such an output.
    :raises SourcesFailed: Whole sources failed, or are held. All others are published all the same; ``report`` has
        both.
    :raises LakeError: The run as a whole cannot be done, and nothing was published.
    :raises KeyboardInterrupt: It was interrupted, and nothing was published, unless it was too late.
    """
    path = os.fspath(output)
    if not path:
        raise ValueError("output is empty")
    is_file = path.endswith(".parquet")
    of_lake = {"partition_by": partition_by, "replace": replace, "deduplicate": deduplicate,
               "ledger": ledger, "wait": wait}
    of_file = {"rejects": rejects, "overwrite": overwrite, "columns": columns, "where_date": where_date}
    for name, value in (of_lake if is_file else of_file).items():
        if value is not None and value is not False:
            kind = "one file" if is_file else "a lake; name one file, ending in .parquet, for that"
            raise ValueError(f"{name} is not for {path}, which is {kind}")
    written_columns = _arguments.names(columns)
    if written_columns == []:
        raise ValueError("columns is empty: name one at least, or leave it out for all")
    load = _arguments.load(
        country=country,
        profile=profile,
        product=product,
        time_zone=time_zone,
        profiles=profiles,
        strict=strict,
        max_rejects=max_rejects,
        allow_changed=allow_changed,
        record_id=record_id,
        threads=threads,
        memory_limit=memory_limit,
    )
    written = _arguments.typed({
        "output": path,
        "rejects": rejects,
        "columns": None if written_columns is None else ",".join(written_columns),
        "where_date": where_date,
        "compression": compression,
        "overwrite": overwrite,
        "partition_by": partition_by,
        "replace": replace,
        "deduplicate": deduplicate,
        "target_file_size": target_file_size,
        "ledger": ledger,
        "wait": wait,
        "allow_network_filesystem": allow_network_filesystem,
    })
    report: dict[str, Any] = json.loads(_native.convert(_arguments.inputs(inputs), load, written))
    failed = [source for source in report["sources"] if source["status"] in ("failed", "held")]
    if failed:
        first = f"{failed[0]['source']} {failed[0]['error']}"
        more = f", and {len(failed) - 1} more" if len(failed) > 1 else ""
        raise SourcesFailed(f"{first}{more}; the report says what was published", report)
    return report


def validate(
    inputs: Inputs,
    *,
    country: str | None = None,
    profile: str | None = None,
    product: str | None = None,
    time_zone: str | None = None,
    profiles: Mapping[str, Profile] | None = None,
    strict: bool = False,
    max_rejects: int | str | None = None,
    allow_changed: bool = False,
    threads: int | None = None,
    memory_limit: int = DEFAULT_MEMORY_LIMIT,
) -> dict[str, Any]:
    """The verdicts that :func:`convert` would give, and nothing written: its report, in which sources that
    fail have the status ``failed``. :func:`rejects` gives the rejected lines themselves."""
    load = _arguments.load(
        country=country,
        profile=profile,
        product=product,
        time_zone=time_zone,
        profiles=profiles,
        strict=strict,
        max_rejects=max_rejects,
        allow_changed=allow_changed,
        record_id=False,
        threads=threads,
        memory_limit=memory_limit,
    )
    report: dict[str, Any] = json.loads(_native.validate(_arguments.inputs(inputs), load))
    return report


def schema(
    columns: Iterable[str] | None = None, *, text: Literal["dictionary", "plain"] = "dictionary"
) -> Schema:
    """The Arrow schema of what :func:`read` gives, without reading anything."""
    return read([], columns=columns, text=text).schema


def columns() -> list[dict[str, Any]]:
    """The columns of the table: ``name``, ``type``, ``nullable`` and ``meaning`` of each."""
    return _native.schema()[1]
