"""What the lists of both clients have in common: a question, its pages, and tables that are in memory."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Generic, Literal, TypedDict, TypeVar

from . import _frames
from ._errors import AnswerError, StateChangedError, StateChangedWarning, warn
from ._protocol import Request, Scalar, checked_wait, names, params, where_text, whole_number
from ._record import AsOf, Column, Record
from ._reply import Raw, Reply, checked_rows, reading, records
from ._where import ColumnName, Condition

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

T = TypeVar("T", bound=Record)
X = TypeVar("X")

AsyncRun = AsyncGenerator[X, None]
Run = Generator[X, None, None]
"""What is read as it is needed, and can be closed."""

Active = bool | Literal["all"]
Scope = Literal["url", "host", "domain", "prefix"]
Internal = Literal["include", "exclude"]
Order = str | ColumnName | Sequence[str | ColumnName]
Fields = str | ColumnName | Sequence[str | ColumnName]

PAGE = 1_000
MOST_ROWS = 10_000
"""Rows that the API gives with one request for a page."""


class ListOptions(TypedDict, total=False):
    """What every list takes."""

    where: Condition | str | None
    """Which rows: an expression of `col`, or a text in the language of the API."""
    order: Order | None
    """The columns to sort by; `"-sr"` or `-col.sr` sorts in descending order."""
    fields: Fields | None
    """The columns to show, in this order; it saves the work for the others."""
    limit: int | None
    """Rows at most."""
    offset: int
    """Rows to pass over."""
    page_size: int
    """Rows of a request while one iterates: 1000, at most 10,000."""
    wait: float | None
    """Seconds to wait while the server still reads the links of the scope."""


class ExportOptions(TypedDict, total=False):
    """What both exports take."""

    fields: Fields | None
    """The columns to show, in this order."""
    limit: int | None
    """Rows at most."""
    next: str | None
    """Where to continue: the `next` of an earlier export."""
    page_size: int
    """Rows of a request: 5000 links or 500 pages, at most 10,000."""


@dataclass(frozen=True, slots=True)
class Query(Generic[T]):
    """A question whose answer is rows."""

    path: str
    row: type[T]
    params: tuple[tuple[str, str], ...] = ()
    conditions: tuple[str, ...] = ()
    """The names of the optional columns that the answer has, or how their `when` begins."""
    fields: tuple[str, ...] | None = None
    offset: int = 0
    limit: int | None = None
    page_size: int = PAGE
    wait: float | None = 30.0
    next: str | None = None
    key: str = "response"
    unordered: bool = False
    """Whether each request has an order of its own, so that pages do not fit together."""
    strict: bool = True
    """Whether an answer that stays unfinished is an error."""

    def page(self, offset: int, limit: int, next: str | None = None) -> Request:
        """The request for a page; `next` is the place of an export, and takes the place of `offset`."""
        place = [("offset", str(offset))] if offset else []
        place += [("next", next)] if next else []
        return Request("GET", self.path, (*self.params, ("limit", str(limit)), *place))

    def facets(self, columns: Iterable[str]) -> Request:
        """The request for the most frequent values."""
        return Request("GET", self.path, (*self.params, ("limit", "0"), ("facets", ",".join(columns))))

    def file(self, format: str, skip: int = 0) -> Request:
        """The request for all rows in one answer; `skip` rows are there already."""
        offset = self.offset + skip
        bounds = [("offset", str(offset))] if offset else []
        bounds += [("limit", str(self.limit - skip))] if self.limit is not None else []
        bounds += [("next", self.next)] if self.next else []
        return Request("GET", self.path, (*self.params, *bounds, ("format", format)))

    def columns(self) -> list[Column]:
        return _frames.columns_of(self.row, self.fields, self.conditions)

    def length(self, reply: Reply) -> int:
        """The number of rows within `offset` and `limit`."""
        left = max(0, reply.value("count", int) - self.offset)
        return left if self.limit is None else min(left, self.limit)

    def raws(self, reply: Reply) -> list[Raw]:
        return reply.rows(self.row, self.key, self.fields)

    def rows(self, raws: Iterable[Raw]) -> list[T]:
        return records(self.row, raws)

    def read(self, lines: list[bytes]) -> list[Raw]:
        """The rows of JSON lines."""
        # One call for all of them takes half the time.
        try:
            raws = json.loads(b"[" + b",".join(lines) + b"]")
        except (ValueError, RecursionError) as error:
            raise AnswerError(
                f"the answer ends within a row, or has lines that are no rows ({error}); the connection ended early, "
                "or there is another server at the address"
            ) from error
        return checked_rows(self.row, raws, self.fields)

    def sliced(self, part: slice) -> Query[T]:
        """The question for a part of the rows."""
        start, stop = part.start or 0, part.stop
        if part.step not in (None, 1) or start < 0 or (stop is not None and stop < 0):
            raise ValueError("slices of lists begin and end at rows from 0 on, without a step")
        length = None if stop is None else max(0, stop - start)
        left = None if self.limit is None else max(0, self.limit - start)
        bounds = [bound for bound in (length, left) if bound is not None]
        return replace(self, offset=self.offset + start, limit=min(bounds, default=None))


def list_query(
    row: type[T],
    path: str,
    options: ListOptions,
    *,
    wait: float | None,
    conditions: tuple[str, ...] = (),
    **own: Scalar | Sequence[str],
) -> Query[T]:
    """The question of a list."""
    unknown = options.keys() - ListOptions.__annotations__.keys()
    if unknown:
        raise TypeError(f"{path} takes no {', '.join(sorted(unknown))}")
    page_size = whole_number("page_size", options.get("page_size", PAGE), 1, MOST_ROWS)
    fields = names(options.get("fields"))
    where = options.get("where")
    given = params(where=where_text(where), order=order_names(options.get("order")), fields=fields, **own)
    return Query(
        path,
        row,
        given,
        conditions,
        tuple(fields) if fields else None,
        whole_number("offset", options.get("offset", 0), 0),
        row_limit(options.get("limit")),
        page_size,
        checked_wait(options.get("wait", wait)),
    )


def export_query(
    row: type[T], path: str, options: ExportOptions, page_size: int, **own: Scalar | Sequence[str]
) -> Query[T]:
    """The question of an export."""
    unknown = options.keys() - ExportOptions.__annotations__.keys()
    if unknown:
        raise TypeError(f"{path} takes no {', '.join(sorted(unknown))}")
    fields = names(options.get("fields"))
    return Query(
        path,
        row,
        params(fields=fields, **own),
        fields=tuple(fields) if fields else None,
        limit=row_limit(options.get("limit")),
        page_size=whole_number("page_size", options.get("page_size", page_size), 1, MOST_ROWS),
        next=options.get("next"),
    )


def row_limit(limit: int | None) -> int | None:
    """The most rows of a list; None is all of them."""
    return None if limit is None else whole_number("limit", limit, 0)


def order_names(value: Order | None) -> list[str] | None:
    """The fields of `order[]`."""
    return names(value)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list."""

    rows: list[T]
    count: int
    """Rows of the whole list."""
    offset: int
    """The place of the first row in the list, from 0."""
    as_of: AsOf | None
    """The state of the index that the page shows."""
    finished: bool
    """Whether the server has read all links of the scope."""
    known: str | None
    """What the index knows of the scope, if there are no rows: `unknown`, `discovered` or `visited`."""
    raws: list[Raw] = field(repr=False, default_factory=list)
    """The rows as the answer has them."""

    def __iter__(self) -> Iterator[T]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class Facet:
    """The most frequent values of a column."""

    values: dict[Any, int]
    """How many rows have each value, most rows first."""
    others: int
    """Rows with further values."""

    @classmethod
    def all_of(cls, reply: Reply) -> dict[str, Facet]:
        reply.value("count", int)
        others = reply.data.get("others", {})
        with reading():
            return {
                name: cls({each["value"]: each["rows"] for each in values}, others.get(name, 0))
                for name, values in reply.data.get("facets", {}).items()
            }


