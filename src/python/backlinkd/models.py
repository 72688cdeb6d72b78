"""What answers consist of. tools/generate_models.py writes this file from /openapi.json."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Literal

from ._record import AsOf, Column, Record

__all__ = [
    "Address",
    "AddressCounts",
    "Backlink",
    "BestPage",
    "BrokenBacklink",
    "Budget",
    "ChangeCounts",
    "ChangeDay",
    "CommonDomain",
    "Competitor",
    "CountryCount",
    "CrawlError",
    "CrawlHost",
    "CrawlStatus",
    "Domain",
    "Edge",
    "EduGovCount",
    "Explanation",
    "ExportedBacklink",
    "ExportedPage",
    "Failure",
    "FirstSeenDay",
    "HistoryStep",
    "LinkRatio",
    "LinkSpread",
    "LinkText",
    "LinkTextShare",
    "LinkTypeCount",
    "LinkedPage",
    "ListChange",
    "LostBacklink",
    "LostDomain",
    "Neighbourhood",
    "NewBacklink",
    "NewDomain",
    "Node",
    "OutgoingCount",
    "OutgoingHost",
    "OutgoingLink",
    "OutgoingLinkText",
    "OutgoingPage",
    "PageInfo",
    "PageLink",
    "PageShare",
    "PageState",
    "QueueState",
    "RankCount",
    "Redirect",
    "ReferringDomain",
    "RobotsState",
    "Server",
    "ServerInfo",
    "Session",
    "Stats",
    "StatusCount",
    "SuffixFigures",
    "Suggestion",
    "Summary",
    "SummarySince",
    "TagCount",
    "TopLevelCount",
    "UrlCounts",
    "UrlFigures",
    "Visit",
]


class ServerInfo(Record):
    """Name, version and endpoints of the server: `GET /`."""

    endpoints: list[str]
    name: str
    version: str

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("endpoints", "list"),
        Column("name", "text"),
        Column("version", "text"),
    )


class UrlCounts(Record):
    """Backlinks and referring domains of many URLs: a row of `anaurls`."""

    backlinks: int
    refdoms: int
    url: str

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("backlinks", "integer"),
        Column("refdoms", "integer"),
        Column("url", "text"),
    )


class Backlink(Record):
    """List of backlinks: a row of `backlinks`."""

    nofollow: bool
    """Whether the link passes no rank."""
    country: str
    """The country of the server."""
    nr: int
    """The number of the row."""
    extL: int
    """External links on the page."""
    insDate: date
    """The day on which the link was first seen."""
    city: str
    """The city of the server."""
    ip: str
    """The address of the server."""
    intL: int
    """Internal links on the page."""
    linktarget: str
    """The target of the link."""
    title: str
    """The title of the page."""
    updDate: date
    """The day of the last conclusive response of the page."""
    ccode: str
    """The country code of the server."""
    blpcount: int
    """Links of the page to the domain of the target."""
    cdate: date
    """The day on which the link was first seen."""
    backlinkpage: str
    """The page with the link."""
    pos: int
    """The position of the link on its page."""
    sumL: int
    """Links on the page."""
    linktext: str
    """The anchor text."""
    tag: str
    """The element or redirect that makes the link."""
    udate: date
    """The day of the last conclusive response of the page."""
    sr: float
    """The IV Search Rank of the page or domain."""
    dsCount: int
    """The number of the row."""
    update: date
    """The day of the last conclusive response of the page."""
    active: bool
    """Whether the link is there."""
    ugc: bool
    """Whether the link has rel=ugc."""
    sponsored: bool
    """Whether the link has rel=sponsored."""
    domain: str
    """The registrable domain of the page with the link, or of the row. Only with group=domain."""
    domainLinks: int
    """Links of the domain to the scope. Only with group=domain."""
    reason: str
    """Why the link was lost. Only with details=true."""
    confirmed: date
    """The day of the last visit that saw the link. Only with details=true."""
    doubt: str
    """Why later visits did not confirm the link. Only with details=true."""

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("nofollow", "flag"),
        Column("country", "text"),
        Column("nr", "integer"),
        Column("extL", "integer"),
        Column("insDate", "day"),
        Column("city", "text"),
        Column("ip", "text"),
        Column("intL", "integer"),
        Column("linktarget", "text"),
        Column("title", "text"),
        Column("updDate", "day"),
        Column("ccode", "text"),
        Column("blpcount", "integer"),
        Column("cdate", "day"),
        Column("backlinkpage", "text"),
        Column("pos", "integer"),
        Column("sumL", "integer"),
        Column("linktext", "text"),
        Column("tag", "text"),
        Column("udate", "day"),
        Column("sr", "number"),
        Column("dsCount", "integer"),
        Column("update", "day"),
        Column("active", "flag"),
        Column("ugc", "flag"),
        Column("sponsored", "flag"),
        Column("domain", "text", when="Only with group=domain."),
        Column("domainLinks", "integer", when="Only with group=domain."),
        Column("reason", "text", when="Only with details=true."),
        Column("confirmed", "day", when="Only with details=true."),
        Column("doubt", "text", when="Only with details=true."),
    )


class FirstSeenDay(Record):
    """Backlinks by the day they were first seen: a row of `backlinks-histogram`."""

    date: date
    urls: int
    domains: int
    totalUrls: int
    totalDomains: int

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("date", "day"),
        Column("urls", "integer"),
        Column("domains", "integer"),
        Column("totalUrls", "integer"),
        Column("totalDomains", "integer"),
    )


class UrlFigures(Record):
    """Backlinks, referring domains and rank of many URLs: a row of `backlinkshort`."""

    backlinks: int
    refdoms: int
    url: str
    sr: float

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("backlinks", "integer"),
        Column("refdoms", "integer"),
        Column("url", "text"),
        Column("sr", "number"),
    )


class BestPage(Record):
    """Pages of a scope by referring domains: a row of `bestpages`."""

    page: str
    """The target of the links."""
    refdoms: int
    """Referring domains."""
    links: int
    """Links."""
    sr: float
    """The IV Search Rank of the page or domain."""
    code: int
    """The HTTP status."""

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("page", "text"),
        Column("refdoms", "integer"),
        Column("links", "integer"),
        Column("sr", "number"),
        Column("code", "integer"),
    )


class BrokenBacklink(Record):
    """Backlinks to pages that fail: a row of `brokenbacklinks`."""

    nofollow: bool
    """Whether the link passes no rank."""
    country: str
    """The country of the server."""
    nr: int
    """The number of the row."""
    extL: int
    """External links on the page."""
    insDate: date
    """The day on which the link was first seen."""
    city: str
    """The city of the server."""
    ip: str
    """The address of the server."""
    intL: int
    """Internal links on the page."""
    linktarget: str
    """The target of the link."""
    title: str
    """The title of the page."""
    updDate: date
    """The day of the last conclusive response of the page."""
    ccode: str
    """The country code of the server."""
    blpcount: int
    """Links of the page to the domain of the target."""
    cdate: date
    """The day on which the link was first seen."""
    backlinkpage: str
    """The page with the link."""
    pos: int
    """The position of the link on its page."""
    sumL: int
    """Links on the page."""
    linktext: str
    """The anchor text."""
    tag: str
    """The element or redirect that makes the link."""
    udate: date
    """The day of the last conclusive response of the page."""
    sr: float
    """The IV Search Rank of the page or domain."""
    dsCount: int
    """The number of the row."""
    update: date
    """The day of the last conclusive response of the page."""
    active: bool
    """Whether the link is there."""
    ugc: bool
    """Whether the link has rel=ugc."""
    sponsored: bool
    """Whether the link has rel=sponsored."""
    code: int
    """The HTTP status."""
    failure: str
    """Why the last visit of the target failed."""

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("nofollow", "flag"),
        Column("country", "text"),
        Column("nr", "integer"),
        Column("extL", "integer"),
        Column("insDate", "day"),
        Column("city", "text"),
        Column("ip", "text"),
        Column("intL", "integer"),
        Column("linktarget", "text"),
        Column("title", "text"),
        Column("updDate", "day"),
        Column("ccode", "text"),
        Column("blpcount", "integer"),
        Column("cdate", "day"),
        Column("backlinkpage", "text"),
        Column("pos", "integer"),
        Column("sumL", "integer"),
        Column("linktext", "text"),
        Column("tag", "text"),
        Column("udate", "day"),
        Column("sr", "number"),
        Column("dsCount", "integer"),
        Column("update", "day"),
        Column("active", "flag"),
        Column("ugc", "flag"),
        Column("sponsored", "flag"),
        Column("code", "integer"),
        Column("failure", "text"),
    )


class Competitor(Record):
    """Domains that share referring domains with a scope: a row of `competitors`."""

    domain: str
    """The registrable domain of the page with the link, or of the row."""
    common: int
    """Domains that refer to both."""
    refdoms: int
    """Referring domains."""
    jaccard: float
    """The domains that refer to both, as a share of those that refer to either."""
    sr: float
    """The IV Search Rank of the page or domain."""

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("domain", "text"),
        Column("common", "integer"),
        Column("refdoms", "integer"),
        Column("jaccard", "number"),
        Column("sr", "number"),
    )


class CrawlStatus(Record):
    """What the crawl does: `crawl`."""

    asOf: AsOf
    diskFreeBytes: int
    failedRequests: dict[str, int]
    failures: dict[str, int]
    fetched: int
    fetchers: int
    fetchesInFlight: int
    known: int
    pagesPerSecond: float
    queued: int
    rankGeneration: int
    ranking: bool
    rate: list[int]
    reason: str
    responses: dict[str, int]
    since: str | None
    slowFetches: int
    state: Literal["running", "paused", "idle", "none"]
    visits: int

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("asOf", "state"),
        Column("diskFreeBytes", "integer"),
        Column("failedRequests", "map"),
        Column("failures", "map"),
        Column("fetched", "integer"),
        Column("fetchers", "integer"),
        Column("fetchesInFlight", "integer"),
        Column("known", "integer"),
        Column("pagesPerSecond", "number"),
        Column("queued", "integer"),
        Column("rankGeneration", "integer"),
        Column("ranking", "flag"),
        Column("rate", "list"),
        Column("reason", "text"),
        Column("responses", "map"),
        Column("since", "text", nullable=True),
        Column("slowFetches", "integer"),
        Column("state", "text"),
        Column("visits", "integer"),
    )


class CrawlError(Record):
    """Last failed requests of the crawl: a row of `crawl/errors`."""

    time: str
    kind: str
    resource: Literal["page", "sitemap", "robots.txt", "address"]
    url: str
    message: str

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("time", "text"),
        Column("kind", "text"),
        Column("resource", "text"),
        Column("url", "text"),
        Column("message", "text"),
    )


class CrawlHost(Record):
    """Hosts of the crawl with their queues: a row of `crawl/hosts`."""

    host: str
    queued: int
    fetched: int
    budget: int
    delay: float
    lastFetch: str | None
    state: Literal["blocked", "waiting", "asleep", "spent", "idle"]
    reason: str

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("host", "text"),
        Column("queued", "integer"),
        Column("fetched", "integer"),
        Column("budget", "integer"),
        Column("delay", "number"),
        Column("lastFetch", "text", nullable=True),
        Column("state", "text"),
        Column("reason", "text"),
    )


class ListChange(Record):
    """Seeds of the index: `crawl/seeds`."""

    changed: list[str]
    done: str
    unchanged: list[str]

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("changed", "list"),
        Column("done", "text"),
        Column("unchanged", "list"),
    )


class Domain(Record):
    """Registrable domains of the index: a row of `domains`."""

    domain: str
    """The registrable domain of the page with the link, or of the row."""
    sr: float
    """The IV Search Rank of the page or domain."""
    refdoms: int
    """Referring domains."""
    backlinks: int
    """Backlinks."""
    pages: int
    """Pages."""
    hosts: int
    """Known hosts."""

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("domain", "text"),
        Column("sr", "number"),
        Column("refdoms", "integer"),
        Column("backlinks", "integer"),
        Column("pages", "integer"),
        Column("hosts", "integer"),
    )


class EduGovCount(Record):
    """Backlinks from edu and gov suffixes: a row of `edugovlinks`."""

    refdoms: int
    links: int
    type: Literal["edu", "gov"]

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("refdoms", "integer"),
        Column("links", "integer"),
        Column("type", "text"),
    )


class PageState(Record):
    cause: str
    cut: str | None
    depth: int
    failure: str | None
    next_visit: int | None
    status: int
    tls: str | None
    visited: int

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("cause", "text"),
        Column("cut", "text", nullable=True),
        Column("depth", "integer"),
        Column("failure", "text", nullable=True),
        Column("next_visit", "integer", nullable=True),
        Column("status", "integer"),
        Column("tls", "text", nullable=True),
        Column("visited", "integer"),
    )


class QueueState(Record):
    depth: int
    due: int | None
    failed_attempts: int
    kind: Literal["seed", "sitemap", "again", "new"]
    place: int | None

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("depth", "integer"),
        Column("due", "integer", nullable=True),
        Column("failed_attempts", "integer"),
        Column("kind", "text"),
        Column("place", "integer", nullable=True),
    )


class RobotsState(Record):
    allowed: bool
    line: int
    basis: str
    fetched: int | None
    status: int
    failing_since: int | None
    attempts: int
    kind: str
    cause: str
    due: int
    crawl_delay_seconds: float | None

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("allowed", "flag"),
        Column("line", "integer"),
        Column("basis", "text"),
        Column("fetched", "integer", nullable=True),
        Column("status", "integer"),
        Column("failing_since", "integer", nullable=True),
        Column("attempts", "integer"),
        Column("kind", "text"),
        Column("cause", "text"),
        Column("due", "integer"),
        Column("crawl_delay_seconds", "number", nullable=True),
    )


class Budget(Record):
    pages: int
    most: int
    domain: str
    domain_pages: int
    domain_most: int

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("pages", "integer"),
        Column("most", "integer"),
        Column("domain", "text"),
        Column("domain_pages", "integer"),
        Column("domain_most", "integer"),
    )


class Visit(Record):
    at: int
    outcome: str

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("at", "integer"),
        Column("outcome", "text"),
    )


class Failure(Record):
    at: int
    cause: str
    kind: str
    url: str

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("at", "integer"),
        Column("cause", "text"),
        Column("kind", "text"),
        Column("url", "text"),
    )


class Server(Record):
    origin: str
    blocked: bool
    delay_seconds: float
    queued: int
    visits: int
    failures_in_a_row: int
    asleep_until: int | None
    robots: RobotsState | None
    budget: Budget
    last_visits: list[Visit]
    failures: list[Failure]

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("origin", "text"),
        Column("blocked", "flag"),
        Column("delay_seconds", "number"),
        Column("queued", "integer"),
        Column("visits", "integer"),
        Column("failures_in_a_row", "integer"),
        Column("asleep_until", "integer", nullable=True),
        Column("robots", "record", nullable=True, record=RobotsState),
        Column("budget", "record", record=Budget),
        Column("last_visits", "list", record=Visit),
        Column("failures", "list", record=Failure),
    )


class Explanation(Record):
    """What is known of a URL: `explain`."""

    cause: str | None
    met: bool
    page: PageState | None
    queued: QueueState | None
    reasons: list[str]
    server: Server
    url: str

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("cause", "text", nullable=True),
        Column("met", "flag"),
        Column("page", "record", nullable=True, record=PageState),
        Column("queued", "record", nullable=True, record=QueueState),
        Column("reasons", "list"),
        Column("server", "record", record=Server),
        Column("url", "text"),
    )


class ExportedBacklink(Record):
    """Export of all links into a scope: a row of `exportbacklinks`."""

    nofollow: bool
    country: str
    extL: int
    insDate: date
    city: str
    ip: str
    active: bool
    intL: int
    title: str
    linktarget: str
    updDate: date
    ccode: str
    blpcount: int
    backlinkpage: str
    pos: int
    sumL: int
    linktext: str
    tag: str
    sr: float

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("nofollow", "flag"),
        Column("country", "text"),
        Column("extL", "integer"),
        Column("insDate", "day"),
        Column("city", "text"),
        Column("ip", "text"),
        Column("active", "flag"),
        Column("intL", "integer"),
        Column("title", "text"),
        Column("linktarget", "text"),
        Column("updDate", "day"),
        Column("ccode", "text"),
        Column("blpcount", "integer"),
        Column("backlinkpage", "text"),
        Column("pos", "integer"),
        Column("sumL", "integer"),
        Column("linktext", "text"),
        Column("tag", "text"),
        Column("sr", "number"),
    )


class PageLink(Record):
    anchor: str
    nofollow: bool
    pos: int
    tag: str
    url: str

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("anchor", "text"),
        Column("nofollow", "flag"),
        Column("pos", "integer"),
        Column("tag", "text"),
        Column("url", "text"),
    )


class PageInfo(Record):
    ccode: str
    charset: str
    insDate: date
    ip: str
    description: str
    content_type: str
    title: str
    http_code: int
    url: str
    sr: float
    canonical: str
    robots: str
    cut: str
    tls: str

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("ccode", "text"),
        Column("charset", "text"),
        Column("insDate", "day"),
        Column("ip", "text"),
        Column("description", "text"),
        Column("content-type", "text"),
        Column("title", "text"),
        Column("http-code", "integer"),
        Column("url", "text"),
        Column("sr", "number"),
        Column("canonical", "text"),
        Column("robots", "text"),
        Column("cut", "text"),
        Column("tls", "text"),
    )


class ExportedPage(Record):
    """Export of all fetched pages with their links: a row of `exportpages`."""

    extL: list[PageLink]
    intL: list[PageLink]
    info: PageInfo

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("extL", "list", record=PageLink),
        Column("intL", "list", record=PageLink),
        Column("info", "record", record=PageInfo),
    )


class CountryCount(Record):
    """Backlinks by country: a row of `geolocationshort`."""

    ccode: str
    """The country code of the server."""
    country: str
    """The country of the server."""
    percentage: float
    """The share of all rows that belong to the row."""
    links: int
    """Links."""

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("ccode", "text"),
        Column("country", "text"),
        Column("percentage", "number"),
        Column("links", "integer"),
    )


class HistoryStep(Record):
    """Backlinks and referring domains over time: a row of `history`."""

    date: date
    backlinks: int
    refdoms: int
    newBacklinks: int
    lostBacklinks: int
    newRefdoms: int
    lostRefdoms: int
    firstSeen: int

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("date", "day"),
        Column("backlinks", "integer"),
        Column("refdoms", "integer"),
        Column("newBacklinks", "integer"),
        Column("lostBacklinks", "integer"),
        Column("newRefdoms", "integer"),
        Column("lostRefdoms", "integer"),
        Column("firstSeen", "integer"),
    )


class StatusCount(Record):
    """Fetched pages by HTTP status: a row of `httpstatus`."""

    code: int
    """The HTTP status."""
    pages: int
    """Pages."""
    percentage: float
    """The share of all rows that belong to the row."""

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("code", "integer"),
        Column("pages", "integer"),
        Column("percentage", "number"),
    )


class Address(Record):
    """Addresses of linking servers: a row of `iplist`."""

    ccode: str
    """The country code of the server."""
    country: str
    """The country of the server."""
    city: str
    """The city of the server."""
    ip: str
    """The address of the server."""
    percentage: float
    """The share of all rows that belong to the row."""
    links: int
    """Links."""

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("ccode", "text"),
        Column("country", "text"),
        Column("city", "text"),
        Column("ip", "text"),
        Column("percentage", "number"),
        Column("links", "integer"),
    )


class AddressCounts(Record):
    """Number of linking addresses and networks: a row of `ippopularity`."""

    class_a: int
    class_b: int
    class_c: int
    class_d: int
    class_e: int
    ip: int
    ipv6: int
    net16: int
    net24: int
    net8: int

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("class_a", "integer"),
        Column("class_b", "integer"),
        Column("class_c", "integer"),
        Column("class_d", "integer"),
        Column("class_e", "integer"),
        Column("ip", "integer"),
        Column("ipv6", "integer"),
        Column("net16", "integer"),
        Column("net24", "integer"),
        Column("net8", "integer"),
    )


class LinkedPage(Record):
    """Pages that backlinks lead to: a row of `linkedpages`."""

    linkedpage: str
    """The target of the links."""
    percentage: float
    """The share of all rows that belong to the row."""
    refdoms: int
    """Referring domains."""
    frequency: int
    """Links."""

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("linkedpage", "text"),
        Column("percentage", "number"),
        Column("refdoms", "integer"),
        Column("frequency", "integer"),
    )


class CommonDomain(Record):
    """Domains that link to all of several targets: a row of `linkintersect`."""

    domain: str
    """The registrable domain of the page with the link, or of the row."""
    links: int
    """Links."""
    sr: float
    """The IV Search Rank of the page or domain."""
    links1: int
    """Links to the target of this number."""
    links2: int
    """Links to the target of this number."""
    links3: int
    """Links to the target of this number. Only with as many targets[]."""
    links4: int
    """Links to the target of this number. Only with as many targets[]."""
    links5: int
    """Links to the target of this number. Only with as many targets[]."""
    links6: int
    """Links to the target of this number. Only with as many targets[]."""
    links7: int
    """Links to the target of this number. Only with as many targets[]."""
    links8: int
    """Links to the target of this number. Only with as many targets[]."""
    links9: int
    """Links to the target of this number. Only with as many targets[]."""
    links10: int
    """Links to the target of this number. Only with as many targets[]."""
    links11: int
    """Links to the target of this number. Only with as many targets[]."""
    links12: int
    """Links to the target of this number. Only with as many targets[]."""
    links13: int
    """Links to the target of this number. Only with as many targets[]."""
    links14: int
    """Links to the target of this number. Only with as many targets[]."""
    links15: int
    """Links to the target of this number. Only with as many targets[]."""
    links16: int
    """Links to the target of this number. Only with as many targets[]."""
    links17: int
    """Links to the target of this number. Only with as many targets[]."""
    links18: int
    """Links to the target of this number. Only with as many targets[]."""
    links19: int
    """Links to the target of this number. Only with as many targets[]."""
    links20: int
    """Links to the target of this number. Only with as many targets[]."""

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("domain", "text"),
        Column("links", "integer"),
        Column("sr", "number"),
        Column("links1", "integer"),
        Column("links2", "integer"),
        Column("links3", "integer", when="Only with as many targets[]."),
        Column("links4", "integer", when="Only with as many targets[]."),
        Column("links5", "integer", when="Only with as many targets[]."),
        Column("links6", "integer", when="Only with as many targets[]."),
        Column("links7", "integer", when="Only with as many targets[]."),
        Column("links8", "integer", when="Only with as many targets[]."),
        Column("links9", "integer", when="Only with as many targets[]."),
        Column("links10", "integer", when="Only with as many targets[]."),
        Column("links11", "integer", when="Only with as many targets[]."),
        Column("links12", "integer", when="Only with as many targets[]."),
        Column("links13", "integer", when="Only with as many targets[]."),
        Column("links14", "integer", when="Only with as many targets[]."),
        Column("links15", "integer", when="Only with as many targets[]."),
        Column("links16", "integer", when="Only with as many targets[]."),
        Column("links17", "integer", when="Only with as many targets[]."),
        Column("links18", "integer", when="Only with as many targets[]."),
        Column("links19", "integer", when="Only with as many targets[]."),
        Column("links20", "integer", when="Only with as many targets[]."),
    )


class LinkRatio(Record):
    """Backlinks to the home page and to deeper pages: `linkratio`."""

    deeplinks: int
    homelinks: int

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("deeplinks", "integer"),
        Column("homelinks", "integer"),
    )


class LinkSpread(Record):
    """Followed and nofollow backlinks: `linkspread`."""

    follow: int
    nofollow: int

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("follow", "integer"),
        Column("nofollow", "integer"),
    )


class LinkTextShare(Record):
    """Most common anchor texts: a row of `linktextdistribution`."""

    percentage: float
    """The share of all rows that belong to the row."""
    refdoms: int
    """Referring domains."""
    anchortext: str
    """The anchor text."""
    frequency: int
    """Links."""
    rest: bool
    """Only where it is true."""

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("percentage", "number"),
        Column("refdoms", "integer"),
        Column("anchortext", "text"),
        Column("frequency", "integer"),
        Column("rest", "flag", when="Only where it is true."),
    )


class LinkText(Record):
    """Anchor texts: a row of `linktexts`."""

    percentage: float
    """The share of all rows that belong to the row."""
    refdoms: int
    """Referring domains."""
    anchortext: str
    """The anchor text."""
    type: str
    """Whether the links are images or texts."""
    frequency: int
    """Links."""

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("percentage", "number"),
        Column("refdoms", "integer"),
        Column("anchortext", "text"),
        Column("type", "text"),
        Column("frequency", "integer"),
    )


class LinkTypeCount(Record):
    """Text and image backlinks: a row of `linktypes`."""

    linktype: Literal["text", "image"]
    links: int

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("linktype", "text"),
        Column("links", "integer"),
    )


class LostBacklink(Record):
    """Backlinks lost in a range of days: a row of `lostbacklinks`."""

    nofollow: bool
    """Whether the link passes no rank."""
    country: str
    """The country of the server."""
    nr: int
    """The number of the row."""
    extL: int
    """External links on the page."""
    insDate: date
    """The day on which the link was first seen."""
    city: str
    """The city of the server."""
    ip: str
    """The address of the server."""
    intL: int
    """Internal links on the page."""
    linktarget: str
    """The target of the link."""
    title: str
    """The title of the page."""
    updDate: date
    """The day of the last conclusive response of the page."""
    ccode: str
    """The country code of the server."""
    blpcount: int
    """Links of the page to the domain of the target."""
    cdate: date
    """The day on which the link was first seen."""
    backlinkpage: str
    """The page with the link."""
    pos: int
    """The position of the link on its page."""
    sumL: int
    """Links on the page."""
    linktext: str
    """The anchor text."""
    tag: str
    """The element or redirect that makes the link."""
    udate: date
    """The day of the last conclusive response of the page."""
    sr: float
    """The IV Search Rank of the page or domain."""
    dsCount: int
    """The number of the row."""
    update: date
    """The day of the last conclusive response of the page."""
    active: bool
    """Whether the link is there."""
    ugc: bool
    """Whether the link has rel=ugc."""
    sponsored: bool
    """Whether the link has rel=sponsored."""
    lostDate: date
    """The day on which the link was lost."""
    reason: str
    """Why the link was lost."""

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("nofollow", "flag"),
        Column("country", "text"),
        Column("nr", "integer"),
        Column("extL", "integer"),
        Column("insDate", "day"),
        Column("city", "text"),
        Column("ip", "text"),
        Column("intL", "integer"),
        Column("linktarget", "text"),
        Column("title", "text"),
        Column("updDate", "day"),
        Column("ccode", "text"),
        Column("blpcount", "integer"),
        Column("cdate", "day"),
        Column("backlinkpage", "text"),
        Column("pos", "integer"),
        Column("sumL", "integer"),
        Column("linktext", "text"),
        Column("tag", "text"),
        Column("udate", "day"),
        Column("sr", "number"),
        Column("dsCount", "integer"),
        Column("update", "day"),
        Column("active", "flag"),
        Column("ugc", "flag"),
        Column("sponsored", "flag"),
        Column("lostDate", "day"),
        Column("reason", "text"),
    )


class LostDomain(Record):
    """Domains that ceased to link in a range of days: a row of `lostdomains`."""

    domain: str
    """The registrable domain of the page with the link, or of the row."""
    date: date
    """The day of the change."""
    links: int
    """Links."""
    sr: float
    """The IV Search Rank of the page or domain."""
    ccode: str
    """The country code of the server."""

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("domain", "text"),
        Column("date", "day"),
        Column("links", "integer"),
        Column("sr", "number"),
        Column("ccode", "text"),
    )


class Edge(Record):
    from_: str
    links: int
    to: str

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("from", "text"),
        Column("links", "integer"),
        Column("to", "text"),
    )


class Node(Record):
    ccode: str
    centre: bool
    id: str
    links: int
    new: bool
    sr: float

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("ccode", "text"),
        Column("centre", "flag"),
        Column("id", "text"),
        Column("links", "integer"),
        Column("new", "flag"),
        Column("sr", "number"),
    )


class Neighbourhood(Record):
    """Graph of a scope and its strongest referring domains: `neighbourhood`."""

    edges: list[Edge]
    nodes: list[Node]
    refdoms: int

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("edges", "list", record=Edge),
        Column("nodes", "list", record=Node),
        Column("refdoms", "integer"),
    )


class ChangeCounts(Record):
    new: int
    lost: int

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("new", "integer"),
        Column("lost", "integer"),
    )


class ChangeDay(Record):
    """Backlinks and domains won and lost by day: a row of `newandlost-histogram`."""

    date: date
    urls: ChangeCounts
    domains: ChangeCounts

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("date", "day"),
        Column("urls", "record", record=ChangeCounts),
        Column("domains", "record", record=ChangeCounts),
    )


class NewBacklink(Record):
    """Backlinks first seen in a range of days: a row of `newbacklinks`."""

    nofollow: bool
    """Whether the link passes no rank."""
    country: str
    """The country of the server."""
    nr: int
    """The number of the row."""
    extL: int
    """External links on the page."""
    insDate: date
    """The day on which the link was first seen."""
    city: str
    """The city of the server."""
    ip: str
    """The address of the server."""
    intL: int
    """Internal links on the page."""
    linktarget: str
    """The target of the link."""
    title: str
    """The title of the page."""
    updDate: date
    """The day of the last conclusive response of the page."""
    ccode: str
    """The country code of the server."""
    blpcount: int
    """Links of the page to the domain of the target."""
    cdate: date
    """The day on which the link was first seen."""
    backlinkpage: str
    """The page with the link."""
    pos: int
    """The position of the link on its page."""
    sumL: int
    """Links on the page."""
    linktext: str
    """The anchor text."""
    tag: str
    """The element or redirect that makes the link."""
    udate: date
    """The day of the last conclusive response of the page."""
    sr: float
    """The IV Search Rank of the page or domain."""
    dsCount: int
    """The number of the row."""
    update: date
    """The day of the last conclusive response of the page."""
    active: bool
    """Whether the link is there."""
    ugc: bool
    """Whether the link has rel=ugc."""
    sponsored: bool
    """Whether the link has rel=sponsored."""
    reason: str
    """Why the link was lost. Only with details=true."""
    confirmed: date
    """The day of the last visit that saw the link. Only with details=true."""
    doubt: str
    """Why later visits did not confirm the link. Only with details=true."""

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("nofollow", "flag"),
        Column("country", "text"),
        Column("nr", "integer"),
        Column("extL", "integer"),
        Column("insDate", "day"),
        Column("city", "text"),
        Column("ip", "text"),
        Column("intL", "integer"),
        Column("linktarget", "text"),
        Column("title", "text"),
        Column("updDate", "day"),
        Column("ccode", "text"),
        Column("blpcount", "integer"),
        Column("cdate", "day"),
        Column("backlinkpage", "text"),
        Column("pos", "integer"),
        Column("sumL", "integer"),
        Column("linktext", "text"),
        Column("tag", "text"),
        Column("udate", "day"),
        Column("sr", "number"),
        Column("dsCount", "integer"),
        Column("update", "day"),
        Column("active", "flag"),
        Column("ugc", "flag"),
        Column("sponsored", "flag"),
        Column("reason", "text", when="Only with details=true."),
        Column("confirmed", "day", when="Only with details=true."),
        Column("doubt", "text", when="Only with details=true."),
    )


class NewDomain(Record):
    """Domains that began to link in a range of days: a row of `newdomains`."""

    domain: str
    """The registrable domain of the page with the link, or of the row."""
    date: date
    """The day of the change."""
    links: int
    """Links."""
    sr: float
    """The IV Search Rank of the page or domain."""
    ccode: str
    """The country code of the server."""

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("domain", "text"),
        Column("date", "day"),
        Column("links", "integer"),
        Column("sr", "number"),
        Column("ccode", "text"),
    )


class OutgoingHost(Record):
    """Hosts that a scope links to: a row of `outgoinghosts`."""

    host: str
    """The host of the targets."""
    frequency: int
    """Links."""

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("host", "text"),
        Column("frequency", "integer"),
    )


class OutgoingCount(Record):
    """Number of links on the pages of a scope: a row of `outgoinglinkcount`."""

    avg: int
    pages: int
    linktype: Literal["all", "extLinks", "intLinks"]
    frequency: int

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("avg", "integer"),
        Column("pages", "integer"),
        Column("linktype", "text"),
        Column("frequency", "integer"),
    )


class OutgoingLink(Record):
    """List of external links of a scope: a row of `outgoinglinks`."""

    backlinkpage: str
    """The page with the link."""
    title: str
    """The title of the page."""
    linktarget: str
    """The target of the link."""
    linktext: str
    """The anchor text."""
    tag: str
    """The element or redirect that makes the link."""
    nofollow: bool
    """Whether the link passes no rank."""
    pos: int
    """The position of the link on its page."""
    sr: float
    """The IV Search Rank of the page or domain."""
    cdate: date
    """The day on which the link was first seen."""

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("backlinkpage", "text"),
        Column("title", "text"),
        Column("linktarget", "text"),
        Column("linktext", "text"),
        Column("tag", "text"),
        Column("nofollow", "flag"),
        Column("pos", "integer"),
        Column("sr", "number"),
        Column("cdate", "day"),
    )


class OutgoingLinkText(Record):
    """Anchor texts of external links of a scope: a row of `outgoinglinktexts`."""

    linktext: str
    """The anchor text."""
    frequency: int
    """Links."""

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("linktext", "text"),
        Column("frequency", "integer"),
    )


class OutgoingPage(Record):
    """Pages of a scope by external links: a row of `outgoingtoppages`."""

    webpage: str
    """The page with the links."""
    extLinks: int
    """External links on the page."""

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("webpage", "text"),
        Column("extLinks", "integer"),
    )


class PageShare(Record):
    """Most linked targets: a row of `pagedistribution`."""

    linkedpage: str
    """The target of the links."""
    percentage: float
    """The share of all rows that belong to the row."""
    refdoms: int
    """Referring domains."""
    frequency: int
    """Links."""
    rest: bool
    """Only where it is true."""

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("linkedpage", "text"),
        Column("percentage", "number"),
        Column("refdoms", "integer"),
        Column("frequency", "integer"),
        Column("rest", "flag", when="Only where it is true."),
    )


class Redirect(Record):
    """Redirects from a URL to its end: a row of `redirectchain`."""

    url: str
    """The URL."""
    code: int
    """The HTTP status."""
    tag: str
    """The element or redirect that makes the link."""
    end: str
    """Why the chain ends here."""
    hop: int
    """The position in the chain."""
    start: str
    """The first URL of the chain."""

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("url", "text"),
        Column("code", "integer"),
        Column("tag", "text"),
        Column("end", "text"),
        Column("hop", "integer"),
        Column("start", "text"),
    )


class ReferringDomain(Record):
    """List of referring domains: a row of `referringdomains`."""

    dsCount: int
    """The number of the row."""
    ccode: str
    """The country code of the server."""
    domain: str
    """The registrable domain of the page with the link, or of the row."""
    ip: str
    """The address of the server."""
    links: int
    """Links."""
    ip_count_additional: int
    """Further addresses of the servers."""
    sr: float
    """The IV Search Rank of the page or domain."""
    firstSeen: date
    """The first day."""
    lastSeen: date
    """The last day."""
    followed: int
    """Followed links."""
    refdoms: int
    """Referring domains. Only with details=true."""

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("dsCount", "integer"),
        Column("ccode", "text"),
        Column("domain", "text"),
        Column("ip", "text"),
        Column("links", "integer"),
        Column("ip_count_additional", "integer"),
        Column("sr", "number"),
        Column("firstSeen", "day"),
        Column("lastSeen", "day"),
        Column("followed", "integer"),
        Column("refdoms", "integer", when="Only with details=true."),
    )


class Session(Record):
    """Sign-in with a cookie: `session`."""

    name: str | None
    roles: list[Literal["read", "operate"]]
    signIn: bool

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("name", "text", nullable=True),
        Column("roles", "list"),
        Column("signIn", "flag"),
    )


class RankCount(Record):
    """Backlinks by rank of the linking page: a row of `srspread`."""

    links: int
    sr: str

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("links", "integer"),
        Column("sr", "text"),
    )


class Stats(Record):
    """Size of the index: `stats`."""

    asOf: AsOf
    backlinks: int
    bytes: int
    change: int
    demo: bool
    domains: int
    fetched: int
    former: int
    hosts: int
    known: int
    links: int
    pages: int
    queued: int
    ranked: str | None
    version: str

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("asOf", "state"),
        Column("backlinks", "integer"),
        Column("bytes", "integer"),
        Column("change", "integer"),
        Column("demo", "flag"),
        Column("domains", "integer"),
        Column("fetched", "integer"),
        Column("former", "integer"),
        Column("hosts", "integer"),
        Column("known", "integer"),
        Column("links", "integer"),
        Column("pages", "integer"),
        Column("queued", "integer"),
        Column("ranked", "text", nullable=True),
        Column("version", "text"),
    )


class Suggestion(Record):
    """Hosts and domains by the beginning of their name: a row of `suggest`."""

    name: str
    kind: Literal["domain", "host"]
    sr: float
    refdoms: int

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("name", "text"),
        Column("kind", "text"),
        Column("sr", "number"),
        Column("refdoms", "integer"),
    )


class SuffixFigures(Record):
    backlinks: int
    refdoms: int

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("backlinks", "integer"),
        Column("refdoms", "integer"),
    )


class SummarySince(Record):
    date: date
    backlinks: int | None
    refdoms: int | None
    newBacklinks: int | None
    lostBacklinks: int | None
    newRefdoms: int | None
    lostRefdoms: int | None

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("date", "day"),
        Column("backlinks", "integer", nullable=True),
        Column("refdoms", "integer", nullable=True),
        Column("newBacklinks", "integer", nullable=True),
        Column("lostBacklinks", "integer", nullable=True),
        Column("newRefdoms", "integer", nullable=True),
        Column("lostRefdoms", "integer", nullable=True),
    )


class Summary(Record):
    """All figures of a scope in one state of the index: `summary`."""

    url: str
    scope: Literal["url", "host", "domain", "prefix"]
    asOf: AsOf
    exportFinished: bool
    known: Literal["unknown", "discovered", "visited"]
    sr: float
    backlinks: int
    refdoms: int
    nofollow: int
    followed: int
    text: int
    image: int
    homelinks: int
    edu: SuffixFigures
    gov: SuffixFigures
    ips: int | None
    ipv6: int | None
    net24: int | None
    countries: int | None
    lost: int | None
    firstSeen: date | None
    lastSeen: date | None
    pages: int
    external: int
    internal: int
    since: SummarySince

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("url", "text"),
        Column("scope", "text"),
        Column("asOf", "state"),
        Column("exportFinished", "flag"),
        Column("known", "text"),
        Column("sr", "number"),
        Column("backlinks", "integer"),
        Column("refdoms", "integer"),
        Column("nofollow", "integer"),
        Column("followed", "integer"),
        Column("text", "integer"),
        Column("image", "integer"),
        Column("homelinks", "integer"),
        Column("edu", "record", record=SuffixFigures),
        Column("gov", "record", record=SuffixFigures),
        Column("ips", "integer", nullable=True),
        Column("ipv6", "integer", nullable=True),
        Column("net24", "integer", nullable=True),
        Column("countries", "integer", nullable=True),
        Column("lost", "integer", nullable=True),
        Column("firstSeen", "day", nullable=True),
        Column("lastSeen", "day", nullable=True),
        Column("pages", "integer"),
        Column("external", "integer"),
        Column("internal", "integer"),
        Column("since", "record", record=SummarySince),
    )


class TagCount(Record):
    """Backlinks by tag: a row of `tagtypes`."""

    tag: str
    """The element or redirect that makes the link."""
    frequency: int
    """Links."""
    refdoms: int
    """Referring domains."""

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("tag", "text"),
        Column("frequency", "integer"),
        Column("refdoms", "integer"),
    )


class TopLevelCount(Record):
    """Backlinks by top-level domain: a row of `tldlist`."""

    diffdomains: int
    """Referring domains."""
    toplevel: str
    """The last label of the host."""
    percentage: float
    """The share of all rows that belong to the row."""
    links: int
    """Links."""

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("diffdomains", "integer"),
        Column("toplevel", "text"),
        Column("percentage", "number"),
        Column("links", "integer"),
    )


OPERATIONS: dict[str, tuple[str, str]] = {
    "root": ("GET", "/"),
    "anabacklinks": ("GET", "/anabacklinks"),
    "anaurls": ("GET", "/anaurls"),
    "backlinks": ("GET", "/backlinks"),
    "backlinks-histogram": ("GET", "/backlinks-histogram"),
    "backlinkshort": ("GET", "/backlinkshort"),
    "post-backlinkshort": ("POST", "/backlinkshort"),
    "bestpages": ("GET", "/bestpages"),
    "brokenbacklinks": ("GET", "/brokenbacklinks"),
    "competitors": ("GET", "/competitors"),
    "crawl": ("GET", "/crawl"),
    "crawl-blocks": ("GET", "/crawl/blocks"),
    "post-crawl-blocks": ("POST", "/crawl/blocks"),
    "crawl-errors": ("GET", "/crawl/errors"),
    "crawl-hosts": ("GET", "/crawl/hosts"),
    "post-crawl-pause": ("POST", "/crawl/pause"),
    "post-crawl-rank": ("POST", "/crawl/rank"),
    "post-crawl-recrawl": ("POST", "/crawl/recrawl"),
    "post-crawl-resume": ("POST", "/crawl/resume"),
    "crawl-seeds": ("GET", "/crawl/seeds"),
    "post-crawl-seeds": ("POST", "/crawl/seeds"),
    "domainpopularity": ("GET", "/domainpopularity"),
    "domains": ("GET", "/domains"),
    "edugovlinks": ("GET", "/edugovlinks"),
    "explain": ("GET", "/explain"),
    "exportbacklinks": ("GET", "/exportbacklinks"),
    "exportpages": ("GET", "/exportpages"),
    "geolocationshort": ("GET", "/geolocationshort"),
    "health": ("GET", "/health"),
    "history": ("GET", "/history"),
    "host": ("GET", "/host"),
    "httpstatus": ("GET", "/httpstatus"),
    "iplist": ("GET", "/iplist"),
    "ippopularity": ("GET", "/ippopularity"),
    "iscached": ("GET", "/iscached"),
    "post-iscached": ("POST", "/iscached"),
    "linkedpages": ("GET", "/linkedpages"),
    "linkintersect": ("GET", "/linkintersect"),
    "linkratio": ("GET", "/linkratio"),
    "linkspread": ("GET", "/linkspread"),
    "linktextdistribution": ("GET", "/linktextdistribution"),
    "linktexts": ("GET", "/linktexts"),
    "linktypes": ("GET", "/linktypes"),
    "livez": ("GET", "/livez"),
    "lostbacklinks": ("GET", "/lostbacklinks"),
    "lostdomains": ("GET", "/lostdomains"),
    "neighbourhood": ("GET", "/neighbourhood"),
    "newandlost-histogram": ("GET", "/newandlost-histogram"),
    "newbacklinks": ("GET", "/newbacklinks"),
    "newdomains": ("GET", "/newdomains"),
    "openapi.json": ("GET", "/openapi.json"),
    "outgoinghosts": ("GET", "/outgoinghosts"),
    "outgoinglinkcount": ("GET", "/outgoinglinkcount"),
    "outgoinglinks": ("GET", "/outgoinglinks"),
    "outgoinglinktexts": ("GET", "/outgoinglinktexts"),
    "outgoingtoppages": ("GET", "/outgoingtoppages"),
    "pagedistribution": ("GET", "/pagedistribution"),
    "redirectchain": ("GET", "/redirectchain"),
    "referringdomains": ("GET", "/referringdomains"),
    "delete-session": ("DELETE", "/session"),
    "session": ("GET", "/session"),
    "post-session": ("POST", "/session"),
    "sr": ("GET", "/sr"),
    "srspread": ("GET", "/srspread"),
    "stats": ("GET", "/stats"),
    "suggest": ("GET", "/suggest"),
    "summary": ("GET", "/summary"),
    "post-summary": ("POST", "/summary"),
    "tagtypes": ("GET", "/tagtypes"),
    "tldlist": ("GET", "/tldlist"),
}
"""Method and path of every operation that the document names."""
