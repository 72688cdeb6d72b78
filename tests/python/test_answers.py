"""Lists, exports, tables and frames of the demo, against the JSON and the CSV of the server."""

from __future__ import annotations

import warnings
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas
import polars
import pyarrow
import pytest
from pyarrow import ipc, parquet

from backlinkd import AsyncClient, Client, Rows, ServerWarning, col
from conftest import HASTE, Raw

SITE = "museum.example"
TODAY = datetime.now(UTC).date()
# The demo has a history of fourteen months, up to the present day.
FIRST = f"{TODAY - timedelta(days=330):%Y%m%d}"
LAST = TODAY - timedelta(days=150)
# The lists, with the parameters that select the same rows without the client.
LISTS: dict[str, tuple[Any, dict[str, Any]]] = {
    "backlinks": (lambda web: web[SITE].backlinks(), {}),
    "backlinks, lost": (
        lambda web: web[SITE].backlinks(active=False, order="-insDate"),
        {"active": "false", "order[]": "-insDate"},
    ),
    "backlinks, grouped": (
        lambda web: web[SITE].backlinks(group="domain", details=True),
        {"group": "domain", "details": "true"},
    ),
    "backlinks, few columns": (
        lambda web: web[SITE].backlinks(fields=["sr", col.linktext, "active", "updDate"], where=col.sr > 1),
        {"fields": "sr,linktext,active,updDate", "where": "sr gt 1"},
    ),
    "bestpages": (lambda web: web[SITE].bestpages(), {}),
    "brokenbacklinks": (lambda web: web[SITE].brokenbacklinks(), {}),
    "competitors": (
        lambda web: web[SITE].competitors(order=["-jaccard", "domain"]),
        {"order[]": ["-jaccard", "domain"]},
    ),
    "domains": (lambda web: web.domains(where=col.refdoms > 0), {"url": None, "where": "refdoms gt 0"}),
    "geolocationshort": (lambda web: web[SITE].geolocationshort(), {}),
    "httpstatus": (lambda web: web[SITE].httpstatus(), {}),
    "iplist": (lambda web: web[SITE].iplist(), {}),
    "linkedpages": (lambda web: web[SITE].linkedpages(), {}),
    "linkintersect": (
        lambda web: web.linkintersect([SITE, "weather.example", "example.edu"], exclude=["wiki.example"], at_least=2),
        {"url": None, "targets[]": [SITE, "weather.example", "example.edu"], "exclude[]": "wiki.example", "atLeast": 2},
    ),
    "linktexts": (lambda web: web[SITE].linktexts(), {}),
    "lostbacklinks": (
        lambda web: web[SITE].lostbacklinks(TODAY - timedelta(days=330), LAST.isoformat()),
        {"from": FIRST, "to": f"{LAST:%Y%m%d}"},
    ),
    "lostdomains": (lambda web: web[SITE].lostdomains(FIRST), {"from": FIRST}),
    "newbacklinks": (
        lambda web: web[SITE].newbacklinks(FIRST, active=True, details=True),
        {"from": FIRST, "active": "true", "details": "true"},
    ),
    "newdomains": (lambda web: web[SITE].newdomains(FIRST), {"from": FIRST}),
    "outgoinghosts": (lambda web: web[SITE].outgoinghosts(), {}),
    "outgoinglinks": (lambda web: web[SITE].outgoinglinks(), {}),
    "outgoinglinktexts": (lambda web: web[SITE].outgoinglinktexts(), {}),
    "outgoingtoppages": (lambda web: web[SITE].outgoingtoppages(), {}),
    "redirectchain": (
        lambda web: web["www.museum.example/old-lamp"].redirectchain(),
        {"url": "www.museum.example/old-lamp"},
    ),
    "referringdomains": (lambda web: web[SITE].referringdomains(details=True), {"details": "true"}),
    "tagtypes": (lambda web: web[SITE].tagtypes(), {}),
    "tldlist": (lambda web: web[SITE].tldlist(), {}),
    "scope and internal": (
        lambda web: web.site("www.museum.example/collection", scope="prefix", internal="exclude").backlinks(),
        {"url": "www.museum.example/collection", "scope": "prefix", "internal": "exclude"},
    ),
    "exportbacklinks": (lambda web: web[SITE].export(page_size=1_000), {}),
    "exportbacklinks, few columns": (lambda web: web[SITE].export(fields=["active", "sr"]), {"fields": "active,sr"}),
    "exportpages": (lambda web: web["example.edu"].exportpages(page_size=7), {"url": "example.edu"}),
}
PATHS = {"scope and internal": "backlinks"}


