"""Refusals, broken connections, unfinished lists and an index that changes, by a proxy in front of the demo."""

from __future__ import annotations

import pickle
import time
import warnings
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from backlinkd import (
    AnswerError,
    ApiError,
    AsyncClient,
    BadRequest,
    Client,
    Conflict,
    ConnectionFailed,
    NotFound,
    Retry,
    ServerError,
    StateChangedError,
    StateChangedWarning,
    TooManyRequests,
    UnfinishedError,
    UnfinishedWarning,
)
from backlinkd._files import Arrival
from backlinkd._protocol import Request
from conftest import HASTE, Raw
from faults import Answer, Fault, Proxy, close_after, cut, hang_up, other_state, refuse, unfinished, whole

SITE = "museum.example"


@pytest.fixture(scope="module")
def count(raw: Raw) -> int:
    """The backlinks of the site."""
    links: int = raw.json("anabacklinks", url=SITE)["response"][0]["backlinks"]
    assert links > 2_500
    return links


def client(proxy: Proxy, **options: Any) -> Client:
    return Client(proxy.url, **{"retry": HASTE, **options})


def until_later(_: Answer) -> Answer:
    """A refusal whose Retry-After is a date: in two to three seconds."""
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=3), usegmt=True)
    return Answer(429, {"retry-after": date}, b"{}")


def test_refusals_that_pass_are_waited_for(demo: str, count: int) -> None:
    for refusal, least in [(refuse(429, retry_after="1"), 1.0), (until_later, 1.5), (refuse(429), 0.0)]:
        with Proxy(demo, refusal, refuse(503)) as proxy, client(proxy) as web:
            assert web[SITE].anabacklinks() == count
            assert len(proxy.seen) == 3
            assert proxy.seen[1].time - proxy.seen[0].time >= least


def test_waits_are_bounded_and_have_jitter(demo: str) -> None:
    with Proxy(demo, for_ever=refuse(429, retry_after="31")) as proxy, client(proxy) as web:
        with pytest.raises(TooManyRequests) as caught:
            web[SITE].anabacklinks()
        assert (caught.value.status, caught.value.retry_after, len(proxy.seen)) == (429, 31.0, 1)
    with Proxy(demo, for_ever=refuse(503)) as proxy, client(proxy, retry=Retry(attempts=3, backoff=0.01)) as web:
        with pytest.raises(ServerError, match="the server is busy"):
            web[SITE].anabacklinks()
        assert len(proxy.seen) == 3
    error = ApiError(503, "busy", retry_after=2.0)
    retry = Retry()
    request = Request("GET", "backlinks")
    waits = [retry.after_status(request, error, 1) for _ in range(50)]
    assert all(wait is not None and 2.0 <= wait <= 3.0 for wait in waits) and len(set(waits)) > 40
    for attempt in range(1, 5):
        pauses = [retry.after_status(request, ApiError(503, "busy"), attempt) or 0.0 for _ in range(50)]
        assert 0.25 * 2 ** (attempt - 1) <= min(pauses) < max(pauses) <= 0.5 * 2 ** (attempt - 1)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 500])
def test_other_refusals_are_errors_at_once(demo: str, status: int) -> None:
    kinds = {400: BadRequest, 404: NotFound, 409: Conflict, 500: ServerError}
    with Proxy(demo, for_ever=refuse(status)) as proxy, client(proxy) as web:
        with pytest.raises(kinds.get(status, ApiError)) as caught:
            web[SITE].backlinks().all()
        assert caught.value.status == status and len(proxy.seen) == 1


def test_errors_name_parameter_code_and_place(web: Client) -> None:
    with pytest.raises(BadRequest, match='sr takes|"high" stands here') as caught:
        web[SITE].backlinks(where="sr gt high").count()
    error = caught.value
    assert (error.status, error.parameter, error.code, error.at, error.retry_after) == (
        400,
        "where",
        "not-a-number",
        (6, 10),
        None,
    )
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.parameter, copy.at, str(copy)) == (error.parameter, error.at, str(error))
    with pytest.raises(NotFound, match="no endpoint"):
        web.get("nothing")


@pytest.mark.parametrize("fault", [hang_up, cut(0.0), cut(0.5)])
def test_broken_connections_are_repaired(demo: str, fault: Fault, count: int) -> None:
    with Proxy(demo, fault, fault) as proxy, client(proxy) as web:
        assert web[SITE].summary().backlinks == count
        assert len(proxy.seen) == 3
    with Proxy(demo, for_ever=fault) as proxy, client(proxy) as web:
        with pytest.raises(ConnectionFailed, match="does not answer"):
            web[SITE].summary()
        assert len(proxy.seen) == 5
    # A control may have been heard, so it is not sent twice; a question in a body is.
    with Proxy(demo, for_ever=fault) as proxy, client(proxy) as web:
        with pytest.raises(ConnectionFailed):
            web.crawl.pause()
        assert len(proxy.seen) == 1
    with Proxy(demo, fault) as proxy, client(proxy) as web:
        assert web.summaries([SITE])[0].backlinks == count


