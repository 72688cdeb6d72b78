"""What only one of the two clients can do, because Python or Arrow has no form of it for the other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Generic, NoReturn, Self, TypeVar, overload

from . import _frames
from ._query import Page, Query
from ._record import Record

if TYPE_CHECKING:
    import pyarrow

T = TypeVar("T", bound=Record)


class SyncReader:
    """Arrow's reader, which is synchronous."""

    def batches(self) -> Iterator[pyarrow.RecordBatch]:
        raise NotImplementedError

    def _schema(self) -> pyarrow.Schema:
        raise NotImplementedError

    def reader(self) -> pyarrow.RecordBatchReader:
        """A reader of batches, for DuckDB, pyarrow.dataset and others that read Arrow as it comes."""
        pyarrow = _frames.library("pyarrow")
        return pyarrow.RecordBatchReader.from_batches(self._schema(), self.batches())


class AsyncReader:
    """Arrow has no asynchronous reader; `batches()` is the same."""

    if not TYPE_CHECKING:  # so that checkers report it before

        def __iter__(self) -> NoReturn:
            raise TypeError(
                "the rows of an asynchronous export are read with `async for`, or with `await export.all()`"
            )


class SyncRowsMixin(Generic[T]):
    """What only the lists of `Client` can do, because Python has no asynchronous form of it."""

    _query: Query[T]
    _count: int | None

    def pages(self) -> Iterator[Page[T]]:
        raise NotImplementedError

    def count(self) -> int:
        raise NotImplementedError

    def page(self, offset: int = 0, limit: int | None = None) -> Page[T]:
        raise NotImplementedError

    def _part(self, part: slice) -> Self:
        raise NotImplementedError

    def __iter__(self) -> Iterator[T]:
        """All rows, page by page. The first page is read at once, and gives `len()`."""
        pages = self.pages()
        first = next(pages, None)
        return chain.from_iterable(page.rows for page in ([] if first is None else chain([first], pages)))

    def __len__(self) -> int:
        """The number of rows, as the last answer to this list says; `count()` asks again."""
        return self.count() if self._count is None else self._count

    def __bool__(self) -> bool:
        return len(self) > 0

    @overload
    def __getitem__(self, place: int) -> T: ...

    @overload
    def __getitem__(self, place: slice) -> Self: ...

    def __getitem__(self, place: int | slice) -> T | Self:
        """A row, or a list of a part of the rows."""
        if isinstance(place, slice):
            return self._part(place)
        if place < 0:
            raise IndexError("rows are counted from 0 on; sort in the other direction for the last ones")
        rows = self.page(place, 1).rows
        if not rows:
            raise IndexError(f"there is no row {place}")
        return rows[0]


class AsyncRowsMixin(Generic[T]):
    """What only the lists of `AsyncClient` can do."""

    def pages(self) -> AsyncIterator[Page[T]]:
        raise NotImplementedError

    def _part(self, part: slice) -> Self:
        raise NotImplementedError

    async def __aiter__(self) -> AsyncIterator[T]:
        """All rows, page by page."""
        async for page in self.pages():
            for row in page.rows:
                yield row

    if not TYPE_CHECKING:  # so that checkers report these before

        def __iter__(self) -> NoReturn:
            raise TypeError("the rows of an asynchronous list are read with `async for`, or with `await rows.all()`")

        def __len__(self) -> NoReturn:
            raise TypeError("the number of rows of an asynchronous list is `await rows.count()`")

    def __bool__(self) -> NoReturn:
        raise TypeError("whether an asynchronous list has rows is `await rows.count() > 0`")

    def __getitem__(self, place: slice) -> Self:
        """A list of a part of the rows."""
        if not isinstance(place, slice):
            raise TypeError("a row of an asynchronous list is (await rows.page(7, 1)).rows[0]; slices work")
        return self._part(place)