def expected(raw: Raw, name: str) -> list[dict[str, str]]:
    params = {"url": SITE, **LISTS[name][1]}
    path = PATHS.get(name, name.partition(",")[0])
    return raw.csv(path, **{key: value for key, value in params.items() if value is not None})


def cell(value: Any) -> str:
    """A value as CSV has it."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case date():
            return f"{value:%Y%m%d}"
        case list():
            return str(len(value))
        case float():
            return f"{value:g}"
        case _:
            return str(value)


def cells(row: dict[str, Any]) -> dict[str, str]:
    flat = {**{key: value for key, value in row.items() if key != "info"}, **row.get("info", {})}
    return {key: cell(value) for key, value in flat.items()}


def of_csv(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    numbers = ("sr", "percentage", "jaccard")
    return [{key: f"{float(value):g}" if key in numbers else value for key, value in row.items()} for row in rows]


def asked(ask: Any, web: Client) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ServerWarning)
        return ask(web)


@pytest.mark.parametrize("name", LISTS)
def test_rows_are_those_of_the_server(web: Client, raw: Raw, name: str) -> None:
    wanted = of_csv(expected(raw, name))
    assert wanted, "the demo has such rows"
    rows = LISTS[name][0](web)
    assert [cells(row.to_dict()) for row in rows.all()] == wanted
    assert [cells(row.to_dict()) for row in rows] == wanted
    if isinstance(rows, Rows):
        assert len(rows) == rows.count() == len(wanted)


@pytest.mark.parametrize("name", LISTS)
def test_frames_are_those_of_the_server(web: Client, raw: Raw, tmp_path: Path, name: str) -> None:
    wanted = of_csv(expected(raw, name))
    rows = LISTS[name][0](web)
    columns = list(wanted[0])

    arrow = rows.to_arrow()
    assert arrow.column_names == columns
    assert [cells(row) for row in arrow.to_pylist()] == wanted
    assert rows.reader().read_all().equals(arrow)
    assert rows.to_parquet(tmp_path / "rows.parquet") == len(wanted)
    assert parquet.read_table(tmp_path / "rows.parquet").equals(arrow)
    assert [path.name for path in tmp_path.iterdir()] == ["rows.parquet"]

    frame = rows.to_polars()
    assert frame.columns == columns
    assert [cells(row) for row in frame.to_dicts()] == wanted

    panda = rows.to_pandas()
    assert list(panda.columns) == columns
    records = [
        {key: None if value is pandas.NaT else value for key, value in row.items()} for row in panda.to_dict("records")
    ]
    assert [cells(row) for row in records] == wanted


@pytest.mark.parametrize("name", [name for name in LISTS if not name.startswith(("export", "redirect"))])
def test_empty_frames_have_the_same_types(web: Client, name: str) -> None:
    rows = LISTS[name][0](web)
    empty = rows[:0]
    assert empty.to_arrow().schema == rows.to_arrow().schema and len(empty.to_arrow()) == 0
    assert empty.to_polars().schema == rows.to_polars().schema
    assert empty.to_pandas().dtypes.equals(rows.to_pandas().dtypes)
    assert list(empty) == empty.all() == [] and len(empty) == 0 and not empty


def test_empty_exports_have_the_same_types(web: Client) -> None:
    for part in ("exportbacklinks", "exportpages"):
        full, empty = getattr(web["example.edu"], part)(), getattr(web["unknown.example"], part)()
        with pytest.warns(ServerWarning):
            assert empty.to_arrow().schema == full.to_arrow().schema and empty.to_arrow().num_rows == 0
            assert empty.to_polars().schema == full.to_polars().schema
            assert empty.to_pandas().dtypes.equals(full.to_pandas().dtypes)


def test_types_of_frames(web: Client) -> None:
    backlinks = web[SITE].backlinks(details=True)
    types = dict(backlinks.to_polars().schema)
    names = ("nofollow", "sr", "pos", "insDate", "confirmed", "title")
    wanted = [polars.Boolean, polars.Float64, polars.Int64, polars.Date, polars.Date, polars.String]
    assert [types[name] for name in names] == wanted
    schema = backlinks.to_arrow().schema
    assert [schema.field(name).type for name in names] == [
        pyarrow.bool_(),
        pyarrow.float64(),
        pyarrow.int64(),
        pyarrow.date32(),
        pyarrow.date32(),
        pyarrow.string(),
    ]
    kinds = backlinks.to_pandas().dtypes
    assert [str(kinds[name]) for name in names] == ["bool", "float64", "int64", "datetime64[s]", "datetime64[s]", "str"]
    # Days that are not known are null, and so are figures that are not counted yet.
    assert web[SITE].backlinks(active="all", details=True).to_polars()["reason"].n_unique() > 3
    summaries = web.summaries([SITE, "wiki.example"])
    assert str(summaries.to_pandas()["ips"].dtype) == "Int64" and summaries.to_polars()["ips"].dtype == polars.Int64
    assert summaries.to_arrow()["asOf.change"].type == pyarrow.int64()
    history = web[SITE].history(FIRST)
    assert history.to_polars()["date"].dtype == polars.Date and len(history.to_pandas()) == len(history)
    changes = web[SITE].newandlost_histogram(FIRST).to_pandas()
    assert {"date", "urls.new", "urls.lost", "domains.new", "domains.lost"} == set(changes.columns)
    assert int(history.to_pandas()["newBacklinks"].sum()) == int(changes["urls.new"].sum())
    pages = web["example.edu"].exportpages().to_polars()
    assert pages["extL"].dtype == polars.List(
        polars.Struct(
            {
                "anchor": polars.String,
                "nofollow": polars.Boolean,
                "pos": polars.Int64,
                "tag": polars.String,
                "url": polars.String,
            }
        )
    )


def test_slices_rows_and_pages(web: Client, raw: Raw) -> None:
    wanted = [row["backlinkpage"] for row in raw.csv("backlinks", url=SITE)]
    rows = web[SITE].backlinks()
    for part in [slice(10), slice(5, 9), slice(2_700, None), slice(5, 5), slice(9_999, None), slice(None)]:
        for page_size in (3, 1_000):
            if page_size == 3 and len(wanted[part]) > 50:
                continue
            found = web[SITE].backlinks(page_size=page_size)[part]
            assert [row.backlinkpage for row in found] == [row.backlinkpage for row in found.all()] == wanted[part]
            assert len(found) == found.count() == len(wanted[part])
    assert [row.backlinkpage for row in rows[10:30][5:10]] == wanted[15:20]
    assert [row.backlinkpage for row in rows[10:30][15:90]] == wanted[25:30]
    assert rows[7].backlinkpage == wanted[7] and rows[5:][2].backlinkpage == wanted[7]
    for wrong in (len(wanted), -1):
        with pytest.raises(IndexError):
            rows[wrong]
    for wrong in (slice(None, None, 2), slice(-3, None)):
        with pytest.raises(ValueError, match="slices"):
            rows[wrong]
    first = rows.first()
    assert first is not None and first.backlinkpage == wanted[0]
    page = rows.page(3, 4)
    assert [row.backlinkpage for row in page] == wanted[3:7] and page.count == len(wanted) and page.offset == 3
    assert page.finished and page.as_of is not None and page.as_of.change == raw.json("stats")["change"]
    assert [len(page) for page in web[SITE].backlinks(page_size=1_000).pages()] == [1_000, 1_000, len(wanted) - 2_000]
    assert [len(page) for page in web[SITE].backlinks(where=col.sr > 9).pages()] == [0]
    with pytest.raises(ValueError, match="page_size"):
        web[SITE].backlinks(page_size=10_001)
    with pytest.raises(TypeError, match="colour"):
        web[SITE].backlinks(colour="red")  # type: ignore[call-arg]


def test_an_iteration_asks_for_no_more_than_it_needs(demo: str) -> None:
    import httpx

    asked: list[str] = []
    hooks = {"request": [lambda request: asked.append(str(request.url.params))]}
    with httpx.Client(event_hooks=hooks) as http, Client(demo, http_client=http) as web:
        rows = web[SITE].backlinks(page_size=10)
        assert not asked
        for place, _ in enumerate(rows):
            if place == 14:
                break
        assert len(asked) == 2, asked
        asked.clear()
        assert len(list(web[SITE].backlinks())) > 2_000
        assert len(asked) == 3, "len() of the list needs no request of its own"


def test_exports_continue_where_they_stopped(web: Client, raw: Raw) -> None:
    wanted = [row["backlinkpage"] for row in raw.csv("exportbacklinks", url=SITE)]
    export = web[SITE].export(page_size=100)
    assert export.next is None and not export.finished
    parts = export.parts()
    begun = [row.backlinkpage for _ in range(3) for row in next(parts)]
    parts.close()
    assert len(begun) == 300 and export.next and not export.finished
    rest = web[SITE].export(next=export.next)
    assert begun + [row.backlinkpage for row in rest] == wanted
    assert rest.next is None and rest.finished
    assert [row.backlinkpage for row in web[SITE].export(limit=250, page_size=100)] == wanted[:250]
    assert [row.backlinkpage for row in web[SITE].export(limit=250).all()] == wanted[:250]


def test_facets(web: Client, raw: Raw) -> None:
    rows = raw.csv("backlinks", url=SITE, where="nofollow eq true")
    facets = web[SITE].backlinks(where=col.nofollow).facets("tag", "nofollow", "linktext")
    for name, facet in facets.items():
        counted = {value: sum(cell(value) == row[name] for row in rows) for value in facet.values}
        assert counted == facet.values and sum(facet.values.values()) + facet.others == len(rows), name
    assert facets["linktext"].others > 0


def test_files_are_those_of_the_server(web: Client, raw: Raw, tmp_path: Path) -> None:
    rows = web[SITE].backlinks(where=col.sr > 1, fields="linktext,sr".split(","))
    for name, format in {"a.csv": "csv", "a.jsonl": "jsonl", "b.csv": "excel"}.items():
        path = rows.download(tmp_path / name, format="excel" if format == "excel" else None)
        reply = raw.http.get(
            "backlinks", params={"url": SITE, "where": "sr gt 1", "fields": "linktext,sr", "format": format}
        )
        assert path.read_bytes() == reply.content
        assert raw.http.get(rows.url(format)).content == reply.content
    table = parquet.read_table(rows.download(tmp_path / "c.parquet"))
    assert (table.num_rows, table.column_names) == (rows.count(), ["linktext", "sr"])
    assert ipc.open_stream(rows.download(tmp_path / "d.arrows").read_bytes()).read_all().equals(table)
    feed = web[SITE].newbacklinks(FIRST).download(tmp_path / "feed.atom").read_text()
    assert feed.count("<entry") == 50
    assert web[SITE].graph(tmp_path / "graph.gexf").read_text().count("<node ") == 150
    assert "<graphml" in web[SITE].graph(tmp_path / "graph.graphml", nodes=3).read_text()
    with pytest.raises(ValueError, match="no format"):
        rows.download(tmp_path / "a.xlsx")
    assert {path.name for path in tmp_path.iterdir()} == {
        "a.csv",
        "a.jsonl",
        "b.csv",
        "c.parquet",
        "d.arrows",
        "feed.atom",
        "graph.gexf",
        "graph.graphml",
    }


def test_results_are_objects(web: Client, raw: Raw) -> None:
    summary = web[SITE].summary(since=LAST.isoformat())
    answer = raw.json("summary", url=SITE, since=f"{LAST:%Y%m%d}")
    assert summary.refdoms == answer["refdoms"] and summary["refdoms"] == answer["refdoms"]
    assert summary.since.date == LAST and summary.edu.backlinks == answer["edu"]["backlinks"]
    assert summary.asOf.change == answer["asOf"]["change"] and "refdoms" in summary and "zzz" not in summary
    row = web[SITE].backlinks(fields=["sr"])[0]
    assert row.to_dict() == {"sr": row.sr} and row == web[SITE].backlinks(fields=["sr"])[0]
    with pytest.raises(AttributeError, match="no title: add it to `fields`"):
        row.title
    with pytest.raises(AttributeError, match=r"Only with details=true"):
        row.doubt
    with pytest.raises(AttributeError, match="Backlink has no colour"):
        row.colour  # type: ignore[attr-defined]
    page = web["example.edu"].exportpages(limit=1).all()[0]
    assert page.info.http_code == 200 == page.info["http-code"] and page.extL[0].url.startswith("http")
    shares = web[SITE].linktextdistribution(top=2)
    assert (
        "rest" not in shares[0] and shares[2].rest and shares.to_pandas()["rest"].isna().tolist() == [True, True, False]
    )
    assert web.explain("http://www.museum.example/").page.status == 200  # type: ignore[union-attr]


def test_warnings_of_the_server_are_warnings(web: Client) -> None:
    site = web["unknown.example"]
    for ask in (site.anabacklinks, site.backlinks().all, lambda: list(site.backlinks()), site.backlinks().to_polars):
        with pytest.warns(ServerWarning, match="unknown.example is not known to this index") as caught:
            assert not len(ask()) if ask != site.anabacklinks else ask() == 0  # type: ignore[operator, arg-type]
        assert len(caught) == 1 and caught[0].filename == __file__, "the warning is about the line of the caller"
    with pytest.warns(ServerWarning, match="zzz"):
        assert len(list(web[SITE].backlinks(order="-zzz", page_size=500))) > 2_000
    with pytest.warns(ServerWarning):
        assert site.backlinks().page().known == "unknown"


@pytest.mark.anyio
async def test_the_asynchronous_client_gives_the_same(demo: str, web: Client, tmp_path: Path) -> None:
    async with AsyncClient(demo, retry=HASTE) as twin:
        site, other = twin[SITE], web[SITE]
        assert (await site.summary()).to_dict() == other.summary().to_dict()
        rows, others = site.backlinks(where=col.sr > 1, page_size=7), other.backlinks(where=col.sr > 1, page_size=7)
        assert [row async for row in rows] == list(others) == await rows.all()
        assert await rows.count() == len(others) and await rows.first() == others[0]
        assert [row async for row in rows[3:11]] == list(others[3:11])
        assert (await rows.to_polars()).equals(others.to_polars())
        assert (await rows.to_pandas()).equals(others.to_pandas())
        assert (await rows.to_arrow()).equals(others.to_arrow())
        assert [batch.num_rows async for batch in rows.batches()] == [len(others)]
        assert await site.export().to_parquet(tmp_path / "a.parquet") == len(other.export().all())
        assert [row async for row in site.exportpages(page_size=5)] == list(other.exportpages())
        assert (await rows.facets("tag")) == others.facets("tag")
        assert (await twin.stats()).links == web.stats().links and (await twin.crawl.status()).state == "none"
        assert [row.host async for row in twin.crawl.hosts()] == [row.host for row in web.crawl.hosts()]
        assert (await rows.download(tmp_path / "a.csv")).read_text().count("\n") > 10
