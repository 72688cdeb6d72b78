"""Conditions for `where`, written as Python expressions.

`(col.sr >= 3) & ~col.nofollow` is `sr ge 3 AND NOT nofollow eq true`. Python binds `&`, `|` and `~` more tightly than
comparisons, so these need parentheses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from functools import cache
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, NoReturn

from ._values import Value, plain, several

PARENTHESES = (
    "cannot be compared or joined; put comparisons beside & and | in parentheses: (col.sr >= 3) & col.nofollow"
)
_DAY = re.compile(r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Condition:
    """A condition. `str()` gives it as the API reads it."""

    def __and__(self, other: Condition) -> Condition:
        return _joined("AND", self, other)

    def __or__(self, other: Condition) -> Condition:
        return _joined("OR", self, other)

    def __invert__(self) -> Condition:
        return _Not(self)

    if not TYPE_CHECKING:  # so that checkers report these before

        def __rand__(self, other: object) -> NoReturn:
            raise TypeError(f"{other!r} & … {PARENTHESES}")

        def __ror__(self, other: object) -> NoReturn:
            raise TypeError(f"{other!r} | … {PARENTHESES}")

        def _refuse(self, value: object) -> NoReturn:
            raise TypeError(f"{self!r} and {value!r} {PARENTHESES}")

        __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
        __hash__ = None

    # So that numpy leaves `numpy.float64(2) < col.sr` to the column.
    __array_ufunc__ = None

    def __bool__(self) -> NoReturn:
        raise TypeError("use & | ~ instead of and, or, not, and two conditions instead of a < b < c")

    def __repr__(self) -> str:
        return f"<where {self}>"


class _Test(Condition):
    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return self._text


class _Joined(Condition):
    def __init__(self, word: str, parts: tuple[Condition, ...]) -> None:
        self.word = word
        self.parts = parts

    def __str__(self) -> str:
        # AND binds more tightly than OR. The server limits the depth, so only the parentheses that count are written.
        def shown(part: Condition) -> str:
            return f"({part})" if self.word == "AND" and isinstance(part, _Joined) else str(part)

        return f" {self.word} ".join(shown(part) for part in self.parts)


class _Not(Condition):
    def __init__(self, inner: Condition) -> None:
        self.inner = inner

    def __invert__(self) -> Condition:
        return self.inner

    def __str__(self) -> str:
        return f"NOT ({self.inner})" if isinstance(self.inner, _Joined) else f"NOT {self.inner}"


class ColumnName(Condition):
    """A column in a condition: `col.sr >= 3`, `col.tag.in_("a", "area")`. Alone it says that a flag is true."""

    def __init__(self, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a column")
        self.name = name

    def __str__(self) -> str:
        return f"{self.name} eq true"

    def __eq__(self, value: Value) -> Condition:  # type: ignore[override]
        return self._compare("eq", value)

    def __ne__(self, value: Value) -> Condition:  # type: ignore[override]
        return self._compare("ne", value)

    def __lt__(self, value: Value) -> Condition:
        return self._compare("lt", value)

    def __le__(self, value: Value) -> Condition:
        return self._compare("le", value)

    def __gt__(self, value: Value) -> Condition:
        return self._compare("gt", value)

    def __ge__(self, value: Value) -> Condition:
        return self._compare("ge", value)

    __hash__ = None  # type: ignore[assignment]

    def __neg__(self) -> str:
        """The column for `order`, in descending order."""
        return f"-{self.name}"

    def between(self, first: Value, last: Value) -> Condition:
        """Both ends included."""
        return (self >= first) & (self <= last)

    def in_(self, *values: Value | Iterable[Value]) -> Condition:
        """One of these values, given one by one or as a list."""
        flat = [each for value in values for each in several(value)]
        if not flat:
            raise ValueError(f"in_ of {self.name} has no values; no row matches, so leave the request out")
        return _Test(f"{self.name} in ({', '.join(self._literal(value) for value in flat)})")

    def like(self, pattern: str) -> Condition:
        """The whole text, with `%` for any run of characters and `_` for a single one."""
        return self._test_text("like", pattern)

    def notlike(self, pattern: str) -> Condition:
        return self._test_text("notlike", pattern)

    def contains(self, part: str) -> Condition:
        return self._test_text("contains", part)

    def startswith(self, part: str) -> Condition:
        return self._test_text("startswith", part)

    def endswith(self, part: str) -> Condition:
        return self._test_text("endswith", part)

    def matches(self, pattern: str) -> Condition:
        """A regular expression for a part of the text, in the syntax of Rust's crate `regex`."""
        return self._test_text("matches", pattern)

    def _compare(self, operator: str, value: Value) -> Condition:
        return _Test(f"{self.name} {operator} {self._literal(value)}")

    def _literal(self, value: Value) -> str:
        """A value; days may be texts, as they may elsewhere."""
        found = _DAY.fullmatch(value) if isinstance(value, str) and self.name in _days() else None
        return "".join(found.groups()) if found else literal(value)

    def _test_text(self, operator: str, text: str) -> Condition:
        if not isinstance(text, str):
            raise TypeError(f"{operator} takes a str, not {type(text).__name__}")
        return _Test(f"{self.name} {operator} {literal(text)}")


class Columns:
    """`col.sr`, or `col["sr"]`, is a column in a condition."""

    def __getattr__(self, name: str) -> ColumnName:
        if name.startswith("__"):
            raise AttributeError(name)
        return ColumnName(name)

    def __getitem__(self, name: str) -> ColumnName:
        return ColumnName(name)


col = Columns()


@cache
def _days() -> frozenset[str]:
    """The columns that have days, whatever the list."""
    from . import models

    kinds: dict[str, set[str]] = {}
    for row in vars(models).values():
        for column in getattr(row, "COLUMNS", ()):
            kinds.setdefault(column.name, set()).add(column.kind)
    return frozenset(name for name, found in kinds.items() if found == {"day"})


def literal(value: Value) -> str:
    """A value as `where` has it."""
    match plain(value):
        case bool(flag):
            return "true" if flag else "false"
        case int(number):
            return str(int(number))
        case float() | Decimal() as number:
            exact = Decimal(repr(float(number))) if isinstance(number, float) else number
            if not exact.is_finite():
                raise ValueError(f"{value} cannot be compared with; leave missing values out")
            return f"{exact:f}"
        case date() as day:
            return f"{day.year:04}{day.month:02}{day.day:02}"
        case str(text):
            return "'" + text.replace("'", "''") + "'"
        case IPv4Address() | IPv6Address() as ip:
            return f"'{ip}'"
        case _:
            raise TypeError(f"a column cannot be compared with {value!r}")


def _joined(word: str, *conditions: Condition) -> Condition:
    parts: list[Condition] = []
    for condition in conditions:
        if not isinstance(condition, Condition):
            raise TypeError(f"{condition!r} {PARENTHESES}")
        if isinstance(condition, _Joined) and condition.word == word:
            parts.extend(condition.parts)
        else:
            parts.append(condition)
    return _Joined(word, tuple(parts))
