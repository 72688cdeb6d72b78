"""Files of the server: which format a name asks for, and whether a file has arrived wholly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ._errors import AnswerError

FORMATS = {
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".arrows": "arrow",
    ".atom": "atom",
    ".xml": "atom",
}
ENDS = {
    "atom": b"</feed>",
    "gexf": b"</gexf>",
    "graphml": b"</graphml>",
    "parquet": b"PAR1",
    "arrow": b"\xff\xff\xff\xff\0\0\0\0",
}
"""The last bytes of a file, where they say that it is whole."""
HEADS = {"jsonl": 0, "csv": 1, "excel": 1}
"""The lines before the rows, where lines are counted."""


def format_of(target: Path, given: str | None) -> str:
    """The format of a file."""
    found = given or FORMATS.get(target.suffix.lower())
    if found is None:
        raise ValueError(f"the ending of {target.name} is no format; use one of {', '.join(FORMATS)}, or format=…")
    return found


def has_length(version: str, headers: Mapping[str, str]) -> bool:
    """Whether the end of the body is known. Otherwise it is where the connection ends, also if that is too early."""
    return not version.startswith("HTTP/1") or "content-length" in headers or "transfer-encoding" in headers


@dataclass(slots=True)
class Arrival:
    """What has arrived of a file: a part of it must not look like all of it."""

    format: str
    lines: int = 0
    quoted: bool = False
    """Whether the last piece ends within quotation marks, where a line break is text."""
    end: bytes = b""

    def add(self, piece: bytes) -> None:
        """Takes the next bytes."""
        self.end = (self.end + piece[-16:])[-16:]
        if self.format not in ("csv", "excel"):
            self.lines += piece.count(b"\n")
            return
        first, *others = piece.split(b'"')
        self.lines += 0 if self.quoted else first.count(b"\n")
        for text in others:
            self.quoted = not self.quoted
            self.lines += 0 if self.quoted else text.count(b"\n")

    def check(self, rows: int | None, *, bounded: bool) -> None:
        """Refuses a part. `rows` is what the headers promise, and `bounded` whether the body has a length."""
        if self.format in ENDS:
            if not self.end.rstrip().endswith(ENDS[self.format]):
                raise AnswerError(f"the connection ended before the {self.format} file was complete")
        elif self.format in HEADS and rows is not None:
            found = self.lines - HEADS[self.format]
            if found != rows or (self.end and not self.end.endswith(b"\n")):
                raise AnswerError(f"the file has {found} whole rows, but its headers promise {rows}")
        elif not bounded:
            raise AnswerError(
                "the answer has no length and no count of rows, so a part of the file would look like all of it; a "
                "proxy that speaks HTTP/1.0 does that: set it to HTTP/1.1, or use to_parquet, which asks part by part"
            )
