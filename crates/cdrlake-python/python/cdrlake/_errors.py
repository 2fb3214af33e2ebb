"""What goes wrong, with the same codes and places as in the command's messages."""

from __future__ import annotations

from typing import Any


class CdrError(Exception):
    """Anything that cdrlake cannot do; the message says what and why, without a subscriber's digits."""

    #: A word for programs: ``not_cdr``, ``cannot_read``, ``locked`` and so on.
    code: str
    #: What can be done about it: ``usage`` (other arguments would do), ``transient`` (it may succeed later),
    #: ``damaged_input`` (other data would do), ``io`` (disk or network failed) or ``defect`` (of cdrlake).
    kind: str | None
    #: The source, as it was named, and ``!member`` of an archive.
    source: str | None
    #: Number of the physical line in the source, from 1, where the error is about a line.
    record_number: int | None
    #: Offset of that line's first byte in the decompressed source.
    byte_offset: int | None
    #: The field that is wrong; None where the line as a whole is.
    field: str | None
    #: Why that line was rejected: ``short_record``, ``invalid_date`` and so on.
    reject_code: str | None

    def __init__(
        self,
        message: str,
        *,
        code: str,
        kind: str | None = None,
        source: str | None = None,
        record_number: int | None = None,
        byte_offset: int | None = None,
        field: str | None = None,
        reject_code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.kind = kind
        self.source = source
        self.record_number = record_number
        self.byte_offset = byte_offset
        self.field = field
        self.reject_code = reject_code

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions cross to other processes, as Spark's and Ray's do.
        return _restore, (type(self), str(self), self.__dict__)


class DataError(CdrError, ValueError):
    """A source is not what it must be: no CDR file, a damaged archive, too many rejects."""


class FileError(CdrError, OSError):
    """A source cannot be opened, or not be read to its end."""


class LakeError(CdrError):
    """A run as a whole cannot be done: its output exists, or the lake is locked."""


class SourcesFailed(CdrError, ValueError):
    """Whole sources failed, or are held. The others are published, and nothing of these."""

    #: What came of every source, as ``convert`` returns it.
    report: dict[str, Any]

    def __init__(self, message: str, report: dict[str, Any]) -> None:
        super().__init__(message, code="sources_failed")
        self.report = report


class RejectsWarning(UserWarning):
    """Lines were rejected, and so are not among the calls that were read."""


def _restore(kind: type[CdrError], message: str, attributes: dict[str, Any]) -> CdrError:
    error = kind.__new__(kind, message)
    Exception.__init__(error, message)
    error.__dict__.update(attributes)
    return error
