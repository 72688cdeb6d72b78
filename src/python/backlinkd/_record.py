"""Rows and other objects of answers, and what their values are converted from."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from keyword import iskeyword
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

Kind = Literal["flag", "integer", "number", "day", "text", "list", "record", "map", "state"]


@dataclass(frozen=True, slots=True)
class AsOf:
    """A state of the index. Equal change numbers mean equal data."""

    time: datetime
    """When the server first read the state, in UTC."""
    change: int
    """The number of commits before the state."""

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> AsOf:
        return cls(datetime.fromisoformat(raw["time"]), int(raw["change"]))

    @classmethod
    def of_header(cls, header: str | None) -> AsOf | None:
        """Reads `2026-11-30T03:22:10Z; change=48113`."""
        time, found, change = (header or "").partition("; change=")
        return cls(datetime.fromisoformat(time), int(change)) if found else None


@dataclass(frozen=True, slots=True)
class Column:
    """A key of a row: its name in answers, and what its values are."""

    name: str
    kind: Kind
    nullable: bool = False
    when: str = ""
    """Which answers have the column, if not all of them."""
    record: type[Record] | None = None
    """The class of the value, or of its elements."""

    @property
    def attribute(self) -> str:
        return _attribute(self.name)


@lru_cache(maxsize=1 << 12)
def parse_day(text: str) -> date | None:
    """Reads yyyyMMdd; an empty text is no day."""
    return date(int(text[:4]), int(text[4:6]), int(text[6:])) if text else None


def _attribute(name: str) -> str:
    name = re.sub(r"\W", "_", name)
    return f"{name}_" if iskeyword(name) else name


def _converter(column: Column) -> Callable[[Any], Any] | None:
    record = column.record
    match column.kind:
        case "day":
            return lambda value: parse_day(str(value))
        case "state":
            return AsOf.of
        case "record" if record:
            return record.of
        case "list" if record:
            make = record.of
            return lambda values: [make(value) for value in values]
        case "number":
            return float
        case _:
            return None


class Record:
    """A row or another object of an answer: `row.sr`, `row["sr"]`, `row.to_dict()`.

    Days are `datetime.date`. Keys that are no Python names have an underscore: `http-code` is `http_code`. A key that
    is not in the answer, for example because `fields` leaves it out, raises AttributeError.
    """

    COLUMNS: ClassVar[tuple[Column, ...]] = ()
    _CONVERTED: ClassVar[dict[str, tuple[str, Callable[[Any], Any] | None]]] = {}

    def __init_subclass__(cls) -> None:
        changed = ((column, _converter(column)) for column in cls.COLUMNS)
        cls._CONVERTED = {
            column.name: (column.attribute, convert)
            for column, convert in changed
            if convert or column.attribute != column.name
        }

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Self:
        """Makes the object of a JSON object."""
        record = cls.__new__(cls)
        values = record.__dict__
        converted = cls._CONVERTED
        for key, value in raw.items():
            change = converted.get(key)
            if change is None:
                values[key] = value
            else:
                attribute, convert = change
                values[attribute] = value if convert is None or value is None else convert(value)
        return record

    def to_dict(self) -> dict[str, Any]:
        """The values under the keys of the answer, with Python's dates; inner objects are dicts too."""
        names = {column.attribute: column.name for column in self.COLUMNS}
        return {names.get(key, key): _plain(value) for key, value in self.__dict__.items()}

    def __getitem__(self, key: str) -> Any:
        try:
            return self.__dict__[_attribute(key)]
        except KeyError:
            raise KeyError(key) from None

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and _attribute(key) in self.__dict__

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]

    if not TYPE_CHECKING:  # so that checkers report names that no answer has

        def __getattr__(self, name: str) -> Any:
            column = next((column for column in self.COLUMNS if column.attribute == name), None)
            if column is None:
                raise AttributeError(f"{type(self).__name__} has no {name}")
            raise AttributeError(f"this row has no {column.name}: {column.when or 'add it to `fields`'}")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{key}={value!r}' for key, value in self.__dict__.items())})"


def _plain(value: Any) -> Any:
    if isinstance(value, Record):
        return value.to_dict()
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value
