"""Every operation and parameter of the OpenAPI document has a method, and the methods send what the document says."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest

from backlinkd import (
    AsyncClient,
    AsyncCrawl,
    AsyncSite,
    Client,
    Conflict,
    ListOptions,
    NotAuthorized,
    Record,
    Site,
    Table,
    models,
)
from backlinkd._query import ExportOptions
from conftest import HASTE, Raw

SITE = "museum.example"
SINCE = datetime.now(UTC).date() - timedelta(days=300)
MANY = [f"{place}.museum.example" for place in range(200)]


def graph(web: Client) -> str:
    with TemporaryDirectory() as folder:
        return web[SITE].graph(Path(folder) / "graph.gexf").read_text()


# A method for each operation.
CALLS: dict[str, Callable[[Client], Any]] = {
    "root": lambda web: web.root(),
    "anabacklinks": lambda web: web[SITE].anabacklinks(),
    "anaurls": lambda web: web.anaurls([SITE, "wiki.example"]),
    "backlinks": lambda web: web[SITE].backlinks().first(),
    "backlinks-histogram": lambda web: web[SITE].backlinks_histogram(SINCE),
    "backlinkshort": lambda web: web.backlinkshort([SITE, "wiki.example"]),
    "post-backlinkshort": lambda web: web.backlinkshort([*MANY, SITE]),
    "bestpages": lambda web: web[SITE].bestpages().first(),
    "brokenbacklinks": lambda web: web[SITE].brokenbacklinks().first(),
    "competitors": lambda web: web[SITE].competitors().first(),
    "crawl": lambda web: web.crawl.status(),
    "crawl-blocks": lambda web: web.crawl.blocks(),
    "post-crawl-blocks": lambda web: web.crawl.change_blocks(add=["a.example"]),
    "crawl-errors": lambda web: web.crawl.errors().page(),
    "crawl-hosts": lambda web: web.crawl.hosts().first(),
    "post-crawl-pause": lambda web: web.crawl.pause(),
    "post-crawl-rank": lambda web: web.crawl.rank(),
    "post-crawl-recrawl": lambda web: web.crawl.recrawl(SITE),
    "post-crawl-resume": lambda web: web.crawl.resume(),
    "crawl-seeds": lambda web: web.crawl.seeds(),
    "post-crawl-seeds": lambda web: web.crawl.add_seeds(SITE),
    "domainpopularity": lambda web: web[SITE].domainpopularity(),
    "domains": lambda web: web.domains(random=True).first(),
    "edugovlinks": lambda web: web[SITE].edugovlinks(),
    "explain": lambda web: web.explain("http://www.museum.example/"),
    "exportbacklinks": lambda web: web[SITE].exportbacklinks(limit=1).all(),
    "exportpages": lambda web: web[SITE].exportpages(limit=1).all(),
    "geolocationshort": lambda web: web[SITE].geolocationshort().first(),
    "health": lambda web: web.health(),
    "history": lambda web: web[SITE].history(SINCE, step="week"),
    "host": lambda web: web.host("www.museum.example"),
    "httpstatus": lambda web: web[SITE].httpstatus().first(),
    "iplist": lambda web: web[SITE].iplist().first(),
    "ippopularity": lambda web: web[SITE].ippopularity(),
    "iscached": lambda web: web[SITE].iscached("backlinks", "linktexts"),
    "post-iscached": lambda web: web[SITE].iscached("backlinks", *MANY),
    "linkedpages": lambda web: web[SITE].linkedpages().first(),
    "linkintersect": lambda web: web.linkintersect([SITE, "wiki.example"]).first(),
    "linkratio": lambda web: web[SITE].linkratio(),
    "linkspread": lambda web: web[SITE].linkspread(),
    "linktextdistribution": lambda web: web[SITE].linktextdistribution(order="-refdoms"),
    "linktexts": lambda web: web[SITE].linktexts().first(),
    "linktypes": lambda web: web[SITE].linktypes(),
    "livez": lambda web: web.livez(),
    "lostbacklinks": lambda web: web[SITE].lostbacklinks(SINCE).first(),
    "lostdomains": lambda web: web[SITE].lostdomains(SINCE).first(),
    "neighbourhood": graph,
    "newandlost-histogram": lambda web: web[SITE].newandlost_histogram(SINCE),
    "newbacklinks": lambda web: web[SITE].newbacklinks(SINCE).first(),
    "newdomains": lambda web: web[SITE].newdomains(SINCE).first(),
    "openapi.json": lambda web: web.openapi(),
    "outgoinghosts": lambda web: web[SITE].outgoinghosts().first(),
    "outgoinglinkcount": lambda web: web[SITE].outgoinglinkcount(),
    "outgoinglinks": lambda web: web[SITE].outgoinglinks().first(),
    "outgoinglinktexts": lambda web: web[SITE].outgoinglinktexts().first(),
    "outgoingtoppages": lambda web: web[SITE].outgoingtoppages().first(),
    "pagedistribution": lambda web: web[SITE].pagedistribution(direction="in", where="frequency gt 1"),
    "redirectchain": lambda web: web["www.museum.example/"].redirectchain().first(),
    "referringdomains": lambda web: web[SITE].referringdomains().first(),
    "delete-session": lambda web: web.sign_out(),
    "session": lambda web: web.session(),
    "post-session": lambda web: web.sign_in("alice", "correct horse"),
    "sr": lambda web: web[SITE].sr(),
    "srspread": lambda web: web[SITE].srspread(showgroup=True),
    "stats": lambda web: web.stats(),
    "suggest": lambda web: web.suggest("mus", limit=3),
    "summary": lambda web: web[SITE].summary(),
    "post-summary": lambda web: web.summaries([SITE, "wiki.example"]),
    "tagtypes": lambda web: web[SITE].tagtypes().first(),
    "tldlist": lambda web: web[SITE].tldlist().first(),
}
# What the demo refuses: it crawls no longer, and has no users.
REFUSED = {
    "post-crawl-pause": 409,
    "post-crawl-rank": 409,
    "post-crawl-recrawl": 409,
    "post-crawl-resume": 409,
    "post-crawl-seeds": 409,
    "post-crawl-blocks": 409,
    "post-session": 401,
}
# Where rows are.
ROWS = ("response", "hosts", "errors", "history", "servers", "suggestions")
# Other names of parameters, and where those are that no method has.
NAMES = {
    "from": "from_",
    "atLeast": "at_least",
    "urls[]": "urls",
    "targets[]": "targets",
    "exclude[]": "exclude",
    "order[]": "order",
}
ELSEWHERE = {"url", "scope", "internal", "facets", "format", "next"}


def test_every_operation_has_a_call(document: dict[str, Any]) -> None:
    operations = {operation["operationId"] for item in document["paths"].values() for operation in item.values()}
    assert operations == set(CALLS) == set(models.OPERATIONS)


@pytest.mark.parametrize("name", CALLS)
def test_calls_send_what_the_document_says(demo: str, raw: Raw, name: str) -> None:
    asked: list[httpx.Request] = []
    with (
        httpx.Client(event_hooks={"request": [asked.append]}) as http,
        Client(demo, http_client=http, retry=HASTE) as web,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        try:
            answer = CALLS[name](web)
        except (Conflict, NotAuthorized) as error:
            assert name in REFUSED and error.status == REFUSED[name]
            answer = None
    assert [(request.method, request.url.path) for request in asked] == [models.OPERATIONS[name]]
    # The result is that of the same request without the client.
    if asked[0].method == "GET" and isinstance(answer, Table | Record):
        wanted = raw.http.get(asked[0].url).json()
        rows = next((wanted[key] for key in ROWS if isinstance(wanted.get(key), list)), None)
        if isinstance(answer, Table):
            assert rows and changeless([row.to_dict() for row in answer]) == changeless(rows)
        elif rows is None:
            assert changeless(answer.to_dict()) == changeless(wanted)
        elif name in ("linkratio", "linkspread"):
            assert answer.to_dict() == {key: value for row in rows for key, value in row.items()}
        else:
            assert name == "domains" or changeless(answer.to_dict()) == changeless(rows[0])


def changeless(value: Any) -> Any:
    """What two answers have in common: as JSON, and without what the passing of time changes."""
    moving = ("bytes", "diskFreeBytes", "status", "warnings", "asOf")
    match value:
        case dict():
            return {key: changeless(inner) for key, inner in value.items() if key not in moving}
        case list():
            return [changeless(inner) for inner in value]
        case date():
            return f"{value:%Y%m%d}"
        case int() | float() if not isinstance(value, bool):
            return str(value) if len(str(value)) == 8 else float(value)
        case _:
            return value


def parameters_of(name: str) -> set[str]:
    """The parameters of the method of an operation."""
    plain = {
        "root": "root",
        "crawl": "status",
        "crawl-hosts": "hosts",
        "crawl-errors": "errors",
        "post-summary": "summaries",
        "post-backlinkshort": "backlinkshort",
        "post-iscached": "iscached",
        "crawl-blocks": "blocks",
        "crawl-seeds": "seeds",
    }
    attribute = plain.get(name, name.replace("-", "_"))
    for owner in (AsyncCrawl,) if name.startswith("crawl") else (AsyncSite, AsyncClient):
        method = getattr(owner, attribute, None)
        if method:
            found = set(inspect.signature(method).parameters)
            if "options" in found:
                export = name.startswith("export")
                found |= set((ExportOptions if export else ListOptions).__annotations__)
            return found
    raise AssertionError(name)


def test_every_parameter_can_be_given(document: dict[str, Any]) -> None:
    missing = []
    for path, item in document["paths"].items():
        for operation in item.values():
            for parameter in operation.get("parameters", []):
                name = parameter["name"]
                if name in ELSEWHERE or path in ("/crawl/seeds", "/crawl/blocks", "/outgoinglinkcount"):
                    continue
                given = parameters_of(operation["operationId"])
                # Lists of the crawl are read with slices.
                if NAMES.get(name, name) not in given and not (path.startswith("/crawl") and name == "offset"):
                    missing.append(f"{operation['operationId']}: {name}")
    assert not missing


def test_the_methods_of_both_clients_are_the_same_and_documented() -> None:
    for one, other in [(Client, AsyncClient), (Site, AsyncSite)]:
        mine = {name for name in vars(one) if not name.startswith("_")} - {"close"}
        assert mine == {name for name in vars(other) if not name.startswith("_")} - {"aclose"}
        for name in mine:
            method, twin = getattr(one, name), getattr(other, name)
            assert method.__doc__ and method.__doc__ == twin.__doc__, name
            assert list(inspect.signature(method).parameters) == list(inspect.signature(twin).parameters), name