def test_a_list_goes_on_where_its_connection_broke(demo: str, web: Client, tmp_path: Path) -> None:
    wanted = web[SITE].backlinks().all()
    for faults in ([cut(0.4)], [cut(0.4), cut(0.4), cut(0.0), cut(0.4)]):
        with Proxy(demo, *faults) as proxy, client(proxy) as broken:
            assert broken[SITE].backlinks().all() == wanted
            places = [int(seen.params.get("offset", 0)) for seen in proxy.seen]
            assert len(places) == len(faults) + 1 and places == sorted(places) and places[1] > 900, places
        with Proxy(demo, *faults) as proxy, client(proxy) as broken:
            assert broken[SITE].backlinks().reader().read_all().num_rows == len(wanted)
    with Proxy(demo, for_ever=cut(0.0)) as proxy, client(proxy) as broken, pytest.raises(ConnectionFailed):
        broken[SITE].backlinks().all()


def test_no_list_is_put_together_from_two_states(demo: str, web: Client, tmp_path: Path) -> None:
    wanted = web[SITE].backlinks().all()
    with Proxy(demo, cut(0.4), other_state) as proxy, client(proxy) as broken:
        assert broken[SITE].backlinks().all() == wanted
        assert ["offset" in seen.params for seen in proxy.seen] == [False, True, False]
    with Proxy(demo, cut(0.4), other_state) as proxy, client(proxy) as broken:
        assert broken[SITE].backlinks().to_parquet(tmp_path / "a.parquet") == len(wanted)
    with Proxy(demo, cut(0.4), other_state) as proxy, client(proxy) as broken:
        # Batches that were given away cannot be taken back.
        with pytest.raises(StateChangedError, match="the index changed since"):
            list(broken[SITE].backlinks().batches())
    faults = [fault for _ in range(3) for fault in (cut(0.4), other_state)]
    with Proxy(demo, *faults) as proxy, client(proxy) as broken:
        with pytest.raises(StateChangedError, match="index changed"):
            broken[SITE].backlinks().to_parquet(tmp_path / "b.parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["a.parquet"]


def test_pages_of_two_states_are_reported(demo: str, count: int) -> None:
    with Proxy(demo, whole, other_state, other_state) as proxy, client(proxy) as web:
        with pytest.warns(StateChangedWarning, match="may be missing or appear twice") as caught:
            assert len(list(web[SITE].backlinks())) == count
        assert len(caught) == 1 and caught[0].filename == __file__
        assert len(list(web[SITE].backlinks())) == count, "no warning without a change"


def test_exports_repeat_the_part_that_broke(demo: str, web: Client, tmp_path: Path) -> None:
    wanted = web[SITE].export().all()
    faults = [whole, cut(0.5), hang_up, whole, refuse(503), cut(0.1)]
    with Proxy(demo, *faults) as proxy, client(proxy) as broken:
        assert list(broken[SITE].export(page_size=500)) == wanted
        places = [seen.params.get("next") for seen in proxy.seen]
        assert places[0] is None and places[1] == places[2] == places[3] != places[4]
    with Proxy(demo, *faults) as proxy, client(proxy) as broken:
        assert broken[SITE].export(page_size=500).to_parquet(tmp_path / "a.parquet") == len(wanted)
    with Proxy(demo, whole, whole, for_ever=hang_up) as proxy, client(proxy) as broken:
        export = broken[SITE].export(page_size=500)
        begun = []
        with pytest.raises(ConnectionFailed):
            begun.extend(iter(export))
        assert len(begun) == 1_000
        assert begun + web[SITE].export(next=export.next).all() == wanted


def test_files_are_whole_or_absent(demo: str, web: Client, tmp_path: Path) -> None:
    whole_file = web[SITE].backlinks().download(tmp_path / "whole.csv").read_bytes()
    with Proxy(demo, cut(0.5)) as proxy, client(proxy) as broken:
        assert broken[SITE].backlinks().download(tmp_path / "broken.csv").read_bytes() == whole_file
    with Proxy(demo, for_ever=cut(0.5)) as proxy, client(proxy) as broken, pytest.raises(ConnectionFailed):
        broken[SITE].backlinks().download(tmp_path / "never.csv")
    assert {path.name for path in tmp_path.iterdir()} == {"whole.csv", "broken.csv"}


def test_unfinished_answers_are_waited_for(demo: str, tmp_path: Path, count: int) -> None:
    for ask in (
        lambda web: len(web[SITE].backlinks()),
        lambda web: len(list(web[SITE].backlinks())),
        lambda web: len(web[SITE].backlinks().all()),
        lambda web: web[SITE].backlinks().to_parquet(tmp_path / "a.parquet"),
        lambda web: web[SITE].backlinks().download(tmp_path / "a.jsonl").read_text().count("\n"),
        lambda web: sum(web[SITE].backlinks().facets("nofollow")["nofollow"].values.values()),
        lambda web: web[SITE].summary().backlinks,
        lambda web: sum(row.frequency for row in web[SITE].linktextdistribution()),
    ):
        with Proxy(demo, unfinished, unfinished) as proxy, client(proxy) as web:
            assert ask(web) == count
            assert len(proxy.seen) >= 3


def test_waiting_has_an_end(demo: str, web: Client, count: int) -> None:
    with Proxy(demo, for_ever=unfinished) as proxy:
        start = time.monotonic()
        with client(proxy, wait=0.5) as slow, pytest.raises(UnfinishedError, match="after 0.5 seconds"):
            slow[SITE].backlinks().all()
        assert 0.5 <= time.monotonic() - start < 60
        with client(proxy) as slow, pytest.raises(UnfinishedError, match="after 0.2 seconds"):
            len(slow[SITE].backlinks(wait=0.2))
        with client(proxy, wait=0) as slow:
            for ask in (slow[SITE].backlinks().all, lambda: list(slow[SITE].backlinks(page_size=10_000))):
                with pytest.warns(UnfinishedWarning) as caught:
                    assert len(ask()) == count
                assert len(caught) == 1
            with pytest.warns(UnfinishedWarning):
                assert not slow[SITE].backlinks().page().finished
        with client(proxy, wait=0.2) as slow, pytest.warns(UnfinishedWarning):
            assert slow[SITE].summary().exportFinished is False
        with client(proxy) as slow, pytest.warns(UnfinishedWarning, match="not complete"):
            slow.domains(limit=1).all()


def test_answers_of_others_are_no_answers(demo: str, count: int) -> None:
    def page(_: Answer) -> Answer:
        return Answer(200, {"content-type": "text/html"}, b"<html>Welcome to the proxy</html>")

    def broken(_: Answer) -> Answer:
        return Answer(502, {"content-type": "text/html"}, b"<html>Bad gateway</html>")

    def short(answer: Answer) -> Answer:
        answer.body = answer.body[: answer.body[:-1].rindex(b"\n") + 1]
        return answer

    with Proxy(demo, page, broken, short) as proxy, client(proxy) as web:
        with pytest.raises(AnswerError, match="Welcome"):
            web.stats()
        with pytest.raises(ServerError, match="502: <html>Bad gateway"):
            web.stats()
        with pytest.raises(AnswerError, match=f"{count - 1} rows, but its headers promise {count}"):
            web[SITE].backlinks().all()
    with Client("http://127.0.0.1:1", retry=HASTE) as web, pytest.raises(ConnectionFailed, match="127.0.0.1:1"):
        web.stats()


def test_probes(demo: str) -> None:
    with Proxy(demo, for_ever=refuse(503)) as proxy, client(proxy) as web:
        assert not web.health() and not web.livez() and len(proxy.seen) == 2


def test_credentials(demo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BACKLINKD_URL", "BACKLINKD_TOKEN"):
        monkeypatch.delenv(name, raising=False)

    root = b'{"name": "backlinkd", "version": "0", "endpoints": []}'

    def sent(**options: Any) -> str | None:
        with client(proxy, **options) as web:
            web.root()
        return proxy.seen[-1].headers.get("authorization")

    with Proxy(demo, for_ever=lambda _: Answer(200, {}, root)) as proxy:
        assert sent() is None
        assert sent(auth=("Aladdin", "open sesame")) == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
        assert sent(token="secret") == "Bearer secret"
        monkeypatch.setenv("BACKLINKD_TOKEN", "other")
        assert sent() == "Bearer other" and sent(token="secret") == "Bearer secret"
        assert str(sent(auth=("a", "b"))).startswith("Basic ")
        # A token for one server is not sent to another one.
        monkeypatch.setenv("BACKLINKD_URL", "http://elsewhere.example")
        assert sent() is None
        monkeypatch.setenv("BACKLINKD_URL", proxy.url + "/")
        with Client() as web:
            web.root()
        assert proxy.seen[-1].headers["authorization"] == "Bearer other"
        assert proxy.seen[-1].headers["user-agent"].startswith("backlinkd-python/")
        with Client(proxy.url + "/behind/a/proxy") as web:
            web[SITE].sr  # noqa: B018
            web.root()
        assert proxy.seen[-1].path.rstrip("/") == "/behind/a/proxy"
        with pytest.raises(ValueError, match="not both"):
            Client(auth=("a", "b"), token="c")
        with pytest.raises(ValueError, match="no address"):
            Client("127.0.0.1:8080")


@pytest.mark.anyio
async def test_the_asynchronous_client_repairs_the_same(demo: str, tmp_path: Path, count: int) -> None:
    faults = [refuse(429), cut(0.4), unfinished, hang_up]
    with Proxy(demo, *faults) as proxy:
        async with AsyncClient(proxy.url, retry=HASTE) as web:
            assert len(await web[SITE].backlinks().all()) == count
            assert len(proxy.seen) == 5
            proxy.faults = [cut(0.4), other_state]
            assert await web[SITE].backlinks().to_parquet(tmp_path / "a.parquet") == count
            proxy.faults = [whole, other_state, other_state]
            with pytest.warns(StateChangedWarning) as caught:
                assert len([row async for row in web[SITE].backlinks()]) == count
            assert len(caught) == 1 and caught[0].filename == __file__
            proxy.faults = [whole, hang_up, cut(0.5)]
            assert len([row async for row in web[SITE].export(page_size=3_000)]) > count
            proxy.for_ever = unfinished
            with pytest.raises(UnfinishedError), warnings.catch_warnings():
                await web[SITE].backlinks(wait=0.2).count()


@pytest.mark.anyio
async def test_a_part_of_a_file_is_not_taken_for_all_of_it(demo: str, web: Client, tmp_path: Path) -> None:
    (tmp_path / "links.csv").write_text("an earlier file")
    wanted = web[SITE].backlinks(limit=500, offset=7)
    for name in ("links.csv", "links.jsonl"):
        for format in (None, "excel") if name == "links.csv" else (None,):
            for part in (0.0, 0.4, 0.97):
                with Proxy(demo, for_ever=close_after(part)) as proxy, client(proxy) as broken:
                    with pytest.raises(AnswerError, match="whole rows, but its headers promise 500"):
                        broken[SITE].backlinks(limit=500, offset=7).download(tmp_path / name, format=format)
    feed = web[SITE].newbacklinks("20260101")
    with Proxy(demo, for_ever=close_after(0.9)) as proxy, client(proxy) as broken:
        with pytest.raises(AnswerError, match="before the atom file was complete"):
            broken[SITE].newbacklinks("20260101").download(tmp_path / "feed.atom")
        for name in ("graph.gexf", "graph.graphml"):
            with pytest.raises(AnswerError, match="file was complete"):
                broken[SITE].graph(tmp_path / name, nodes=5)
        async with AsyncClient(proxy.url, retry=HASTE) as twin:
            with pytest.raises(AnswerError, match="whole rows"):
                await twin[SITE].backlinks(limit=500).download(tmp_path / "links.csv")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("links.csv", "an earlier file")]

    def without_count(answer: Answer) -> Answer:
        # As a large export.
        answer.headers.pop("x-total-count", None)
        return close_after(0.5)(answer) or answer

    with Proxy(demo, for_ever=without_count) as proxy, client(proxy) as broken:
        with pytest.raises(AnswerError, match="no length and no count of rows"):
            broken[SITE].export().download(tmp_path / "export.csv")
    # What ends by close and is whole is taken.
    with Proxy(demo, for_ever=close_after(1.0)) as proxy, client(proxy) as old:
        for name, rows in {"links.csv": wanted, "links.jsonl": wanted, "feed.atom": feed}.items():
            rows.download(tmp_path / f"whole-{name}")
            old_rows = type(rows)(old._transport, rows._query)
            assert old_rows.download(tmp_path / name).read_bytes() == (tmp_path / f"whole-{name}").read_bytes()
        assert "</gexf>" in old[SITE].graph(tmp_path / "graph.gexf", nodes=5).read_text()
    assert not list(tmp_path.glob("*.part"))


def test_line_breaks_in_cells_are_no_rows() -> None:
    text = b'a,b\r\n1,"x\r\ny"\r\n2,"say ""hi"",\n"\r\n'
    for size in range(1, 9):
        arrival = Arrival("csv")
        for place in range(0, len(text), size):
            arrival.add(text[place : place + size])
        arrival.check(2, bounded=False)
        with pytest.raises(AnswerError, match="2 whole rows"):
            arrival.check(3, bounded=True)
