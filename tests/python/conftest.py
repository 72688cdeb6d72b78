"""The servers under test: the demo, and a daemon with users. tests/python.rs starts both and names them here."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "python"
sys.path.insert(0, str(SOURCE))

from backlinkd import Client, Retry  # noqa: E402

HASTE = Retry(backoff=0.01)
"""Repeats without a long pause."""


def pytest_configure(config: pytest.Config) -> None:
    # A warning that a test does not expect fails it.
    config.addinivalue_line("filterwarnings", "error")


@pytest.fixture(scope="session")
def demo() -> str:
    """The address of the demo."""
    return server("BACKLINKD_DEMO")


def server(name: str) -> str:
    address = os.environ.get(name)
    if not address:
        pytest.skip(f"{name} does not name a server")
    return address


@pytest.fixture
def web(demo: str) -> Iterator[Client]:
    with Client(demo, retry=HASTE) as client:
        yield client


class Raw:
    """The same server without the client: the answers that everything is compared with."""

    def __init__(self, base: str) -> None:
        self.http = httpx.Client(base_url=base, timeout=60)

    def json(self, path: str, **params: Any) -> Any:
        reply = self.http.get(path, params=params)
        assert reply.status_code == 200, reply.text
        return json.loads(reply.text)

    def csv(self, path: str, **params: Any) -> list[dict[str, str]]:
        reply = self.http.get(path, params={**params, "format": "csv"})
        assert reply.status_code == 200, reply.text
        return list(csv.DictReader(io.StringIO(reply.text, newline="")))


@pytest.fixture(scope="session")
def raw(demo: str) -> Iterator[Raw]:
    raw = Raw(demo)
    yield raw
    raw.http.close()


@pytest.fixture(scope="session")
def document(raw: Raw) -> dict[str, Any]:
    """The OpenAPI document."""
    answer: dict[str, Any] = raw.json("openapi.json")
    return answer


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