class Table(list[T]):
    """Rows of an answer that has all of them: a list with frames."""

    def __init__(self, row: type[T], reply: Reply, key: str = "response") -> None:
        self._raws = reply.rows(row, key)
        super().__init__(records(row, self._raws))
        self._row = row
        self.as_of = reply.as_of
        """The state of the index that the answer shows, if it is one."""
        self.finished = reply.finished
        """Whether the server has read all links of the scope."""
        self.known: str | None = reply.data.get("known")
        """What the index knows of the scope, if there are no rows."""

    def to_dicts(self) -> list[dict[str, Any]]:
        """Each row as a dict."""
        return [row.to_dict() for row in self]

    def to_pandas(self) -> pandas.DataFrame:
        return _frames.to_pandas(self._columns(), self._raws)

    def to_polars(self) -> polars.DataFrame:
        return _frames.to_polars(self._columns(), self._raws)

    def to_arrow(self) -> pyarrow.Table:
        return _frames.to_arrow(self._columns(), self._raws)

    def _columns(self) -> list[Column]:
        return _frames.columns_of(self._row, None, (_frames.SOME_ROWS,))


@dataclass(slots=True)
class StateGuard:
    """Notices that the index changed between two answers that belong together."""

    path: str
    state: AsOf | None = None
    warned: bool = False

    def check_page(self, reply: Reply) -> None:
        """Warns once if a page shows another state than the first one."""
        if self.state and reply.as_of and reply.as_of.change != self.state.change and not self.warned:
            self.warned = True
            warn(
                StateChangedWarning,
                f"the index changed while the pages of {self.path} were read, so rows may be missing or appear twice; "
                "all() and frames read one state",
            )
        self.state = self.state or reply.as_of

    def check_rest(self, reply: Reply, done: int) -> None:
        """Refuses to continue an answer after `done` rows, unless the index is the same."""
        same = self.state is not None and reply.as_of is not None and reply.as_of.change == self.state.change
        if done and not same:
            raise StateChangedError(
                f"the connection broke after {done} rows of {self.path}, and the index changed since"
            )
        self.state = reply.as_of


@dataclass(slots=True)
class Lines:
    """Collects the rows of JSON lines from pieces of bytes."""

    size: int
    """Rows of a chunk."""
    rest: bytes = b""
    rows: list[bytes] = field(default_factory=list)

    def add(self, piece: bytes) -> Iterator[list[bytes]]:
        """Takes a piece; gives the chunks that are full."""
        *lines, self.rest = (self.rest + piece).split(b"\n")
        self.rows.extend(line for line in lines if line)
        while len(self.rows) >= self.size:
            yield self.rows[: self.size]
            del self.rows[: self.size]

    def end(self) -> list[bytes]:
        """The last rows."""
        rows, self.rows = self.rows + ([self.rest] if self.rest else []), []
        return rows


def url_of(base: str, request: Request) -> str:
    """The address of a request, for curl or a browser."""
    import httpx

    query = str(httpx.QueryParams(list(request.params)))
    return f"{base.rstrip('/')}/{request.path}" + (f"?{query}" if query else "")
