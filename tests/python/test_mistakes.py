"""Mistakes of programs, secrets, and answers of other servers: each has a sentence, and none passes unnoticed."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from backlinkd import AnswerError, AsyncClient, BadRequest, Client, ConnectionFailed, Retry, col
from conftest import HASTE
from faults import Answer, Fault, Proxy

SITE = "museum.example"


def client(proxy: Proxy, **options: Any) -> Client:
    return Client(proxy.url, **{"retry": HASTE, **options})


def says(body: Any, status: int = 200, **headers: str) -> Fault:
    """An answer that is not of the server."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lambda _: Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


def test_numbers_of_rows_are_checked(web: Client) -> None:
    site, anything = web[SITE], "5"
    asks: list[Callable[..., Any]] = [site.export, site.exportpages, site.backlinks, web.domains]
    for ask in asks:
        for wrong in (0, -1, 10_001):
            with pytest.raises(ValueError, match=f"page_size is {wrong}; it must be a whole number from 1 to 10000"):
                ask(page_size=wrong)
        with pytest.raises(ValueError, match="limit is -1; it must be a whole number from 0 on"):
            ask(limit=-1)
        for name in ("page_size", "limit"):
            with pytest.raises(TypeError, match=f"{name} is '5'; it must be a whole number"):
                ask(**{name: anything})
    with pytest.raises(ValueError, match="offset is -1"):
        site.backlinks(offset=-1)


@pytest.mark.anyio
async def test_an_export_that_does_not_advance_ends(demo: str) -> None:
    # Such a server would be asked for ever.
    endless = [
        says({"response": [], "count": 0, "next": "x"}),
        says({"response": [{"sr": 1}], "count": 1, "next": "x"}),
    ]
    for answer in endless:
        stop = [answer] * 20
        with Proxy(demo, *stop, for_ever=says({"error": "enough"}, 400)) as proxy, client(proxy) as web:
            with pytest.raises(AnswerError, match="the export does not advance"):
                web[SITE].export().all()
            async with AsyncClient(proxy.url, retry=HASTE) as twin:
                with pytest.raises(AnswerError, match="the export does not advance"):
                    await twin[SITE].export(limit=5).all()
                with pytest.raises(ValueError, match="page_size is 0"):
                    await twin[SITE].export(page_size=0).all()
            assert len(proxy.seen) <= 4
    with Client(demo) as web:
        assert web[SITE].export(limit=0).all() == [] and len(web[SITE].export(limit=3, page_size=2).all()) == 3


@pytest.mark.anyio
async def test_no_other_server_gets_the_token(demo: str) -> None:
    with Proxy(demo) as other, Proxy(demo) as proxy, client(proxy, token="SECRET") as web:
        for path in (f"{other.url}/stats", other.url.removeprefix("http:") + "/stats", "stats#x"):
            with pytest.raises(ValueError, match="is no path of an endpoint"):
                web.get(path)
            async with AsyncClient(proxy.url, token="SECRET", retry=HASTE) as twin:
                with pytest.raises(ValueError, match="is no path of an endpoint"):
                    await twin.get(path)
        assert not other.seen and not proxy.seen
        links = web.get(f"/backlinks?url={SITE}&where=sr%20ge%202", limit=1)
        assert len(links["response"]) == 1 and proxy.seen[-1].params["where"] == "sr ge 2"
        assert proxy.seen[-1].headers["authorization"] == "Bearer SECRET"


