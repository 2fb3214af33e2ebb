"""Arguments as the native half takes them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import IO, Any, TypedDict, Union

#: A path, an object with ``read``, or such an object and the name that it is to have.
Input = Union[str, "os.PathLike[str]", IO[bytes], "tuple[str, IO[bytes]]"]
Inputs = Union[Input, Iterable[Input]]


class Profile(TypedDict, total=False):
    """What is known of a profile's sources, in the words of ``cdrlake.toml``."""

    country: str
    product: str
    time_zone: str


def inputs(named: Inputs) -> list[Any]:
    """One input or many: paths stay, file objects get a name."""
    many: Any = named
    if hasattr(named, "read") or _is_named_file(named) or not _is_several(named):
        many = [named]
    return [_input(each) for each in many]


def _is_several(named: Any) -> bool:
    return isinstance(named, Iterable) and not isinstance(named, (str, bytes, os.PathLike))


def _is_named_file(named: Any) -> bool:
    return isinstance(named, tuple) and len(named) == 2 and hasattr(named[1], "read")


def _input(each: Any) -> Any:
    if isinstance(each, (str, os.PathLike)):
        return os.fspath(each)
    if _is_named_file(each):
        return os.fspath(each[0]), each[1]
    if hasattr(each, "read"):
        # What open(), fsspec and pyarrow call it.
        names = (getattr(each, name, None) for name in ("full_name", "name", "path"))
        return next((name for name in names if isinstance(name, str)), "stream"), each
    raise TypeError(f"an input is a path or an object with read(), not {type(each).__name__}")


def load(
    *,
    country: str | None,
    profile: str | None,
    product: str | None,
    time_zone: str | None,
    profiles: Mapping[str, Profile] | None,
    strict: bool,
    max_rejects: int | str | None,
    allow_changed: bool,
    record_id: bool,
    threads: int | None,
    memory_limit: int,
) -> dict[str, Any]:
    """How sources are read and judged."""
    nothing = {"country": None, "product": None, "time_zone": None}
    known = {name: {**nothing, **profile} for name, profile in (profiles or {}).items()}
    for name, settings in known.items():
        if unknown := settings.keys() - nothing.keys():
            raise ValueError(f"profile {name}: unknown setting {sorted(unknown)[0]!r}")
    return {
        "country": country,
        "profile": profile,
        "product": product,
        "time_zone": time_zone,
        "profiles": known,
        "strict": strict,
        "max_rejects": None if max_rejects is None else str(max_rejects),
        "allow_changed": allow_changed,
        "record_id": record_id,
        "threads": threads,
        "memory_limit": memory_limit,
    }


def reading(
    *, table: str, columns: Iterable[str] | None, text: str, batch_size: int
) -> dict[str, Any]:
    """What is read, and as what."""
    return {
        "table": table,
        "columns": names(columns),
        "text": text,
        "batch_size": batch_size,
    }


def names(columns: Iterable[str] | None) -> list[str] | None:
    """The columns that are wanted, one name or more; all if None."""
    if columns is None:
        return None
    if isinstance(columns, str):
        raise TypeError("columns is a list of names, not one name")
    return list(columns)
