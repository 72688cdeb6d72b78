"""Mistakes of programs, secrets, and answers of other servers: each has a sentence, and none passes unnoticed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from backlinkd import AnswerError, AsyncClient, Client
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
