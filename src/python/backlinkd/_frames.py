"""Rows to frames: pandas, polars and Arrow, each imported when it is asked for.

Frames have the types that the OpenAPI document gives the columns, so that an empty frame has them too. Days are dates,
flags are booleans, and numbers that may be absent are nullable.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ._record import Column, Record, parse_day
from ._reply import Raw

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

SOME_ROWS = "Only where"
"""How the `when` of a column begins that not all rows of an answer have."""


def library(name: str) -> Any:
    """Imports what frames are made with."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        extra = "arrow" if package == "pyarrow" else package
        raise ImportError(f"{package} is not installed: pip install 'backlinkd[{extra}]'") from error


def columns_of(row: type[Record], fields: Sequence[str] | None, conditions: Iterable[str]) -> list[Column]:
    """The columns of an answer, flat: those of an inner object follow their object's place.

    `conditions` names the optional columns that the answer has, or begins their `when`.
    """
    given = tuple(conditions)
    flat = list(_flat(row))
    if fields is not None:
        by_name = {column.name: column for column in flat}
        shown = [by_name.get(name, Column(name, "text", nullable=True)) for name in fields]
    else:
        shown = [column for column in flat if not column.when or column.name in given or column.when.startswith(given)]
    return [replace(column, nullable=column.nullable or column.when.startswith(SOME_ROWS), when="") for column in shown]


def _flat(row: type[Record], prefix: str = "", nullable: bool = False) -> Iterator[Column]:
    for column in row.COLUMNS:
        absent = nullable or column.nullable
        name = prefix + column.name
        if column.kind == "record" and column.record:
            # Names inside `info` are unique; those of other objects are not.
            yield from _flat(column.record, prefix if column.name == "info" else f"{name}.", absent)
        elif column.kind == "state":
            yield Column(f"{name}.time", "text", absent)
            yield Column(f"{name}.change", "integer", absent)
        else:
            yield replace(column, name=name, nullable=absent)


def gather(columns: Sequence[Column], rows: Iterable[Raw]) -> dict[str, list[Any]]:
    """The values of each column. A value that a row does not have is None."""
    values: dict[str, list[Any]] = {column.name: [] for column in columns}
    readers = [(values[column.name].append, _path(column.name), _reader(column)) for column in columns]
    for row in rows:
        for append, path, read in readers:
            value = _value(row, path)
            append(value if value is None or read is None else read(value))
    return values


def _path(name: str) -> tuple[str, ...]:
    return tuple(name.split("."))


def _value(row: Raw, path: tuple[str, ...]) -> Any:
    value: Any = row
    for key in path:
        inner = value.get(key)
        # Columns of `info` have no prefix.
        value = value["info"].get(key) if inner is None and "info" in value else inner
        if value is None:
            return None
    return value


def _reader(column: Column) -> Any:
    match column.kind:
        case "day":
            return lambda value: parse_day(str(value))
        case "number":
            return float
        case "list" if column.record:
            record = column.record
            names = [(inner.name, _reader(inner)) for inner in record.COLUMNS]
            return lambda rows: [
                {name: read(row[name]) if read and row[name] is not None else row[name] for name, read in names}
                for row in rows
            ]
        case _:
            return None


def to_pandas(columns: Sequence[Column], rows: Iterable[Raw]) -> pandas.DataFrame:
    """A frame with the types bool, int64 (Int64 with nulls), float64, datetime64[s] and str."""
    pandas = library("pandas")
    text = "str" if int(pandas.__version__.partition(".")[0]) >= 3 else "object"
    series = {}
    for column, (name, values) in zip(columns, gather(columns, rows).items(), strict=True):
        match column.kind:
            case "flag":
                kind = "boolean" if column.nullable else "bool"
            case "integer":
                kind = "Int64" if column.nullable else "int64"
            case "number":
                kind = "float64"
            case "day":
                kind = "datetime64[s]"
            case "text":
                kind = text
            case _:
                kind = "object"
        series[name] = pandas.Series(values, dtype=kind)
    return pandas.DataFrame(series)


def to_polars(columns: Sequence[Column], rows: Iterable[Raw]) -> polars.DataFrame:
    """A frame with the types Boolean, Int64, Float64, Date and String; links of pages are lists of structs."""
    values = gather(columns, rows)
    schema = {column.name: _polars_type(column) for column in columns}
    frame: polars.DataFrame = library("polars").DataFrame(values, schema=schema)
    return frame


def _polars_type(column: Column) -> Any:
    polars = library("polars")
    plain: dict[str, Any] = {
        "flag": polars.Boolean,
        "integer": polars.Int64,
        "number": polars.Float64,
        "day": polars.Date,
        "text": polars.String,
    }
    if column.kind == "list":
        if column.record is None:
            return polars.List(polars.String)
        inner = [polars.Field(each.name, _polars_type(each)) for each in column.record.COLUMNS]
        return polars.List(polars.Struct(inner))
    return plain.get(column.kind, polars.Object)


def arrow_schema(columns: Sequence[Column]) -> pyarrow.Schema:
    """The schema with the types bool, int64, double, date32 and string."""
    pyarrow = library("pyarrow")
    return pyarrow.schema([pyarrow.field(column.name, _arrow_type(column)) for column in columns])


def _arrow_type(column: Column) -> Any:
    pyarrow = library("pyarrow")
    plain: dict[str, Any] = {
        "flag": pyarrow.bool_,
        "integer": pyarrow.int64,
        "number": pyarrow.float64,
        "day": pyarrow.date32,
        "text": pyarrow.string,
    }
    if column.kind == "list":
        if column.record is None:
            return pyarrow.list_(pyarrow.string())
        return pyarrow.list_(pyarrow.struct([(each.name, _arrow_type(each)) for each in column.record.COLUMNS]))
    if column.kind not in plain:
        raise TypeError(f"Arrow has no type for {column.name}")
    return plain[column.kind]()


def to_batch(columns: Sequence[Column], rows: Iterable[Raw], schema: pyarrow.Schema) -> pyarrow.RecordBatch:
    """A batch of rows."""
    pyarrow = library("pyarrow")
    return pyarrow.RecordBatch.from_pydict(gather(columns, rows), schema=schema)


def to_arrow(columns: Sequence[Column], rows: Iterable[Raw]) -> pyarrow.Table:
    """A table of all rows."""
    pyarrow = library("pyarrow")
    schema = arrow_schema(columns)
    return pyarrow.Table.from_batches([to_batch(columns, rows, schema)], schema=schema)