def test_texts_do_not_show_credentials(demo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BACKLINKD_URL", "BACKLINKD_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    anything: Any = 5
    wrong: list[tuple[type[Exception], dict[str, Any]]] = [
        (ValueError, {"token": "SEC\nRET"}),
        (ValueError, {"token": "SEC RET"}),
        (ValueError, {"token": "SECRÉT"}),
        (TypeError, {"token": b"SECRET"}),
        (TypeError, {"token": anything}),
        (TypeError, {"auth": ("SECRET",)}),
        (TypeError, {"auth": "SECRET"}),
        (ValueError, {"auth": ("SEC:RET", "x")}),
        (ValueError, {"url": "al:SECRET@localhost"}),
        (ValueError, {"url": "http://al:SECRET@[::1"}),
        (ValueError, {"url": "ftp://al:SECRET@localhost"}),
        (ValueError, {"url": "http://al:SECRET@localhost:99999"}),
        (ValueError, {"url": "http://al:SECRET@localhost", "token": "x"}),
    ]
    for error, options in wrong:
        with pytest.raises(error) as caught:
            Client(**options)
        assert "SEC" not in repr(caught.value) and len(str(caught.value)) > 20, options
    monkeypatch.setenv("BACKLINKD_TOKEN", "SEC\nRET")
    with pytest.raises(ValueError, match="BACKLINKD_TOKEN has characters"):
        Client(demo)
    # A file that ends with a line break is the usual source of a token.
    monkeypatch.setenv("BACKLINKD_TOKEN", "SECRET\n")
    with Proxy(demo) as proxy:
        for options in ({}, {"token": " SECRET\r\n"}):
            with client(proxy, **options) as web:
                web.get("stats")
            assert proxy.seen[-1].headers["authorization"] == "Bearer SECRET"
        with Client(proxy.url.replace("//", "//al:p%40w@"), retry=HASTE) as web:
            web.get("stats")
            rows = web[SITE].backlinks()
            assert proxy.seen[-1].headers["authorization"] == "Basic YWw6cEB3"
            for shown in (repr(web), rows.url(), repr(rows), repr(web[SITE]), repr(web._transport.access)):
                assert "p%40w" not in shown and "p@w" not in shown and "al:" not in shown, shown
            assert repr(web) == f"Client({proxy.url!r})" and rows.url().startswith(f"{proxy.url}/backlinks?")
    with Client("http://al:pw@127.0.0.1:1", retry=HASTE) as web, pytest.raises(ConnectionFailed) as failed:
        web.stats()
    assert "pw" not in str(failed.value)


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:8080",
        "ftp://x",
        "http://",
        "http:///x",
        "http://[::1",
        "http://x:99999",
        "http://x/?q=1",
        "http://x/#a",
    ],
)
def test_addresses_are_checked(url: str) -> None:
    with pytest.raises(ValueError, match="is no address of a server; write it as http"):
        Client(url)


