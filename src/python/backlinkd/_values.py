"""Values of programs and of frames: those of numpy, pandas, polars and Arrow as those of Python, without an import."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, time
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Protocol


class FrameValue(Protocol):
    """A scalar of numpy."""

    def item(self) -> Any: ...


Value = FrameValue | bool | int | float | Decimal | str | date | IPv4Address | IPv6Address
"""What a column is compared with."""

MISSING = ("NAType", "NaTType")
"""The types of the missing values of pandas."""
ABSENT = "a missing value cannot be compared with; leave missing values out"
DAYS = "columns have days; use the .date() of the datetime"
ONE = "a column is compared with one value, not with a {}; in_ takes several values"


def plain(value: Any) -> Any:
    """The value of Python that a value of a frame is."""
    if type(value).__name__ in MISSING:
        raise ValueError(ABSENT)
    if isinstance(value, datetime):
        if type(value) is datetime:
            raise TypeError(DAYS)
        return midnight(value)
    if isinstance(value, str | int | float | Decimal | date | IPv4Address | IPv6Address):
        return value
    if type(value).__name__ == "datetime64":
        # Finer units than these are numbers in Python.
        return plain_or_missing(value.astype("datetime64[us]").item(), midnight)
    for name in ("as_py", "item"):
        convert = getattr(value, name, None)
        if callable(convert):
            try:
                inner = convert()
            except (TypeError, ValueError):
                raise TypeError(ONE.format(type(value).__name__)) from None
            return plain_or_missing(inner)
    if hasattr(value, "columns"):
        raise TypeError(ONE.format(type(value).__name__))
    return value


def plain_or_missing(value: Any, make: Callable[[Any], Any] = plain) -> Any:
    """As `plain`, where None is a missing value."""
    if value is None:
        raise ValueError(ABSENT)
    return make(value)


def midnight(value: datetime) -> date:
    """The day of a time of a frame: pandas and numpy have days as midnights."""
    if value.time() != time() or value.tzinfo is not None:
        raise TypeError(DAYS)
    return value.date()


def several(value: Any) -> Iterable[Any]:
    """The values of a list, a series or an array; a single value is one of itself."""
    if isinstance(value, bytes | bytearray | memoryview):
        raise TypeError(f"a column cannot be compared with {value!r}; decode the bytes")
    if hasattr(value, "columns"):
        raise TypeError(f"in_ takes one column of a frame, not a {type(value).__name__}")
    is_one = isinstance(value, str) or not isinstance(value, Iterable) or getattr(value, "ndim", 1) == 0
    return [value] if is_one else value
