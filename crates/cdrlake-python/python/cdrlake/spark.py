"""Calls as Spark data frames: a data source for PySpark 4.1 and later.

    import cdrlake.spark
    cdrlake.spark.register(spark)
    calls = spark.read.format("cdr").option("country", "GB").load("/archive/2025/*.cdr.gz")

The package must be installed wherever executors run. Each file is a partition; a plain file larger than
``splitSize`` is cut between lines, by the driver, which counts the lines before each cut: a pass over
the file at the speed of its disk, so that ``record_number`` and every verdict are those of reading it as
a whole. A file that is no CDR file fails the job. What Spark cannot see, other partitions' content, is
not compared: the same file under two names is read twice (a lake would keep one). Spark takes a tenth of a second or
so for any task in Python: many small files are better packed together first, or loaded into a lake.

Options, in any case:

``mode``
    ``calls`` (default), or ``rejects``: rejected lines with their bytes, as ``cdrlake.rejects`` gives them.
``country``, ``profile``, ``product``, ``timeZone``, ``strict``, ``recordId``, ``maxRejects``
    As in ``cdrlake.read``. With ``maxRejects``, which is of a whole source, files are not split.
``profiles``
    JSON: ``{"ABC": {"country": "GB"}}``.
``columns``
    Names with commas between: nothing else is decoded to text, sent to Spark or kept. So does a schema given
    by ``.schema("start_time timestamp_ntz, duration decimal(8,1)")``. Spark itself tells no Python
    source which columns a query uses.
``splitSize``
    Bytes of a split, 134217728 unless said otherwise; 0 never splits.
``batchSize``, ``memoryLimit``
    Rows of a batch (8192) and bytes of memory a task (256 MiB).

Comparisons of a column with values, such as ``start_time >= timestamp_ntz'2025-10-01'``, are applied before
rows are sent to Spark. For that ``register`` sets ``spark.sql.python.filterPushdown.enabled``, without which Spark
refuses any source that takes filters.
"""

from __future__ import annotations

import datetime
import glob
import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyspark.sql import types as T
from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition

from . import _arguments, _native, read, rejects

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import SparkSession
    from pyspark.sql.datasource import Filter

__all__ = ["CdrDataSource", "register", "schema"]

DEFAULT_SPLIT_SIZE = 128 << 20

#: Spark's types of the table's.
_TYPES: dict[str, T.DataType] = {
    "string": T.StringType(),
    "int8": T.ByteType(),
    "int32": T.IntegerType(),
    "int64": T.LongType(),
    "boolean": T.BooleanType(),
    "timestamp(us)": T.TimestampNTZType(),
    "timestamp(us, UTC)": T.TimestampType(),
    "decimal(8,1)": T.DecimalType(8, 1),
    "binary": T.BinaryType(),
}

_REJECTS = T.StructType(
    [
        T.StructField("source_file", T.StringType(), False),
        T.StructField("record_number", T.LongType(), False),
        T.StructField("byte_offset", T.LongType(), False),
        T.StructField("code", T.StringType(), False),
        T.StructField("field", T.StringType()),
        T.StructField("message", T.StringType(), False),
        T.StructField("raw", T.BinaryType(), False),
        T.StructField("raw_length", T.LongType(), False),
        T.StructField("country", T.StringType()),
        T.StructField("profile", T.StringType()),
        T.StructField("product_identifier", T.StringType()),
        T.StructField("source_hash", T.StringType(), False),
    ]
)


def register(spark: SparkSession) -> None:
    """Makes ``spark.read.format("cdr")`` known to a session, and lets Spark push filters to it."""
    spark.conf.set("spark.sql.python.filterPushdown.enabled", "true")
    spark.dataSource.register(CdrDataSource)


def schema(mode: str = "calls") -> T.StructType:
    """All columns of the table of calls, or of rejected lines."""
    if mode == "rejects":
        return _REJECTS
    columns = _native.schema()[1]
    return T.StructType(
        [T.StructField(c["name"], _TYPES[c["type"]], c["nullable"]) for c in columns]
    )


class CdrDataSource(DataSource):
    """The data source ``cdr``."""

    @classmethod
    def name(cls) -> str:
        return "cdr"

    def schema(self) -> T.StructType:
        options = _Options.of(self.options)
        table = schema(options.mode)
        if options.columns is None:
            return table
        unknown = [name for name in options.columns if name not in table.names]
        if unknown:
            raise ValueError(f"there is no column {unknown[0]!r}")
        return T.StructType([table[name] for name in options.columns])

    def reader(self, schema: T.StructType) -> DataSourceReader:
        return _Reader(_Options.of(self.options), schema)