def test_a_client_of_httpx_stays_as_it_is(demo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKLINKD_TOKEN", "other")
    with Proxy(demo) as proxy, httpx.Client(auth=("al", "pw"), headers={"User-Agent": "notebook/1"}) as http:
        before = dict(http.headers), http.auth, http.base_url
        for options, sent in [
            ({}, "Basic YWw6cHc="),
            ({"token": "x"}, "Bearer x"),
            ({"auth": ("a", "b")}, "Basic YTpi"),
        ]:
            with client(proxy, http_client=http, **options) as web:
                web.get("stats")
            assert proxy.seen[-1].headers["authorization"] == sent
            assert proxy.seen[-1].headers["user-agent"] == "notebook/1"
        assert not http.is_closed and (dict(http.headers), http.auth, http.base_url) == before
        with client(proxy) as web:
            web.get("stats")
        assert web._transport.http.is_closed and proxy.seen[-1].headers["user-agent"].startswith("backlinkd-python/")


ASKS: list[Callable[[Client], Any]] = [
    lambda web: web[SITE].backlinks().count(),
    lambda web: list(web[SITE].backlinks()),
    lambda web: web[SITE].backlinks().all(),
    lambda web: web[SITE].backlinks().to_pandas(),
    lambda web: list(web[SITE].backlinks().batches()),
    lambda web: web[SITE].backlinks().facets("tag"),
    lambda web: web[SITE].backlinks()[3],
    lambda web: web[SITE].export().all(),
    lambda web: web[SITE].summary(),
    lambda web: web[SITE].anabacklinks(),
    lambda web: web[SITE].sr(),
    lambda web: web[SITE].ippopularity(),
    lambda web: web[SITE].history("2026-01-01"),
    lambda web: web[SITE].linkspread(),
    lambda web: web[SITE].iscached("backlinks"),
    lambda web: web.summaries([SITE]),
    lambda web: web.backlinkshort([SITE]),
    lambda web: web.suggest("m"),
    lambda web: web.stats(),
    lambda web: web.host("x"),
    lambda web: web.crawl.status(),
    lambda web: web.crawl.hosts().all(),
    lambda web: web.crawl.pause(),
    lambda web: web.crawl.seeds(),
]
OTHERS: dict[str, Fault] = {
    "an object": says({"hello": 1}),
    "rows": says({"response": [{"hello": 1}], "count": 1, "next": None, "history": [{"hello": 1}]}),
    "a text for rows": says({"response": "abc", "count": "x", "next": None, "history": 7, "done": None}),
    "numbers for rows": says({"response": [1, 2], "count": [], "hosts": {}, "servers": 1}),
    "a list": says([1]),
    "a page": says(b"<html>\n<p>hello\n</html>\n", content_type="text/html"),
    "nothing": says(b""),
    "a deep list": says(b"[" * 100_000),
    "odd headers": says({"count": 1}, backlinkd_as_of="garbage; change=x", x_total_count="x"),
    "odd warnings": says({"warnings": 1, "asOf": {"time": 1}}, x_warnings="[", x_total_count="1"),
    "a line of something else": says(b'{"hello":1}\n', x_total_count="1"),
    "a broken line": says(b'{"sr":1}\n{"sr', x_total_count="2"),
    "no rows, no count": says(b'{"sr":1}\n'),
    "wrong compression": says(b"hello", content_encoding="gzip"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_answers_of_others_are_errors_of_the_package(demo: str, name: str) -> None:
    with Proxy(demo, for_ever=OTHERS[name]) as proxy, client(proxy) as web:
        for place, ask in enumerate(ASKS):
            try:
                found = ask(web)
            except AnswerError as error:
                assert len(str(error)) > 20
                continue
            assert (name, place) in ALLOWED, (name, place, found)


# A count alone cannot be told from one of backlinkd.
ALLOWED = {("rows", 0), ("rows", 5)}


def test_short_pages_do_not_end_a_list(demo: str) -> None:
    def short(answer: Answer) -> Answer:
        return answer.change(response=json.loads(answer.body)["response"][:7])

    with Client(demo) as web:
        wanted = web[SITE].backlinks(limit=40).all()
    with Proxy(demo, short, short) as proxy, client(proxy) as web:
        assert list(web[SITE].backlinks(limit=40, page_size=20)) == wanted
        proxy.for_ever = says({"response": [], "count": 9})
        with pytest.raises(AnswerError, match="the server gives 0 of 9 rows of backlinks"):
            list(web[SITE].backlinks())


def test_odd_refusals_are_refusals(demo: str) -> None:
    for at in ([1], [], "ab", 7, {"a": 1}, [1, "x"], [[1], [2]]):
        with Proxy(demo, for_ever=says({"error": "no", "at": at, "parameter": 5}, 400)) as proxy, client(proxy) as web:
            with pytest.raises(BadRequest, match="no") as caught:
                web.stats()
            assert caught.value.at is None


@pytest.mark.anyio
async def test_requests_that_are_too_long_are_refusals(demo: str, web: Client) -> None:
    for size in (3_000, 6_000, 60_000):
        where = col.linktext.in_([f"text {place}" for place in range(size)])
        for ask in (web[SITE].backlinks(where=where).count, web[SITE].backlinks(where=where).all):
            with pytest.raises(BadRequest, match="ask for less at once") as caught:
                ask()
            assert caught.value.status == 414
        async with AsyncClient(demo, retry=HASTE) as twin:
            with pytest.raises(BadRequest, match="ask for less at once"):
                await twin[SITE].backlinks(where=where).all()


def test_a_header_that_cannot_be_sent_is_not_shown(demo: str) -> None:
    with httpx.Client(headers={"X-Key": "SEC\nRET"}) as http, Client(demo, http_client=http) as web:
        with pytest.raises(ConnectionFailed, match="a header of http_client") as caught:
            web.stats()
    assert "SEC" not in str(caught.value) and caught.value.__cause__ is None


@pytest.mark.anyio
async def test_what_an_asynchronous_list_cannot_do_has_a_sentence(demo: str, web: Client) -> None:
    async with AsyncClient(demo, retry=HASTE) as twin:
        rows: Any = twin[SITE].backlinks(where=col.sr > 100)
        export: Any = twin[SITE].export()
        wrong: list[tuple[Callable[[], Any], str]] = [
            (lambda: bool(rows), "`await rows.count.. > 0`"),
            (lambda: not rows, "`await rows.count.. > 0`"),
            (lambda: [row for row in rows], "`async for`"),
            (lambda: list(rows), "`async for`"),
            (lambda: len(rows), "`await rows.count..`"),
            (lambda: list(rows[:5]), "`async for`"),
            (lambda: rows[5], "await rows.page"),
            (lambda: list(export), "`async for`"),
            (lambda: bool(export), "does not know whether it has rows"),
            (lambda: bool(web[SITE].export()), "does not know whether it has rows"),
        ]
        for ask, sentence in wrong:
            with pytest.raises(TypeError, match=sentence):
                ask()
        assert await rows.count() == 0 and [row async for row in rows] == await rows.all() == []
    assert not web[SITE].backlinks(where=col.sr > 100) and web[SITE].backlinks()


def test_a_text_is_no_list(web: Client) -> None:
    anything: Any = web
    asks: dict[str, Callable[[Any], Any]] = {
        "urls": anything.summaries,
        "urls ": anything.backlinkshort,
        "urls  ": anything.anaurls,
        "targets": anything.linkintersect,
        "exclude": lambda value: anything.linkintersect([SITE, "example.edu"], exclude=value),
        "add": lambda value: anything.crawl.change_blocks(add=value),
        "remove": lambda value: anything.crawl.change_blocks(remove=value),
    }
    for name, ask in asks.items():
        for wrong in ("abc", b"abc", 5):
            with pytest.raises(TypeError, match=f"{name.strip()} takes a list of texts, and not"):
                ask(wrong)
        with pytest.raises(TypeError, match=f"{name.strip()} takes texts, and not 5"):
            ask(["example.org", 5])
    for call in (anything.crawl.add_seeds, anything.crawl.recrawl, anything[SITE].iscached):
        with pytest.raises(TypeError, match="takes texts, and not"):
            call(["a", "b"])
    frame = web[SITE].referringdomains(limit=3).to_pandas()
    assert len(web.backlinkshort(frame.domain)) == 3  # type: ignore[arg-type]


def test_what_is_no_condition_is_reported(web: Client) -> None:
    site: Any = web[SITE]
    for wrong in (True, [col.sr > 1], lambda row: row.sr > 1, b"sr gt 1", 5):
        for ask in (site.backlinks, site.linktexts, site.linktextdistribution, site.pagedistribution):
            with pytest.raises(TypeError, match="it must be a condition, such as .col.sr >= 3."):
                ask(where=wrong)
    for wrong in (col.sr > 1, [col.sr > 1], 5, ["sr", None]):
        for name in ("order", "fields"):
            with pytest.raises(TypeError, match="fields and order take names such as 'sr'"):
                site.backlinks(**{name: wrong})
    assert site.backlinks(where="sr gt 1").count() == site.backlinks(where=col.sr > 1).count() > 0
    with pytest.raises(TypeError, match="decode the bytes"):
        anything: Any = col.tag
        anything.in_(b"ab")


def test_waits_and_attempts_are_checked(demo: str, web: Client) -> None:
    wrong: list[dict[str, Any]] = [{"attempts": 0}, {"backoff": -1}, {"max_wait": -1}, {"backoff": float("nan")}]
    for options in [*wrong, {"attempts": "5"}]:
        with pytest.raises(ValueError, match="of Retry is .*; it must be a number from"):
            Retry(**options)
    waits: list[Any] = [-1, float("nan"), "5"]
    for wait in waits:
        with pytest.raises(ValueError, match="it must be a number of seconds from 0 on"):
            Client(demo, wait=wait)
        with pytest.raises(ValueError, match="it must be a number of seconds from 0 on"):
            web[SITE].backlinks(wait=wait)


@pytest.mark.anyio
async def test_lists_of_the_crawl_have_no_files(demo: str, web: Client) -> None:
    for rows in (web.crawl.hosts(), web.crawl.errors(), AsyncClient(demo).crawl.hosts()):
        for name in ("url", "download", "facets"):
            assert not hasattr(rows, name) and hasattr(web[SITE].backlinks(), name), name
    hosts = web.crawl.hosts(order="host")
    assert len(hosts) == len(hosts.all()) == len(hosts.to_pandas()) == len(list(hosts)) > 3
    assert hosts[1].host == hosts.all()[1].host == hosts[1:3].all()[0].host
    with pytest.raises(ValueError, match="limit is -1"):
        web.crawl.hosts(limit=-1)


@pytest.mark.anyio
async def test_a_refused_certificate_is_not_asked_again(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(certificate)]
    try:
        subprocess.run([*make, *name], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    met: list[int] = []

    def serve() -> None:
        while True:
            try:
                peer, _ = server.accept()
            except OSError:
                return
            met.append(1)
            with peer, contextlib.suppress(OSError):
                context.wrap_socket(peer, server_side=True).close()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, daemon=True).start()
        url = f"https://127.0.0.1:{server.getsockname()[1]}"
        with Client(url, retry=HASTE) as web, pytest.raises(ConnectionFailed, match="certificate of https"):
            web.stats()
        async with AsyncClient(url, retry=HASTE) as twin:
            with pytest.raises(ConnectionFailed, match="certificate of https"):
                await twin[SITE].backlinks().all()
        server.shutdown(socket.SHUT_RDWR)
    assert len(met) == 2
