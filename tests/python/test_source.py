"""The package itself: generated files are current, types hold, and a wheel of it works."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import backlinkd
from backlinkd import Client
from conftest import ROOT, SOURCE, Raw

SITE = "museum.example"
FIRST = f"{datetime.now(UTC) - timedelta(days=330):%Y%m%d}"


def run(*arguments: str | Path, cwd: Path = SOURCE) -> str:
    ended = subprocess.run([sys.executable, *arguments], cwd=cwd, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_models_are_those_of_the_document(document: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(document))
    run("tools/generate_models.py", file, "--check")


TABLES: dict[str, tuple[Any, dict[str, Any]]] = {
    "history": (lambda web: web[SITE].history(FIRST), {"url": SITE, "from": FIRST}),
    "backlinks-histogram": (lambda web: web[SITE].backlinks_histogram(FIRST), {"url": SITE, "from": FIRST}),
    "newandlost-histogram": (lambda web: web[SITE].newandlost_histogram(FIRST), {"url": SITE, "from": FIRST}),
    "srspread": (lambda web: web[SITE].srspread(), {"url": SITE}),
    "linktextdistribution": (lambda web: web[SITE].linktextdistribution(), {"url": SITE}),
    "pagedistribution": (lambda web: web[SITE].pagedistribution(), {"url": SITE}),
    "edugovlinks": (lambda web: web[SITE].edugovlinks(), {"url": SITE}),
    "linktypes": (lambda web: web[SITE].linktypes(), {"url": SITE}),
    "outgoinglinkcount": (lambda web: web[SITE].outgoinglinkcount(), {"url": SITE}),
    "backlinkshort": (lambda web: web.backlinkshort([SITE]), {"urls[]": SITE}),
    "anaurls": (lambda web: web.anaurls([SITE]), {"urls[]": SITE}),
    "suggest": (lambda web: web.suggest("mus"), {"q": "mus"}),
    "host": (lambda web: web.host("www.museum.example"), {"host": "www.museum.example"}),
    "crawl/hosts": (lambda web: web.crawl.hosts(), {}),
}
ROWS = ("response", "history", "suggestions", "servers", "hosts")


@pytest.mark.parametrize("name", TABLES)
def test_columns_have_the_order_of_the_answers(web: Client, raw: Raw, name: str) -> None:
    answer = raw.json(name, **TABLES[name][1])
    rows = next(answer[key] for key in ROWS if key in answer)
    shown = list(dict.fromkeys(key for row in rows for key in flat(row)))
    frame = TABLES[name][0](web).to_pandas()
    assert list(frame.columns) == shown and len(shown) > 1


def test_summaries_have_the_order_of_the_answer(web: Client, raw: Raw) -> None:
    shown = list(flat(raw.json("summary", url=SITE, since=FIRST)))
    columns = list(web.summaries([SITE], since=FIRST).to_polars().columns)
    assert columns[:4] == ["url", "scope", "asOf.time", "asOf.change"]
    both = [key for key in shown if key in columns]
    assert [column for column in columns if column in both] == both and len(both) > 25


def flat(row: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """The keys of a row, with those of inner objects."""
    for key, value in row.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key


def test_the_synchronous_client_is_that_of_the_asynchronous_one() -> None:
    run("tools/unasync.py", "--check")


def test_types_hold(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    run("-m", "mypy", "--strict", "--cache-dir", tmp_path / "cache", "-p", "backlinkd")
    checked = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--strict",
            "--cache-dir",
            tmp_path / "cache",
            "--config-file",
            SOURCE / "pyproject.toml",
            str(program),
        ],
        cwd=SOURCE,
        env={"MYPYPATH": str(SOURCE), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    shown = re.findall(r'Revealed type is "([^"]+)"', checked.stdout)
    assert shown == TYPES, checked.stdout + checked.stderr
    mistakes = [line for line in checked.stdout.splitlines() if ": error:" in line]
    assert len(mistakes) == 3 and "colour" in mistakes[0] and "colour" in mistakes[1] and "weekly" in mistakes[2], (
        mistakes
    )


PROGRAM = """
from backlinkd import AsyncClient, Client, col

with Client() as web:
    site = web["example.org"]
    for link in site.backlinks(where=(col.sr >= 3) & ~col.nofollow, order="-sr"):
        reveal_type(link.insDate)
    reveal_type(site.backlinks()[0])
    reveal_type(site.backlinks()[:5])
    reveal_type(site.summary().countries)
    reveal_type(web.crawl.hosts().all())
    reveal_type(web.crawl.hosts())
    link.colour
    site.backlinks(colour="red")
    site.history("2026-01-01", step="weekly")

async def main() -> None:
    async with AsyncClient() as twin:
        async for link in twin["example.org"].newbacklinks("2026-01-01"):
            reveal_type(link)
        reveal_type(await twin["example.org"].sr())
"""
TYPES = [
    "datetime.date",
    "backlinkd.models.Backlink",
    "backlinkd._sync.rows.Rows[backlinkd.models.Backlink]",
    "int | None",
    "list[backlinkd.models.CrawlHost]",
    "backlinkd._sync.rows.Listing[backlinkd.models.CrawlHost]",
    "backlinkd.models.NewBacklink",
    "float",
]


@pytest.mark.skipif(find_spec("pyright") is None, reason="pyright is not installed")
def test_types_hold_for_pyright() -> None:
    run("-m", "pyright", "--pythonpath", sys.executable)


def test_only_httpx_is_needed() -> None:
    imported = run(
        "-c", "import sys, backlinkd; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    ).split()
    assert not {"pandas", "polars", "pyarrow", "numpy"} & set(imported)


def test_the_version_is_that_of_the_server(document: dict[str, Any]) -> None:
    assert backlinkd.__version__ == document["info"]["version"]


def test_the_licence_is_that_of_the_repository() -> None:
    # A link would not outlive a copy of the folder, and a wheel of the copy would have no licence.
    assert not (SOURCE / "LICENSE").is_symlink()
    assert (SOURCE / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_programs_of_the_readme_run(demo: str, tmp_path: Path) -> None:
    readme = (SOURCE / "README.md").read_text()
    programs = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    assert len(programs) > 3
    for program in programs:
        text = program.replace("http://127.0.0.1:8080", demo)
        head = f"import sys; sys.path.insert(0, {str(SOURCE)!r})\n"
        run("-W", "error", "-c", head + text, cwd=tmp_path)
