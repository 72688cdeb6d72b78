"""The client: credentials, and what is not about a single scope."""

# tools/unasync.py writes this file from ../_async/client.py.

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self, Unpack

import httpx

from .. import models
from .._access import Access, endpoint
from .._errors import ServerError, UnfinishedWarning, warn
from .._protocol import MOST_QUERY, Day, Request, Retry, Scalar, checked_wait, day, params, texts
from .._query import MOST_ROWS, Internal, ListOptions, Scope, Table, list_query, url_of
from .._reply import Reply
from .crawl import Crawl
from .rows import Rows
from .site import Site
from .transport import Transport


class Client:
    """A server of backlinkd.

    `url` is its address; without it, BACKLINKD_URL or http://127.0.0.1:8080. `auth` is the name and password of a user,
    `token` an access token; without both, BACKLINKD_TOKEN is used. `wait` is for how many seconds lists are waited for
    that the server still reads: None is for ever, and 0 takes what there is. `http_client` is a client of httpx with
    settings of its own, such as proxies and certificates. It is neither changed nor closed; its `base_url` is not used.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        auth: tuple[str, str] | None = None,
        token: str | None = None,
        retry: Retry | None = None,
        wait: float | None = 30.0,
        timeout: float | httpx.Timeout = 60.0,
        http_client: httpx.Client | None = None,
    ) -> None:
        own = http_client is not None and bool(http_client.auth or "authorization" in http_client.headers)
        access = Access.of(url, auth, token, own=own)
        self._owned = http_client is None
        self._transport = Transport(http_client or httpx.Client(timeout=timeout), access, retry or Retry())
        self.wait = checked_wait(wait)
        self.crawl = Crawl(self._transport)
        """The crawl, and its controls."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections. An `http_client` stays open for its owner."""
        if self._owned:
            self._transport.http.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._transport.access.base)!r})"

    def __getitem__(self, url: str) -> Site:
        """The scope that the URL, host or domain selects by itself."""
        return self.site(url)

    def site(self, url: str, *, scope: Scope | None = None, internal: Internal | None = None) -> Site:
        """A scope. `internal="exclude"` leaves out links within one registrable domain."""
        return Site(self._transport, url, scope, internal, self.wait)

    # Many scopes.

    def summaries(
        self,
        urls: Sequence[str],
        *,
        scope: Scope | None = None,
        internal: Internal | None = None,
        since: Day | None = None,
    ) -> Table[models.Summary]:
        """The summary of each of up to `api.max_summaries` (20) scopes, all of one state of the index."""
        own = params(scope=scope, internal=internal, since=None if since is None else day(since))
        request = Request("POST", "summary", own, {"urls": texts("urls", urls)})
        reply = self._transport.send_finished(request, self.wait, strict=False)
        reply.show_warnings()
        for row in reply.rows(models.Summary, "response"):
            row["asOf"] = reply.data["asOf"]
        return Table(models.Summary, reply)

    def backlinkshort(
        self, urls: Sequence[str], *, scope: Scope | None = None, internal: Internal | None = None
    ) -> Table[models.UrlFigures]:
        """Backlinks, referring domains and rank of each of up to `api.max_urls` (1000) scopes."""
        request = Request("GET", "backlinkshort", params(urls=texts("urls", urls), scope=scope, internal=internal))
        if len(url_of("", request)) > MOST_QUERY:
            own = params(scope=scope, internal=internal)
            request = Request("POST", "backlinkshort", own, texts("urls", urls))
        return Table(models.UrlFigures, self._shown(request))

    def anaurls(
        self, urls: Sequence[str], *, scope: Scope | None = None, internal: Internal | None = None
    ) -> Table[models.UrlCounts]:
        """Backlinks and referring domains of each of the scopes; `backlinkshort` takes more of them at once."""
        request = Request("GET", "anaurls", params(urls=texts("urls", urls), scope=scope, internal=internal))
        return Table(models.UrlCounts, self._shown(request))

    def linkintersect(
        self,
        targets: Sequence[str],
        *,
        exclude: Sequence[str] = (),
        at_least: int | None = None,
        scope: Scope | None = None,
        internal: Internal | None = None,
        **options: Unpack[ListOptions],
    ) -> Rows[models.CommonDomain]:
        """The domains that link to all of 2 to 20 targets, or to `at_least` of them, and to none of `exclude`.
        `links1` counts the links to the first target, `links2` those to the second, and so on."""
        targets = texts("targets", targets)
        own: dict[str, Scalar | Sequence[str]] = {
            "targets": targets,
            "exclude": texts("exclude", exclude),
            "atLeast": at_least,
            "scope": scope,
            "internal": internal,
        }
        counts = tuple(f"links{place + 1}" for place in range(len(targets)))
        query = list_query(models.CommonDomain, "linkintersect", options, wait=self.wait, conditions=counts, **own)
        return Rows(self._transport, query)

    # The index.

    def domains(self, *, random: bool = False, **options: Unpack[ListOptions]) -> Rows[models.Domain]:
        """The registrable domains of the index, strongest first; `random` draws up to 10,000 of them, others each time.

        Before the first ranking they may be a part of the domains; UnfinishedWarning says so.
        """
        query = list_query(models.Domain, "domains", options, wait=0, random=random or None)
        if random:
            most = MOST_ROWS if query.limit is None else min(query.limit, MOST_ROWS)
            query = replace(query, unordered=True, limit=most, page_size=max(1, most))
        return Rows(self._transport, query)

    def suggest(self, q: str, *, limit: int | None = None) -> Table[models.Suggestion]:
        """The known hosts and domains whose name begins with `q`, strongest first."""
        reply = self._shown(Request("GET", "suggest", params(q=q, limit=limit)))
        if not reply.finished:
            warn(UnfinishedWarning, "the index was not ranked yet, so a part of the names was searched")
        return Table(models.Suggestion, reply, "suggestions")

    def stats(self) -> models.Stats:
        """The size of the index."""
        return (self._shown(Request("GET", "stats"))).record(models.Stats)

    def explain(self, url: str) -> models.Explanation:
        """What is known of a URL, and why it is not fetched. Times are seconds since 1970."""
        return (self._shown(Request("GET", "explain", params(url=url)))).record(models.Explanation)

    def host(self, host: str) -> Table[models.Server]:
        """The servers of a host, and how the crawl treats them. Times are seconds since 1970."""
        return Table(models.Server, self._shown(Request("GET", "host", params(host=host))), "servers")

    # The server.

    def root(self) -> models.ServerInfo:
        """Name, version and endpoints of the server."""
        return (self._shown(Request("GET", ""))).record(models.ServerInfo)

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document."""
        return dict((self._transport.send(Request("GET", "openapi.json"))).data)

    def health(self) -> bool:
        """Whether the index can be read."""
        return self._probe("health")

    def livez(self) -> bool:
        """Whether the index can be read; the same under the name that some supervisors ask for."""
        return self._probe("livez")

    def session(self) -> models.Session:
        """Whose credentials these are, and their roles."""
        return (self._shown(Request("GET", "session"))).record(models.Session)

    def sign_in(self, name: str, password: str) -> None:
        """Begins a session, which stands for the password until `sign_out`."""
        body = {"name": name, "password": password}
        self._transport.respond(Request("POST", "session", (), body))

    def sign_out(self) -> None:
        """Ends the session."""
        self._transport.respond(Request("DELETE", "session"))

    def get(self, path: str, **values: Scalar | Sequence[str]) -> dict[str, Any]:
        """The JSON of any endpoint, as it is: `get("backlinks", url="example.org", limit=1)`."""
        name, named = endpoint(path)
        return dict((self._shown(Request("GET", name, (*named, *params(**values))))).data)

    def _probe(self, path: str) -> bool:
        try:
            self._transport.respond(Request("GET", path, patient=False))
        except ServerError:
            return False
        return True

    def _shown(self, request: Request) -> Reply:
        reply = self._transport.send(request)
        reply.show_warnings()
        return reply
