"""Lists and exports, read when they are needed."""

from __future__ import annotations

import os
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Self

import httpx

from .. import _frames
from .._errors import AnswerError, ConnectionFailed, StateChangedError
from .._files import Arrival, format_of, has_length
from .._mixins import AsyncReader, AsyncRowsMixin
from .._protocol import Patience, Request
from .._query import AsyncRun, Facet, Lines, Page, Query, StateGuard, T, url_of
from .._reply import Raw, Reply
from .._waiting import sleep_async as sleep
from .transport import AsyncTransport

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

CHUNK = 65_536
"""Rows of a batch, and of a row group of Parquet."""
TURNS = 3
"""How often an answer is begun again because the index changed after its connection broke."""


class AsyncWholes(AsyncReader, Generic[T]):
    """What lists and exports are turned into as a whole."""

    def __init__(self, transport: AsyncTransport, query: Query[T]) -> None:
        self._transport = transport
        self._query = query

    def __repr__(self) -> str:
        query = self._query
        bounds = "" if query.limit is None and not query.offset else f"[{query.offset}:{query.limit or ''}]"
        asked = Request("GET", query.path, query.params)
        return f"<{type(self).__name__} {url_of('', asked)}{bounds}>"

    def _chunks(self) -> AsyncRun[list[Raw]]:
        raise NotImplementedError

    async def _raws(self) -> list[Raw]:
        """All rows of one state of the index."""
        for turn in range(TURNS):
            raws: list[Raw] = []
            try:
                async with aclosing(self._chunks()) as chunks:
                    async for chunk in chunks:
                        raws.extend(chunk)
                return raws
            except StateChangedError:
                if turn == TURNS - 1:
                    raise
        raise AssertionError("the last turn returns or raises")

    async def all(self) -> list[T]:
        """All rows in memory."""
        return self._query.rows(await self._raws())

    async def to_dicts(self) -> list[dict[str, Any]]:
        """All rows as dicts, with Python's dates."""
        return [row.to_dict() for row in await self.all()]

    async def to_pandas(self) -> pandas.DataFrame:
        """A frame of pandas."""
        return _frames.to_pandas(self._query.columns(), await self._raws())

    async def to_polars(self) -> polars.DataFrame:
        """A frame of polars."""
        return _frames.to_polars(self._query.columns(), await self._raws())

    async def to_arrow(self) -> pyarrow.Table:
        """A table of Arrow."""
        return _frames.to_arrow(self._query.columns(), await self._raws())

    def _schema(self) -> pyarrow.Schema:
        return _frames.arrow_schema(self._query.columns())

    async def batches(self) -> AsyncRun[pyarrow.RecordBatch]:
        """Batches of Arrow, read one by one."""
        columns, schema = self._query.columns(), self._schema()
        async with aclosing(self._chunks()) as chunks:
            async for chunk in chunks:
                yield _frames.to_batch(columns, chunk, schema)

    async def to_parquet(self, path: str | os.PathLike[str], *, compression: str = "zstd") -> int:
        """Writes a Parquet file and returns the number of rows. The file appears when it is complete."""
        parquet = _frames.library("pyarrow.parquet")
        columns, schema = self._query.columns(), self._schema()
        partial = Path(f"{os.fspath(path)}.part")
        try:
            for turn in range(TURNS):
                rows = 0
                try:
                    with parquet.ParquetWriter(partial, schema, compression=compression) as writer:
                        async with aclosing(self._chunks()) as chunks:
                            async for chunk in chunks:
                                writer.write_batch(_frames.to_batch(columns, chunk, schema))
                                rows += len(chunk)
                    partial.replace(path)
                    return rows
                except StateChangedError:
                    if turn == TURNS - 1:
                        raise
            raise AssertionError("the last turn returns or raises")
        finally:
            partial.unlink(missing_ok=True)


