"""Users, tokens and the crawl of a daemon, which tests/python.rs starts over a small web."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from backlinkd import BadRequest, Client, NotAuthorized
from conftest import HASTE, server

PASSWORD = ("alice", "correct horse")


@pytest.fixture(scope="module")
def daemon() -> str:
    return server("BACKLINKD_DAEMON")


@pytest.fixture(scope="module")
def token() -> str:
    """A token with the roles `read` and `operate`."""
    return server("BACKLINKD_DAEMON_TOKEN")


def wait_for(what: str, is_so: Callable[[], bool]) -> None:
    start = time.monotonic()
    while not is_so():
        assert time.monotonic() - start < 120, what
        time.sleep(0.05)


def test_credentials_decide(daemon: str, token: str) -> None:
    with Client(daemon, retry=HASTE) as web:
        assert web.health() and web.livez() and web.session().signIn
        with pytest.raises(NotAuthorized) as caught:
            web.stats()
        assert caught.value.status == 401
    with Client(daemon, auth=("alice", "wrong horse"), retry=HASTE) as web, pytest.raises(NotAuthorized):
        web.stats()
    with Client(daemon, token="x" * 40, retry=HASTE) as web, pytest.raises(NotAuthorized):
        web.stats()
    with Client(daemon, auth=PASSWORD, retry=HASTE) as web:
        session = web.session()
        assert session.name == "alice" and session.roles == ["read", "operate"]
    with Client(daemon, token=token, retry=HASTE) as web:
        assert web.stats().version and web.session().name == "notebook"


def test_a_session_stands_for_a_password(daemon: str) -> None:
    with Client(daemon, retry=HASTE) as web:
        with pytest.raises(NotAuthorized):
            web.sign_in("alice", "wrong horse")
        web.sign_in(*PASSWORD)
        assert web.session().name == "alice" and web.stats().version
        assert web.crawl.resume()
        web.sign_out()
        with pytest.raises(NotAuthorized):
            web.stats()


def test_the_crawl_is_steered(daemon: str, token: str) -> None:
    with Client(daemon, token=token, retry=HASTE) as web:
        crawl = web.crawl
        wait_for("the first crawl", lambda: crawl.status().fetched >= 3 and crawl.status().state == "idle")
        assert crawl.pause() == "The crawl is paused." and crawl.status().state == "paused"
        change = crawl.add_seeds("b.test", "a.test")
        assert change.changed == ["http://b.test/"] or len(change.changed) + len(change.unchanged) == 2
        assert len(crawl.seeds()) == 2
        fetched = crawl.status().fetched
        time.sleep(0.5)
        assert crawl.status().fetched == fetched
        assert crawl.resume() == "The crawl goes on."
        wait_for("the seed", lambda: web.explain("http://b.test/").page is not None)

        blocked = crawl.change_blocks(add=["*.blocked.test"])
        assert len(blocked.changed) == 1 and crawl.blocks() == blocked.changed
        assert crawl.change_blocks(remove=["*.blocked.test"]).changed and crawl.blocks() == []
        with pytest.raises(BadRequest):
            crawl.change_blocks()

        generation = crawl.status().rankGeneration
        assert crawl.rank()
        wait_for("the ranks", lambda: crawl.status().rankGeneration > generation)
        visits = crawl.status().visits
        assert crawl.recrawl("http://a.test/")
        wait_for("the visit", lambda: crawl.status().visits > visits)

        hosts = crawl.hosts(order="-fetched")
        assert {host.host for host in hosts} == {host.host for host in hosts.all()} >= {"a.test", "b.test"}
        assert [host.host for host in crawl.hosts(q="b.te")] == ["b.test"] and len(hosts) >= 2
        assert len(crawl.hosts(limit=1).all()) == 1 and len(hosts.to_polars()) == len(hosts)
        errors = crawl.errors()
        wait_for("an error", lambda: crawl.errors().count() > 0)
        assert len(errors) == len(errors.all()) and all(error.url for error in errors)
        assert web.host("a.test")[0].origin == "http://a.test"
        assert web["a.test"].anabacklinks() == 0 or web["a.test"].backlinks().all()


def test_a_token_that_reads_does_not_operate(daemon: str) -> None:
    with Client(daemon, token=server("BACKLINKD_DAEMON_READER"), retry=HASTE) as web:
        assert web.crawl.status().state
        with pytest.raises(NotAuthorized) as caught:
            web.crawl.pause()
        assert caught.value.status == 403
