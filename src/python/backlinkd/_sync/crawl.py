"""The crawl, and its controls."""

# tools/unasync.py writes this file from ../_async/crawl.py.

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import models
from .._protocol import Request, params, texts
from .._query import MOST_ROWS, Order, Query, order_names, row_limit
from .._reply import Reply, text
from .rows import Listing
from .transport import Transport


class Crawl:
    """The crawl in the process of the server. Controls need the role `operate`, and raise Conflict if no crawl runs."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def status(self) -> models.CrawlStatus:
        """State, rate, responses and failures of the crawl, and the length of the queue."""
        return (self._send("GET", "crawl")).record(models.CrawlStatus)

    def hosts(
        self, *, q: str | None = None, order: Order | None = None, limit: int | None = None
    ) -> Listing[models.CrawlHost]:
        """Hosts with their queue and state, longest queue first; `q` is a part of the name. They are no list of the
        index, and so have no files and no facets."""
        given = params(q=q, order=order_names(order))
        query = Query("crawl/hosts", models.CrawlHost, given, limit=row_limit(limit), key="hosts")
        return Listing(self._transport, query)

    def errors(self, *, kind: str | None = None, limit: int | None = None) -> Listing[models.CrawlError]:
        """The last failed requests, the latest first."""
        query = Query("crawl/errors", models.CrawlError, params(kind=kind), limit=row_limit(limit), key="errors")
        return Listing(self._transport, query)

    def seeds(self) -> list[str]:
        """The seeds of the index."""
        return self._names("crawl/seeds")

    def add_seeds(self, *urls: str) -> models.ListChange:
        """Adds seeds, which are visited at once."""
        return (self._send("POST", "crawl/seeds", {"urls": texts("urls", urls)})).record(models.ListChange)

    def blocks(self) -> list[str]:
        """The hosts and domains that the index blocks."""
        return self._names("crawl/blocks")

    def change_blocks(self, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> models.ListChange:
        """Blocks hosts and domains, or no longer."""
        body = {"add": texts("add", add), "remove": texts("remove", remove)}
        return (self._send("POST", "crawl/blocks", body)).record(models.ListChange)

    def pause(self) -> str:
        """Starts no fetch until `resume`."""
        return self._control("crawl/pause", {})

    def resume(self) -> str:
        """Ends the pause."""
        return self._control("crawl/resume", {})

    def rank(self) -> str:
        """Computes the ranks now."""
        return self._control("crawl/rank", {})

    def recrawl(self, *urls: str) -> str:
        """Visits known URLs again, whenever they are due."""
        return self._control("crawl/recrawl", {"urls": texts("urls", urls)})

    def _control(self, path: str, body: dict[str, Any]) -> str:
        """Sends a control; returns what happens, in a sentence."""
        return (self._send("POST", path, body)).value("done", text)

    def _names(self, path: str) -> list[str]:
        names: list[str] = []
        while True:
            own = params(limit=MOST_ROWS, offset=len(names) or None)
            reply = self._transport.send(Request("GET", path, own))
            part = reply.names("response")
            names.extend(part)
            if len(part) < MOST_ROWS:
                return names

    def _send(self, method: str, path: str, body: Any = None) -> Reply:
        reply = self._transport.send(Request(method, path, (), body))
        reply.show_warnings()
        return reply
