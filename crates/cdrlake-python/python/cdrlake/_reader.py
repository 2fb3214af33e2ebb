"""The stream that ``read`` and ``rejects`` give."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from . import _native
from ._native import Batch, Schema


class Reader:
    """A stream of Arrow batches that can be read once: by iterating over it, or by handing it to
    anything that knows the Arrow PyCapsule interface (``pyarrow.table``, ``polars.DataFrame``,
    ``pandas.DataFrame.from_arrow``, a query of DuckDB).

    Errors are raised as :class:`CdrError` when iterating. A library that takes the whole stream makes
    an error of its own of it, with the same message; :attr:`report` raises the original one then.
    """

    def __init__(self, inputs: list[Any], load: dict[str, Any], reading: dict[str, Any]) -> None:
        self._arguments = inputs, load, reading
        self._reader = _native.read(inputs, load, reading)

    @property
    def schema(self) -> Schema:
        """The columns of the stream; known before anything is opened."""
        return self._reader.schema

    @property
    def report(self) -> dict[str, Any]:
        """What came of all sources: the counts and control totals that ``convert`` reports.

        :raises ValueError: The stream has not ended yet.
        :raises CdrError: The stream ended with this error.
        """
        text = self._reader.report_json
        return {} if text is None else json.loads(text)

    @property
    def rejects(self) -> Reader:
        """The rejected lines of the same inputs, which are read again for that.

        :raises ValueError: An input is a file object, which cannot be read again.
        """
        inputs, load, reading = self._arguments
        if any(isinstance(each, tuple) for each in inputs):
            raise ValueError("file objects can be read once; open them again for cdrlake.rejects()")
        return Reader(inputs, load, {**reading, "table": "rejects", "columns": None, "text": "plain"})

    def __repr__(self) -> str:
        table, names = self._arguments[2]["table"], self.schema.names
        return f"<cdrlake.Reader of {table}, {len(names)} columns>"

    def __iter__(self) -> Iterator[Batch]:
        return iter(self._reader)

    def __next__(self) -> Batch:
        return next(self._reader)

    def __arrow_c_schema__(self) -> object:
        return self._reader.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._reader.__arrow_c_stream__(requested_schema)