@dataclass(frozen=True)
class _Options:
    """What the options say, checked."""

    paths: tuple[str, ...]
    mode: str
    columns: tuple[str, ...] | None
    split_size: int
    batch_size: int
    load: Mapping[str, Any]

    KNOWN = (
        "path paths mode columns splitSize batchSize memoryLimit country profile product profiles "
        "timeZone strict recordId maxRejects"
    ).split()

    @classmethod
    def of(cls, options: Mapping[str, str]) -> _Options:
        given = {name.lower(): value for name, value in options.items()}
        unknown = given.keys() - {name.lower() for name in cls.KNOWN}
        if unknown:
            raise ValueError(f"unknown option {sorted(unknown)[0]!r}; there are {', '.join(cls.KNOWN)}")
        mode = given.get("mode", "calls").lower()
        if mode not in ("calls", "rejects"):
            raise ValueError(f"mode is 'calls' or 'rejects', not {mode!r}")
        paths = json.loads(given["paths"]) if "paths" in given else []
        paths += [given["path"]] if "path" in given else []
        columns = given.get("columns")
        load: dict[str, Any] = {
            "country": given.get("country"),
            "profile": given.get("profile"),
            "product": given.get("product"),
            "profiles": _object(given, "profiles"),
            "strict": _boolean(given, "strict"),
            "max_rejects": given.get("maxrejects"),
            # A task has one core; a source is compared with no other.
            "threads": 1,
            "memory_limit": _count(given, "memoryLimit", 256 << 20),
            "allow_changed": True,
            "time_zone": given.get("timezone"),
            "record_id": _boolean(given, "recordId"),
        }
        batch_size = _count(given, "batchSize", 8192)
        # Wrong values are found on the driver, before any task is.
        _native.read([], _arguments.load(**load), _reading(mode, None, batch_size))
        return cls(
            paths=tuple(paths),
            mode=mode,
            columns=None if columns is None else tuple(c.strip() for c in columns.split(",")),
            split_size=_count(given, "splitSize", DEFAULT_SPLIT_SIZE),
            batch_size=batch_size,
            load=load,
        )


def _count(options: Mapping[str, str], name: str, default: int) -> int:
    text = options.get(name.lower())
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"{name} is a number, not {text!r}")
    return int(text)


def _object(options: Mapping[str, str], name: str) -> dict[str, Any]:
    text = options.get(name.lower(), "{}")
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not (isinstance(value, dict) and all(isinstance(each, dict) for each in value.values())):
        raise ValueError(f'{name} is JSON like {{"ABC": {{"country": "GB"}}}}, not {text!r}')
    return value


def _boolean(options: Mapping[str, str], name: str) -> bool:
    text = options.get(name.lower(), "false").lower()
    if text not in ("true", "false"):
        raise ValueError(f"{name} is true or false, not {text!r}")
    return text == "true"


def _reading(table: str, columns: Sequence[str] | None, batch_size: int) -> dict[str, Any]:
    return _arguments.reading(table=table, columns=columns, text="plain", batch_size=batch_size)