class AsyncFiles(AsyncWholes[T]):
    """What the server also sends in other formats."""

    def url(self, format: str = "csv") -> str:
        """The address of all rows in this format, for curl, DuckDB or a spreadsheet. It has no credentials."""
        return url_of(str(self._transport.access.base), self._query.file(format))

    async def download(self, path: str | os.PathLike[str], *, format: str | None = None) -> Path:
        """Writes what the server sends: `csv`, `excel` (CSV for spreadsheets), `jsonl`, `parquet`, `arrow`, or `atom`.
        The ending of the name decides, unless `format` is given. The file appears when it is complete."""
        target = Path(path)
        partial = Path(f"{target}.part")
        try:
            await self._download(partial, format_of(target, format))
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
        return target

    async def _download(self, partial: Path, format: str) -> None:
        request = self._query.file(format)
        patience = Patience(self._query.wait, self._query.strict)
        attempt = 0
        while True:
            attempt += 1
            try:
                async with self._transport.open(request, stream=True) as response:
                    reply = Reply.of_stream(response.headers)
                    pause = None if reply.finished else patience.next_pause()
                    if pause is None:
                        reply.show_warnings()
                        arrival = Arrival(format)
                        with partial.open("wb") as file:
                            async for piece in response.aiter_bytes():
                                file.write(piece)
                                arrival.add(piece)
                        rows = self._query.length(reply) if "count" in reply.data else None
                        arrival.check(rows, bounded=has_length(response.http_version, response.headers))
                        return
            except httpx.TransportError as error:
                pause = self._transport.retry.after_break(request, attempt, sent=True)
                if pause is None:
                    raise ConnectionFailed(f"the connection broke: {error or type(error).__name__}") from error
            except httpx.RequestError as error:
                raise AnswerError(f"the answer of {self._transport.access.base} cannot be read: {error!r}") from error
            await sleep(pause)


class AsyncListing(AsyncRowsMixin[T], AsyncWholes[T]):
    """A list that is read page by page, as rows are needed. Nothing is asked until it is read."""

    def __init__(self, transport: AsyncTransport, query: Query[T]) -> None:
        super().__init__(transport, query)
        self._count: int | None = None

    def _part(self, part: slice) -> Self:
        return type(self)(self._transport, self._query.sliced(part))

    async def count(self) -> int:
        """The number of rows, asked now."""
        reply = await self._send_finished(self._query.offset, 0)
        reply.show_warnings()
        return self._remember(reply)

    async def first(self) -> T | None:
        """The first row, if there is one."""
        rows = (await self.page(0, 1)).rows
        return rows[0] if rows else None

    async def page(self, offset: int = 0, limit: int | None = None) -> Page[T]:
        """One page: `limit` rows from the row `offset` of this list on."""
        query = self._query.sliced(slice(offset, None if limit is None else offset + limit))
        size = query.page_size if query.limit is None else query.limit
        reply = await self._send_finished(query.offset, size)
        reply.show_warnings()
        return self._page(query.offset, reply)

    async def pages(self) -> AsyncRun[Page[T]]:
        """The pages one after the other. There is at least one, also if it is empty."""
        query = self._query
        guard = StateGuard(query.path)
        place, left = query.offset, query.limit
        while True:
            size = query.page_size if left is None else min(query.page_size, left)
            reply = await self._send_finished(place, size)
            if guard.state is None and place == query.offset:
                reply.show_warnings()
            guard.check_page(reply)
            self._remember(reply)
            page = self._page(place, reply)
            yield page
            place += len(page)
            left = None if left is None else left - len(page)
            if (left is not None and left <= 0) or place >= page.count or query.unordered:
                return
            if not page.rows:
                raise AnswerError(f"the server gives {place} of {page.count} rows of {query.path}, and no more")

    async def _send_finished(self, offset: int, limit: int) -> Reply:
        request = self._query.page(offset, limit)
        return await self._transport.send_finished(request, self._query.wait, strict=self._query.strict)

    def _page(self, offset: int, reply: Reply) -> Page[T]:
        raws = self._query.raws(reply)
        rows, count, known = self._query.rows(raws), reply.value("count", int), reply.data.get("known")
        return Page(rows, count, offset, reply.as_of, reply.finished, known, raws)

    def _remember(self, reply: Reply) -> int:
        self._count = self._query.length(reply)
        return self._count

    async def _chunks(self) -> AsyncRun[list[Raw]]:
        async with aclosing(self.pages()) as pages:
            async for page in pages:
                yield page.raws


