"""The endpoints that are about a scope: a URL, a host, a domain or a prefix."""

# tools/unasync.py writes this file from ../_async/site.py.

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Unpack

from .. import models
from .._files import Arrival, has_length
from .._protocol import MOST_QUERY, Day, Request, Scalar, day, params, texts, where_text
from .._query import (
    Active,
    ExportOptions,
    Internal,
    ListOptions,
    Order,
    Query,
    Scope,
    T,
    Table,
    export_query,
    list_query,
    order_names,
    url_of,
)
from .._reply import Reply, records
from .._where import Condition
from .rows import Export, Rows
from .transport import Transport

Own = dict[str, Scalar | Sequence[str]]
Where = Condition | str | None
GROUPED = ("Only with group=domain",)
DETAILED = ("Only with details=true",)


class Site:
    """A part of the web, as the index sees it: `web["example.org"]`, or `web.site("example.org/blog", scope="prefix")`.

    Methods have the names of the endpoints. Lists take `where`, `order`, `fields`, `limit`, `offset`, `page_size` and
    `wait`, and are read when they are needed. Other methods ask at once.
    """

    def __init__(
        self,
        transport: Transport,
        url: str,
        scope: Scope | None,
        internal: Internal | None,
        wait: float | None,
    ) -> None:
        self._transport = transport
        self.url = url
        self.scope = scope
        self.internal = internal
        self.wait = wait

    def __repr__(self) -> str:
        own = {"scope": self.scope, "internal": self.internal}
        return f"{type(self).__name__}({', '.join([repr(self.url), *(f'{k}={v!r}' for k, v in own.items() if v)])})"

    # Links into the scope.

    def backlinks(
        self,
        *,
        active: Active | None = None,
        group: Literal["domain"] | None = None,
        details: bool = False,
        **options: Unpack[ListOptions],
    ) -> Rows[models.Backlink]:
        """The active external links into the scope, strongest pages first.

        `active=False` lists lost links instead, and `active="all"` both. `group="domain"` has one row for each
        referring domain, with its strongest link. `details` adds `reason`, `confirmed` and `doubt`.
        """
        conditions = (GROUPED if group else ()) + (DETAILED if details else ())
        own = self._own(active=active, group=group, details=details or None)
        return self._rows(models.Backlink, "backlinks", options, own, conditions)

    def newbacklinks(
        self,
        from_: Day,
        to: Day | None = None,
        *,
        active: Active | None = None,
        details: bool = False,
        **options: Unpack[ListOptions],
    ) -> Rows[models.NewBacklink]:
        """The links that were first seen in these days, both included. `active=True` leaves out those lost since."""
        own = self._own(from_=day(from_), to=_day(to), active=active, details=details or None)
        conditions = DETAILED if details else ()
        return self._rows(models.NewBacklink, "newbacklinks", options, own, conditions)

    def lostbacklinks(
        self, from_: Day, to: Day | None = None, **options: Unpack[ListOptions]
    ) -> Rows[models.LostBacklink]:
        """The links that were lost in these days, both included, and did not come back."""
        own = self._own(from_=day(from_), to=_day(to))
        return self._rows(models.LostBacklink, "lostbacklinks", options, own)

    def brokenbacklinks(self, **options: Unpack[ListOptions]) -> Rows[models.BrokenBacklink]:
        """The active backlinks whose target fails. `code` is 0 and `failure` the reason if it did not answer."""
        return self._rows(models.BrokenBacklink, "brokenbacklinks", options)

    def exportbacklinks(self, **options: Unpack[ExportOptions]) -> Export[models.ExportedBacklink]:
        """All external links into the scope, active and lost."""
        query = export_query(models.ExportedBacklink, "exportbacklinks", options, 5_000, **self._own())
        return Export(self._transport, query)

    def export(self, **options: Unpack[ExportOptions]) -> Export[models.ExportedBacklink]:
        """As `exportbacklinks`."""
        return self.exportbacklinks(**options)

    def linktexts(self, **options: Unpack[ListOptions]) -> Rows[models.LinkText]:
        """The anchor texts of the backlinks, most frequent first."""
        return self._rows(models.LinkText, "linktexts", options)

    def linktextdistribution(
        self, *, where: Where = None, order: Order | None = None, top: int | None = None
    ) -> Table[models.LinkTextShare]:
        """The `top` (9) most frequent anchor texts, and a row for the rest, whose `rest` is true."""
        own = self._shares(where, order, top)
        return self._table(models.LinkTextShare, "linktextdistribution", own)

    def tagtypes(self, **options: Unpack[ListOptions]) -> Rows[models.TagCount]:
        """The backlinks by the element or redirect that makes them."""
        return self._rows(models.TagCount, "tagtypes", options)

    def linktypes(self) -> Table[models.LinkTypeCount]:
        """The numbers of text links and of image links."""
        return self._table(models.LinkTypeCount, "linktypes")

    def linkspread(self) -> models.LinkSpread:
        """The numbers of backlinks that pass rank on and do not: `follow` and `nofollow`."""
        return self._merged(models.LinkSpread, "linkspread")

    def linkratio(self) -> models.LinkRatio:
        """The numbers of backlinks to the home page and to others: `homelinks` and `deeplinks`."""
        return self._merged(models.LinkRatio, "linkratio")

    def srspread(self, *, showgroup: bool = False) -> Table[models.RankCount]:
        """The backlinks by the rank of their page, rounded up; with `showgroup` in pairs of ranks."""
        return self._table(models.RankCount, "srspread", {"showgroup": showgroup or None})

    def edugovlinks(self) -> Table[models.EduGovCount]:
        """Backlinks and referring domains whose public suffix has the label `edu` or `gov`."""
        return self._table(models.EduGovCount, "edugovlinks")

    def geolocationshort(self, **options: Unpack[ListOptions]) -> Rows[models.CountryCount]:
        """The backlinks by country of their server; an unknown country is empty."""
        return self._rows(models.CountryCount, "geolocationshort", options)

    def tldlist(self, **options: Unpack[ListOptions]) -> Rows[models.TopLevelCount]:
        """The backlinks by top-level domain."""
        return self._rows(models.TopLevelCount, "tldlist", options)

    def iplist(self, **options: Unpack[ListOptions]) -> Rows[models.Address]:
        """The addresses of the servers that the linking pages are on."""
        return self._rows(models.Address, "iplist", options)

    def ippopularity(self) -> models.AddressCounts:
        """The numbers of addresses and networks that backlinks come from."""
        return (self._get("ippopularity")).first(models.AddressCounts)

    def anabacklinks(self) -> int:
        """The number of backlinks."""
        return (self._get("anabacklinks")).figure("backlinks", int)

    def summary(self, *, since: Day | None = None) -> models.Summary:
        """All figures of the scope in one state of the index, and what changed after the day `since`.

        Figures that the server still counts after `wait` seconds are None, and `exportFinished` is then false.
        """
        reply = self._get("summary", {"since": _day(since)}, strict=False)
        return reply.record(models.Summary)

    # Referring domains.

    def referringdomains(
        self, *, active: Active | None = None, details: bool = False, **options: Unpack[ListOptions]
    ) -> Rows[models.ReferringDomain]:
        """The registrable domains of the linking pages, most links first. `details` adds `refdoms`."""
        own = self._own(active=active, details=details or None)
        conditions = DETAILED if details else ()
        return self._rows(models.ReferringDomain, "referringdomains", options, own, conditions)

    def domainpopularity(self) -> int:
        """The number of referring domains."""
        return (self._get("domainpopularity")).figure("domainpopularity", int)

    def newdomains(
        self, from_: Day, to: Day | None = None, **options: Unpack[ListOptions]
    ) -> Rows[models.NewDomain]:
        """The domains that began to link in these days."""
        return self._rows(models.NewDomain, "newdomains", options, self._own(from_=day(from_), to=_day(to)))

    def lostdomains(
        self, from_: Day, to: Day | None = None, **options: Unpack[ListOptions]
    ) -> Rows[models.LostDomain]:
        """The domains that ceased to link in these days."""
        return self._rows(models.LostDomain, "lostdomains", options, self._own(from_=day(from_), to=_day(to)))

    def competitors(self, **options: Unpack[ListOptions]) -> Rows[models.Competitor]:
        """The domains that share referring domains with the scope."""
        return self._rows(models.Competitor, "competitors", options)

    def neighbourhood(self, *, nodes: int | None = None, since: Day | None = None) -> models.Neighbourhood:
        """The graph of the scope and its strongest referring domains."""
        reply = self._get("neighbourhood", {"nodes": nodes, "since": _day(since)})
        return reply.record(models.Neighbourhood)

    def graph(
        self,
        path: str | os.PathLike[str],
        *,
        format: Literal["gexf", "graphml"] | None = None,
        nodes: int | None = None,
        since: Day | None = None,
    ) -> Path:
        """Writes the neighbourhood for Gephi, NetworkX and others. The ending of the name decides on the format."""
        target = Path(path)
        arrival = Arrival(format or target.suffix.lstrip("."))
        own = self._own(nodes=nodes, since=_day(since), format=arrival.format)
        response = self._transport.respond(Request("GET", "neighbourhood", params(**own)))
        arrival.add(response.content)
        arrival.check(None, bounded=has_length(response.http_version, response.headers))
        partial = Path(f"{target}.part")
        try:
            partial.write_bytes(response.content)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
        return target

    # Pages of the scope, and the links on them.

    def sr(self) -> float:
        """The IV Search Rank, from 0 to 10."""
        return (self._get("sr")).figure("sr", float)

    def bestpages(self, **options: Unpack[ListOptions]) -> Rows[models.BestPage]:
        """The pages that backlinks lead to, by referring domains, with their HTTP status."""
        return self._rows(models.BestPage, "bestpages", options)

    def linkedpages(self, **options: Unpack[ListOptions]) -> Rows[models.LinkedPage]:
        """The pages that backlinks lead to, by backlinks."""
        return self._rows(models.LinkedPage, "linkedpages", options)

    def httpstatus(self, **options: Unpack[ListOptions]) -> Rows[models.StatusCount]:
        """The fetched pages by HTTP status."""
        return self._rows(models.StatusCount, "httpstatus", options)

    def redirectchain(self, **options: Unpack[ListOptions]) -> Rows[models.Redirect]:
        """The URLs from this one to the end of its redirects."""
        return self._rows(models.Redirect, "redirectchain", options)

    def exportpages(self, **options: Unpack[ExportOptions]) -> Export[models.ExportedPage]:
        """All fetched pages of the scope with the links on them."""
        query = export_query(models.ExportedPage, "exportpages", options, 500, **self._own())
        return Export(self._transport, query)

    def outgoinglinks(self, **options: Unpack[ListOptions]) -> Rows[models.OutgoingLink]:
        """The active external links on the pages of the scope."""
        return self._rows(models.OutgoingLink, "outgoinglinks", options)

    def outgoinghosts(self, **options: Unpack[ListOptions]) -> Rows[models.OutgoingHost]:
        """The hosts that the pages of the scope link to."""
        return self._rows(models.OutgoingHost, "outgoinghosts", options)

    def outgoinglinktexts(self, **options: Unpack[ListOptions]) -> Rows[models.OutgoingLinkText]:
        """The anchor texts of the external links on the pages of the scope."""
        return self._rows(models.OutgoingLinkText, "outgoinglinktexts", options)

    def outgoingtoppages(self, **options: Unpack[ListOptions]) -> Rows[models.OutgoingPage]:
        """The pages of the scope by their external links."""
        return self._rows(models.OutgoingPage, "outgoingtoppages", options)

    def outgoinglinkcount(self) -> Table[models.OutgoingCount]:
        """The numbers of all, external and internal links on the pages of the scope."""
        return self._table(models.OutgoingCount, "outgoinglinkcount")

    def pagedistribution(
        self,
        *,
        direction: Literal["in", "out"] | None = None,
        where: Where = None,
        order: Order | None = None,
        top: int | None = None,
    ) -> Table[models.PageShare]:
        """The `top` (9) targets of the links on the pages of the scope (`direction="in"`: of the backlinks), and a row
        for the rest, whose `rest` is true."""
        own = self._shares(where, order, top)
        return self._table(models.PageShare, "pagedistribution", {"direction": direction, **own})

    # What came and went.

    def history(
        self,
        from_: Day,
        to: Day | None = None,
        *,
        step: Literal["day", "week", "month"] | None = None,
    ) -> Table[models.HistoryStep]:
        """Backlinks and referring domains at the end of each step, and what came and went in it."""
        own: Own = {"from_": day(from_), "to": _day(to), "step": step}
        return self._table(models.HistoryStep, "history", own, key="history")

    def backlinks_histogram(self, from_: Day, to: Day | None = None) -> Table[models.FirstSeenDay]:
        """The days on which links were first seen."""
        return self._table(models.FirstSeenDay, "backlinks-histogram", {"from_": day(from_), "to": _day(to)})

    def newandlost_histogram(self, from_: Day, to: Day | None = None) -> Table[models.ChangeDay]:
        """The days on which links and domains came or went."""
        return self._table(models.ChangeDay, "newandlost-histogram", {"from_": day(from_), "to": _day(to)})

    def iscached(self, *resources: str) -> dict[str, bool]:
        """Whether each of these endpoints would give its whole answer at once."""
        own = self._own(resources=texts("iscached", resources))
        request = Request("GET", "iscached", params(**own))
        if len(url_of("", request)) > MOST_QUERY:
            rest = self._own(url=None)
            body = {"url": self.url, "resources": list(resources)}
            request = Request("POST", "iscached", params(**rest), body)
        reply = self._transport.send(request)
        reply.show_warnings()
        return reply.value("response", lambda answer: {str(name): bool(cached) for name, cached in answer.items()})

    def _own(self, **values: Scalar | Sequence[str]) -> Own:
        return {"url": self.url, "scope": self.scope, "internal": self.internal, **values}

    def _shares(self, where: Where, order: Order | None, top: int | None) -> Own:
        return {"where": where_text(where), "order": order_names(order), "top": top}

    def _rows(
        self,
        row: type[T],
        path: str,
        options: ListOptions,
        own: Own | None = None,
        conditions: tuple[str, ...] = (),
    ) -> Rows[T]:
        query: Query[T] = list_query(row, path, options, wait=self.wait, conditions=conditions, **(own or self._own()))
        return Rows(self._transport, query)

    def _get(self, path: str, own: Own | None = None, *, strict: bool = True) -> Reply:
        request = Request("GET", path, params(**self._own(**(own or {}))))
        reply = self._transport.send_finished(request, self.wait, strict=strict)
        reply.show_warnings()
        return reply

    def _table(self, row: type[T], path: str, own: Own | None = None, *, key: str = "response") -> Table[T]:
        return Table(row, self._get(path, own), key)

    def _merged(self, row: type[T], path: str) -> T:
        raws = (self._get(path)).rows(row, "response")
        return records(row, [{name: value for raw in raws for name, value in raw.items()}])[0]


def _day(value: Day | None) -> str | None:
    return None if value is None else day(value)
