"""Requests, without input and output: how parameters are written, when a request is repeated, and for how
long an unfinished list is waited for."""

from __future__ import annotations

import operator
import random
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from ._errors import ApiError, UnfinishedError, UnfinishedWarning, warn
from ._values import FrameValue, plain
from ._where import ColumnName, Condition

Day = date | str | FrameValue
"""A day: a date, also one of a frame, or a text such as `2026-11-30` or `20261130`."""

MOST_QUERY = 2_000
"""Bytes of a query; a longer one is sent as a POST request where the endpoint takes one."""

Scalar = FrameValue | str | bool | int | float | date | Condition | None


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: `params` are names and values as they are sent."""

    method: str
    path: str
    params: tuple[tuple[str, str], ...] = ()
    body: Any = None
    patient: bool = True
    """Whether it is repeated."""

    @property
    def is_safe(self) -> bool:
        """Whether it changes nothing, so that it can be repeated after a broken connection."""
        return self.method == "GET" or self.path in ("summary", "backlinkshort", "iscached")


@dataclass(frozen=True, slots=True)
class Retry:
    """How often and after how many seconds a request is sent again.

    Requests are repeated after 429 and 503, and, if they change nothing, after a broken connection. The wait is at
    least what `Retry-After` says; without it, it doubles from `backoff` on. A server that asks for more than `max_wait`
    seconds is not waited for.
    """

    attempts: int = 5
    backoff: float = 0.5
    max_wait: float = 30.0

    def __post_init__(self) -> None:
        for name, value, least in (
            ("attempts", self.attempts, 1),
            ("backoff", self.backoff, 0),
            ("max_wait", self.max_wait, 0),
        ):
            if not isinstance(value, int | float) or not value >= least:
                raise ValueError(f"{name} of Retry is {value!r}; it must be a number from {least} on")

    def after_status(self, request: Request, error: ApiError, attempt: int) -> float | None:
        """Seconds until the next attempt; `None` for none."""
        if error.status not in (429, 503) or not request.patient or attempt >= self.attempts:
            return None
        if error.retry_after is None:
            return self._pause(attempt)
        if error.retry_after > self.max_wait:
            return None
        return error.retry_after + random.uniform(0, min(1.0, self.backoff))

    def after_break(self, request: Request, attempt: int, *, sent: bool) -> float | None:
        """As `after_status`, for a broken connection; `sent` if the server may have read the request."""
        if not request.patient or attempt >= self.attempts or (sent and not request.is_safe):
            return None
        return self._pause(attempt)

    def _pause(self, attempt: int) -> float:
        longest: float = min(self.max_wait, self.backoff * 2 ** (attempt - 1))
        return random.uniform(longest / 2, longest)


@dataclass(slots=True)
class Patience:
    """How long an unfinished answer is waited for: `None` is for ever, 0 takes what there is."""

    wait: float | None
    strict: bool = True
    """Whether an answer that stays unfinished is an error, and not a warning alone."""
    pause: float = 0.1
    start: float = field(default_factory=time.monotonic)

    def next_pause(self) -> float | None:
        """Seconds until the next request; `None` if the answer is to be taken as it is."""
        left = None if self.wait is None else self.start + self.wait - time.monotonic()
        if left is not None and left <= 0:
            if self.strict and self.wait:
                raise UnfinishedError(
                    f"the server still reads the links of this scope after {self.wait:g} seconds; ask again later, "
                    "wait for longer (wait=…), or take what there is (wait=0)"
                )
            warn(UnfinishedWarning, "the answer is not complete yet; ask again for the whole one")
            return None
        pause = self.pause if left is None else min(self.pause, left)
        self.pause = min(2.0, self.pause * 2)
        return pause


def day(value: Day) -> str:
    """A day as yyyyMMdd."""
    found = plain(value)
    if isinstance(found, date):
        return f"{found.year:04}{found.month:02}{found.day:02}"
    if not isinstance(found, str):
        raise TypeError(f"a day is a date, or a text such as 2026-11-30, and not {value!r}")
    # The server says what it lacks in another text.
    return found.replace("-", "") if re.fullmatch(r"\d{4}-\d\d-\d\d", found) else found


def text_of(value: Scalar) -> str:
    """A value as a query string has it."""
    match plain(value):
        case bool(flag):
            return "true" if flag else "false"
        case date() as found:
            return day(found)
        case other:
            return str(other)


def params(**values: Scalar | Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Names and values of a query. `None` is left out. The lists `urls`, `targets`, `exclude` and `order` repeat their
    name with `[]`; others are joined by commas. An underscore at the end of a name is left out, as in `from_`."""
    pairs: list[tuple[str, str]] = []
    for name, value in values.items():
        name = name.rstrip("_")
        if value is None:
            continue
        if isinstance(value, Sequence) and not isinstance(value, str):
            if name in ("urls", "targets", "exclude", "order"):
                pairs.extend((f"{name}[]", each) for each in value)
            elif value:
                pairs.append((name, ",".join(value)))
        else:
            pairs.append((name, text_of(value)))
    return tuple(pairs)


def names(value: str | ColumnName | Iterable[str | ColumnName] | None) -> list[str] | None:
    """Names of columns, from one or several."""
    if value is None:
        return None
    several = [value] if isinstance(value, str | Condition) or not isinstance(value, Iterable) else list(value)
    wrong = [each for each in several if not isinstance(each, str | ColumnName)]
    if wrong:
        raise TypeError(f"{wrong[0]!r} is no column; fields and order take names such as 'sr', col.sr or -col.sr")
    return [each.name if isinstance(each, ColumnName) else str(each) for each in several]


def texts(name: str, value: Iterable[str]) -> list[str]:
    """Several texts, such as URLs."""
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise TypeError(f"{name} takes a list of texts, and not {value!r}")
    several = list(value)
    wrong = [each for each in several if not isinstance(each, str)]
    if wrong:
        raise TypeError(f"{name} takes texts, and not {wrong[0]!r}")
    return several


def where_text(value: Condition | str | None) -> str | None:
    """A condition as the API reads it."""
    if value is not None and not isinstance(value, str | Condition):
        raise TypeError(
            f"where is {value!r}; it must be a condition, such as (col.sr >= 3) & ~col.nofollow, or a text in the "
            "language of the API"
        )
    return None if value is None else str(value)


def checked_wait(wait: float | None) -> float | None:
    """Seconds to wait for a list; None is for ever."""
    if wait is not None and (not isinstance(wait, int | float) or not wait >= 0):
        raise ValueError(f"wait is {wait!r}; it must be a number of seconds from 0 on, or None to wait for ever")
    return wait


def whole_number(name: str, value: int, least: int, most: int | None = None) -> int:
    """A number of rows, also one of numpy, within these bounds."""
    bounds = f"from {least} on" if most is None else f"from {least} to {most}"
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} is {value!r}; it must be a whole number {bounds}") from None
    if number < least or (most is not None and number > most):
        raise ValueError(f"{name} is {number}; it must be a whole number {bounds}")
    return number