class AsyncRows(AsyncListing[T], AsyncFiles[T]):
    """A list of the index. Nothing is asked until it is read.

    Iterating reads page by page, as rows are needed. A list whose index changes between two pages may miss rows or have
    them twice; StateChangedWarning says so. `all()`, frames and files are one answer of one state of the index.
    """

    async def facets(self, *columns: str) -> dict[str, Facet]:
        """The most frequent values of each column among the rows that match `where`."""
        request = self._query.facets(columns)
        reply = await self._transport.send_finished(request, self._query.wait, strict=self._query.strict)
        reply.show_warnings()
        return Facet.all_of(reply)

    async def _chunks(self) -> AsyncRun[list[Raw]]:
        guard = StateGuard(self._query.path)
        patience = Patience(self._query.wait, self._query.strict)
        done, attempt = 0, 0
        while True:
            attempt += 1
            request = self._query.file("jsonl", done)
            lines = Lines(CHUNK)
            try:
                async with self._transport.open(request, stream=True) as response:
                    reply = Reply.of_stream(response.headers)
                    pause = None if reply.finished else patience.next_pause()
                    if pause is None:
                        guard.check_rest(reply, done)
                        self._remember(reply)
                        if done == 0:
                            reply.show_warnings()
                        async for piece in response.aiter_bytes():
                            for chunk in lines.add(piece):
                                yield self._query.read(chunk)
                                done, attempt = done + len(chunk), 0
                        rest = lines.end()
                        if rest:
                            yield self._query.read(rest)
                        self._check_count(reply, done + len(rest))
                        return
            except httpx.TransportError as error:
                # What has arrived is kept; the next request asks for the rest.
                if lines.rows:
                    yield self._query.read(lines.rows)
                    done, attempt = done + len(lines.rows), 0
                pause = self._transport.retry.after_break(request, attempt, sent=True)
                if pause is None:
                    raise ConnectionFailed(f"the connection broke: {error or type(error).__name__}") from error
            except httpx.RequestError as error:
                raise AnswerError(f"the answer of {self._transport.access.base} cannot be read: {error!r}") from error
            await sleep(pause)

    def _check_count(self, reply: Reply, rows: int) -> None:
        """A list with other rows than its count is refused, so that no wrong figure is passed on."""
        if rows != self._remember(reply):
            raise AnswerError(f"the answer has {rows} rows, but its headers promise {self._count}")


class AsyncExport(AsyncFiles[T]):
    """An export of everything there is, in the order of the keys of the index.

    It is read in parts, each of which is asked again if its connection breaks. `next` is the place after the last part:
    give it to the same method later to continue, also in another process. It is None before the beginning and after the
    end. A row that exists all the time appears exactly once, also while pages are crawled.
    """

    def __init__(self, transport: AsyncTransport, query: Query[T]) -> None:
        super().__init__(transport, query)
        self.next = query.next
        self.finished = False
        """Whether the last part was read."""

    def __bool__(self) -> NoReturn:
        raise TypeError(
            "an export does not know whether it has rows before it is read; ask `.all()` or its list instead"
        )

    async def __aiter__(self) -> AsyncRun[T]:
        """All rows, part by part."""
        async with aclosing(self.parts()) as parts:
            async for part in parts:
                for row in part:
                    yield row

    async def parts(self) -> AsyncRun[list[T]]:
        """The parts one after the other; when a part arrives, `next` is the place after it."""
        async with aclosing(self._chunks()) as chunks:
            async for chunk in chunks:
                yield self._query.rows(chunk)

    async def _chunks(self) -> AsyncRun[list[Raw]]:
        query = self._query
        self.next, left = query.next, query.limit
        self.finished = False
        first = True
        while True:
            size = query.page_size if left is None else min(query.page_size, left)
            reply = await self._transport.send(query.page(0, size, self.next))
            if first:
                reply.show_warnings()
            first = False
            raws = query.raws(reply)
            place, self.next = self.next, reply.data["next"]
            self.finished = self.next is None
            if size and self.next is not None and (not raws or self.next == place):
                raise AnswerError(f"the export does not advance: its next part is again {self.next!r}")
            left = None if left is None else left - len(raws)
            if raws:
                yield raws
            if self.next is None or (left is not None and left <= 0):
                return