class _Source(InputPartition):
    """A file as a whole."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class _Split(InputPartition):
    """Lines of a plain file."""

    def __init__(self, path: str, split: tuple[int, int, int, int, int, bytes]) -> None:
        super().__init__((path, split))
        self.path = path
        self.split = split


class _Reader(DataSourceReader):
    """Plans on the driver, reads on executors."""

    def __init__(self, options: _Options, wanted: T.StructType) -> None:
        self.options = options
        self.wanted = wanted
        self.columns = wanted.names
        self.filters: list[tuple[str, str, Any]] = []
        table = schema(options.mode)
        for field in wanted:
            if field.name not in table.names:
                raise ValueError(f"there is no column {field.name!r}")
            if field.dataType != table[field.name].dataType:
                expected = table[field.name].dataType.simpleString()
                raise ValueError(f"column {field.name} is {expected}, not {field.dataType.simpleString()}")

    def pushFilters(self, filters: list[Filter]) -> Iterable[Filter]:
        for each in filters:
            known = _comparison(each, self.wanted)
            if known is None:
                yield each
            else:
                self.filters.append(known)

    def partitions(self) -> Sequence[InputPartition]:
        if not self.options.paths:
            raise ValueError("name the files: load(\"path/*.cdr.gz\")")
        parts: list[InputPartition] = []
        for path in self.options.paths:
            for file in _files(path):
                parts.extend(self._parts(file))
        return parts

    def _parts(self, path: str) -> list[InputPartition]:
        options = self.options
        is_whole = (
            options.split_size == 0
            or options.mode == "rejects"
            or options.load["max_rejects"] is not None
            or "://" in path
        )
        if not is_whole:
            load, reading = self._native_arguments()
            splits = _native.split_file(path, options.split_size, load, reading)
            if splits is not None:
                return [_Split(path, split) for split in splits]
        return [_Source(path)]

    def _native_arguments(self) -> tuple[dict[str, Any], dict[str, Any]]:
        load = _arguments.load(**self.options.load)
        return load, _reading(self.options.mode, self.columns, self.options.batch_size)

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        for batch in self._open(partition):
            rows = pa.record_batch(batch)
            for name, compare, value in self.filters:
                rows = rows.filter(_mask(rows.column(name), compare, value))
            if rows.num_rows > 0:
                yield rows

    def _open(self, partition: InputPartition) -> Iterable[Any]:
        if isinstance(partition, _Split):
            load, reading = self._native_arguments()
            return _native.read_split(partition.path, partition.split, load, reading)
        assert isinstance(partition, _Source)
        named: Any = partition.path
        if "://" in named:
            import fsspec

            named = named, fsspec.open(named, "rb").open()
        arguments = {"columns": self.columns, "batch_size": self.options.batch_size}
        load = dict(self.options.load)
        if self.options.mode == "rejects":
            del load["time_zone"], load["record_id"]
            return rejects(named, **arguments, **load)
        return _without_warning(read(named, text="plain", **arguments, **load))


def _without_warning(batches: Iterable[Any]) -> Iterator[Any]:
    """Nobody reads the warnings of an executor; mode ``rejects`` has what is rejected."""
    import warnings

    from ._errors import RejectsWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RejectsWarning)
        yield from batches


def _files(path: str) -> list[str]:
    """The files that a path, with or without wildcards, stands for: those that the command would read."""
    path = path.removeprefix("file://") if path.startswith("file:///") else path
    path = path.removeprefix("file:") if path.startswith("file:/") else path
    if "://" in path:
        import fsspec

        found = fsspec.core.get_fs_token_paths(path, mode="rb")
        return sorted(found[0].unstrip_protocol(each) for each in found[2])
    # A name with brackets in it is a name first.
    named = [path] if os.path.exists(path) else sorted(glob.glob(path))
    if not named:
        raise FileNotFoundError(f"there is no file {path}")
    return [file for each in named for file in _walk(each)]


def _walk(path: str) -> Iterator[str]:
    """Files below a directory in order, without what begins with a dot."""
    if not os.path.isdir(path):
        yield path
        return
    for entry in sorted(os.scandir(path), key=lambda entry: entry.name):
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(entry.path)
        elif stat.S_ISREG(entry.stat().st_mode):
            yield entry.path


#: Spark's filters that are applied here, by class name, and the function of pyarrow.compute.
_COMPARISONS = {
    "EqualTo": "equal",
    "GreaterThan": "greater",
    "GreaterThanOrEqual": "greater_equal",
    "LessThan": "less",
    "LessThanOrEqual": "less_equal",
    "In": "is_in",
    "IsNotNull": "is_valid",
    "IsNull": "is_null",
}


#: What a value must be for a column of Spark's type.
_PYTHON_TYPES: dict[type[T.DataType], type] = {
    T.StringType: str,
    T.ByteType: int,
    T.IntegerType: int,
    T.LongType: int,
    T.TimestampNTZType: datetime.datetime,
    T.TimestampType: datetime.datetime,
}


def _comparison(each: Filter, wanted: T.StructType) -> tuple[str, str, Any] | None:
    """A filter as column, function and value, if it is applied here: where both sides compare alike."""
    compare = _COMPARISONS.get(type(each).__name__)
    attribute: Any = getattr(each, "attribute", ())
    if compare is None or len(attribute) != 1 or attribute[0] not in wanted.names:
        return None
    name: str = attribute[0]
    value: Any = getattr(each, "value", None)
    if compare in ("is_valid", "is_null"):
        return name, compare, None
    values = list(value) if compare == "is_in" else [value]
    kind = _PYTHON_TYPES.get(type(wanted[name].dataType))
    if kind is None or not all(type(each) is kind for each in values):
        return None
    return name, compare, values if compare == "is_in" else value


def _mask(column: pa.Array, compare: str, value: Any) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    function = getattr(pc, compare)
    if compare in ("is_valid", "is_null"):
        return function(column)
    if compare == "is_in":
        return function(column, value_set=pa.array(value, type=column.type))
    return function(column, pa.scalar(value, type=column.type))
