#!/usr/bin/env python3
"""Writes backlinkd/_sync from backlinkd/_async; `--check` fails if they differ instead."""

from __future__ import annotations

import re
import sys
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "backlinkd"

WORDS = {
    "AsyncReader": "SyncReader",
    "AsyncRowsMixin": "SyncRowsMixin",
    "AsyncIterator": "Iterator",
    "AsyncRun": "Run",
    "AsyncClient": "Client",
    "AsyncCrawl": "Crawl",
    "AsyncExport": "Export",
    "AsyncFiles": "Files",
    "AsyncListing": "Listing",
    "AsyncRows": "Rows",
    "AsyncSite": "Site",
    "AsyncTransport": "Transport",
    "AsyncWholes": "Wholes",
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "__aiter__": "__iter__",
    "aclose": "close",
    "aclosing": "closing",
    "aiter_bytes": "iter_bytes",
    "aread": "read",
    "asynccontextmanager": "contextmanager",
    "sleep_async": "sleep_sync",
}
PATTERN = re.compile(r"\basync (?=def|for|with)|\bawait |\b(?:" + "|".join(map(re.escape, WORDS)) + r")\b")


def translate(name: str, text: str) -> str:
    if name == "__init__.py":
        return '"""The client without async. tools/unasync.py writes this folder from ../_async."""\n'
    text = PATTERN.sub(lambda found: WORDS.get(found[0], ""), text)
    head, rest = text.split('"""\n', 1)
    return f'{head}"""\n\n# tools/unasync.py writes this file from ../_async/{name}.\n{rest}'


def main() -> None:
    for source in sorted((PACKAGE / "_async").glob("*.py")):
        target = PACKAGE / "_sync" / source.name
        text = translate(source.name, source.read_text())
        if "--check" not in sys.argv:
            target.write_text(text)
        elif not target.exists() or target.read_text() != text:
            raise SystemExit(f"{target} is not that of ../_async; run {sys.argv[0]}")


if __name__ == "__main__":
    main()
