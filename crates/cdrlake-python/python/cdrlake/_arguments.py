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
    known: dict[str, dict[str, Any]] = {}
    for name, settings in (profiles or {}).items():
        if not isinstance(settings, Mapping):
            raise TypeError(f'profile {name}: expected settings like {{"country": "GB"}}, not {_type(settings)}')
        if unknown := settings.keys() - nothing.keys():
            raise ValueError(f"profile {name}: unknown setting {sorted(unknown)[0]!r}")
        known[name] = typed({**nothing, **settings})
    return typed({
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
    })


def reading(
    *, table: str, columns: Iterable[str] | None, text: str, batch_size: int
) -> dict[str, Any]:
    """What is read, and as what."""
    return typed({
        "table": table,
        "columns": names(columns),
        "text": text,
        "batch_size": batch_size,
    })


def names(columns: Iterable[str] | None) -> list[str] | None:
    """The columns that are wanted, one name or more; all if None."""
    if columns is None:
        return None
    if isinstance(columns, str):
        raise TypeError("columns is a list of names, not one name")
    return list(columns)


#: What arguments must be that are not text. None is for those that may be left out.
_KINDS: dict[str, type] = {
    **dict.fromkeys(["threads", "memory_limit", "batch_size", "target_file_size"], int),
    **dict.fromkeys(["strict", "allow_changed", "record_id", "overwrite", "replace", "deduplicate"], bool),
    **dict.fromkeys(["wait", "allow_network_filesystem"], bool),
    **dict.fromkeys(["output", "rejects", "ledger", "profiles", "columns"], object),
}
_WORDS = {int: "a number", bool: "True or False", str: "text"}


def typed(arguments: dict[str, Any]) -> dict[str, Any]:
    """The same arguments; what has another type is told by its name."""
    for name, value in arguments.items():
        kind = _KINDS.get(name, str)
        is_kind = isinstance(value, kind)
        if kind is int:
            # numpy's integers, too.
            is_kind = hasattr(value, "__index__") and not isinstance(value, bool)
        if value is not None and not is_kind:
            raise TypeError(f"{name} is {_WORDS[kind]}, not {_type(value)}")
        if kind is int and value is not None and value < 0:
            raise ValueError(f"{name} is not below 0")
    return arguments


def _type(value: Any) -> str:
    return type(value).__name__
