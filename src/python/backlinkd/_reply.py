"""Answers: whatever is not one of backlinkd is an AnswerError, and no KeyError in the middle of a program."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from ._errors import AnswerError, ServerWarning, warn
from ._record import AsOf, Record

T = TypeVar("T", bound=Record)
X = TypeVar("X")
Raw = dict[str, Any]
"""A row as the answer has it."""

ELSEWHERE = "there may be another server, or a proxy, at the address"


@contextmanager
def reading() -> Iterator[None]:
    """Reads a part of an answer; what has another shape is an AnswerError."""
    try:
        yield
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
        raise AnswerError(f"the answer is not one of backlinkd ({error!r}); {ELSEWHERE}") from error


class Answer(dict[str, Any]):
    """The keys of an answer."""

    def __missing__(self, key: str) -> NoReturn:
        raise AnswerError(f"the answer has no {key}; {ELSEWHERE}")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, and what its headers say."""

    data: Answer
    warnings: list[str]
    as_of: AsOf | None
    finished: bool

    @classmethod
    def of(cls, headers: Mapping[str, str], body: bytes) -> Reply:
        """Reads a JSON answer."""
        try:
            data = json.loads(body) if body else {}
        except (ValueError, RecursionError):
            data = None
        if not isinstance(data, dict):
            raise AnswerError(f"the answer is no JSON of backlinkd: {body[:100].decode(errors='replace')!r}")
        with reading():
            as_of = AsOf.of_header(headers.get("backlinkd-as-of"))
            if as_of is None and isinstance(data.get("asOf"), dict):
                as_of = AsOf.of(data["asOf"])
            warnings = [str(text) for text in data.get("warnings", [])]
        return cls(Answer(data), warnings, as_of, bool(data.get("exportFinished", True)))

    @classmethod
    def of_stream(cls, headers: Mapping[str, str]) -> Reply:
        """Reads the headers of an answer whose body has rows alone."""
        count = headers.get("x-total-count")
        finished = headers.get("x-export-finished", "true") == "true"
        with reading():
            data = Answer() if count is None else Answer(count=int(count))
            warnings = [str(text) for text in json.loads(headers.get("x-warnings", "[]"))]
            return cls(data, warnings, AsOf.of_header(headers.get("backlinkd-as-of")), finished)

    def value(self, key: str, make: Callable[[Any], X]) -> X:
        """The value of a key."""
        value = self.data[key]
        with reading():
            return make(value)

    def figure(self, key: str, make: Callable[[Any], X]) -> X:
        """The value of a key of the only row."""
        with reading():
            return make(self.data["response"][0][key])

    def names(self, key: str) -> list[str]:
        """A list of texts."""
        return self.value(key, lambda names: [text(name) for name in checked(isinstance(names, list), names)])

    def record(self, row: type[T]) -> T:
        """The answer without its envelope."""
        raw = {key: value for key, value in self.data.items() if key not in ("status", "warnings")}
        always = [column.name for column in row.COLUMNS if not column.when and not column.nullable]
        absent = [name for name in always if name not in raw]
        if not raw or 2 * len(absent) > len(always):
            raise AnswerError(f"the answer has no {', '.join(absent[:3])}; {ELSEWHERE}")
        return records(row, [raw])[0]

    def first(self, row: type[T]) -> T:
        """The only row."""
        with reading():
            return records(row, self.rows(row, "response"))[0]

    def rows(self, row: type[Record], key: str, fields: Sequence[str] | None = None) -> list[Raw]:
        """The rows of the answer."""
        return checked_rows(row, self.data[key], fields)

    def show_warnings(self) -> None:
        for text in self.warnings:
            warn(ServerWarning, text)


def text(value: Any) -> str:
    """A text."""
    return str(checked(isinstance(value, str), value))


def checked(holds: bool, value: X) -> X:
    """The value, if it has the shape that it must have."""
    if not holds:
        raise TypeError(f"unexpected {value!r:.100}")
    return value


def checked_rows(row: type[Record], raws: Any, fields: Sequence[str] | None = None) -> list[Raw]:
    """Rows of this class, or of these columns. A newer or older server may have others besides."""
    if not isinstance(raws, list) or not all(isinstance(raw, dict) for raw in raws):
        raise AnswerError(f"the answer has no list of rows, but {raws!r:.100}; {ELSEWHERE}")
    known = {column.name for column in row.COLUMNS} | set(fields or ())
    if raws and not known & raws[0].keys():
        raise AnswerError(f"the answer is no {row.__name__}, but {raws[0]!r:.100}; {ELSEWHERE}")
    return raws


def records(row: type[T], raws: Iterable[Raw]) -> list[T]:
    """The objects of rows."""
    with reading():
        return [row.of(raw) for raw in raws]
