"""Conditions: their text, and, by the demo, that the server reads them as Python does."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from ipaddress import ip_address
from typing import Any

import pytest

from backlinkd import Client, Condition, Record, col

TEXTS = [
    (col.sr >= 3, "sr ge 3"),
    ((col.sr >= 3) & ~col.nofollow, "sr ge 3 AND NOT nofollow eq true"),
    (col.nofollow | (col.tag == "a") & (col.sr < 1), "nofollow eq true OR tag eq 'a' AND sr lt 1"),
    ((col.nofollow | (col.tag == "a")) & (col.sr < 1), "(nofollow eq true OR tag eq 'a') AND sr lt 1"),
    (~((col.sr > 1) & (col.sr != 2)), "NOT (sr gt 1 AND sr ne 2)"),
    (~~(col.sr > 1), "sr gt 1"),
    (~~~col.nofollow, "NOT nofollow eq true"),
    ((col.sr > 1) & (col.sr > 2) & ((col.sr > 3) & (col.sr > 4)), "sr gt 1 AND sr gt 2 AND sr gt 3 AND sr gt 4"),
    ((col.sr > 1) | (col.sr > 2) | (col.sr > 3), "sr gt 1 OR sr gt 2 OR sr gt 3"),
    (col.linktext == "it's", "linktext eq 'it''s'"),
    (col.linktext == "' OR sr ge 0 OR linktext eq '", "linktext eq ''' OR sr ge 0 OR linktext eq '''"),
    (col.linktext.contains("100%"), "linktext contains '100%'"),
    (col.linktext.like("a_%"), "linktext like 'a_%'"),
    (col.linktext.notlike("a"), "linktext notlike 'a'"),
    (col.linktext.startswith("a"), "linktext startswith 'a'"),
    (col.linktext.endswith("a"), "linktext endswith 'a'"),
    (col.linktext.matches(r"^\w+'s$"), r"linktext matches '^\w+''s$'"),
    (col.tag.in_("a", "area"), "tag in ('a', 'area')"),
    (col.pos.in_([1, 2]), "pos in (1, 2)"),
    (col.pos.in_(range(3)), "pos in (0, 1, 2)"),
    (col.sr.between(1, 2.5), "sr ge 1 AND sr le 2.5"),
    (~col.sr.between(1, 2), "NOT (sr ge 1 AND sr le 2)"),
    (col.insDate >= date(2026, 3, 1), "insDate ge 20260301"),
    (col.nofollow == True, "nofollow eq true"),  # noqa: E712
    (col.nofollow != False, "nofollow ne false"),  # noqa: E712
    (col.ip == ip_address("127.2.0.10"), "ip eq '127.2.0.10'"),
    (col.sr == 1e-7, "sr eq 0.0000001"),
    (col.sr == 1e22, "sr eq 10000000000000000000000"),
    (col.sr > -2, "sr gt -2"),
    (col.sr == Decimal("2.50"), "sr eq 2.50"),
    (col["links1"] > 2, "links1 gt 2"),
]


@pytest.mark.parametrize(("condition", "text"), TEXTS, ids=[text for _, text in TEXTS])
def test_texts(condition: Condition, text: str) -> None:
    assert str(condition) == text


def test_mistakes_are_reported() -> None:
    anything: Any = col
    for wrong, error in [
        (lambda: col.sr > float("nan"), ValueError),
        (lambda: col.sr > float("inf"), ValueError),
        (lambda: anything.sr == None, TypeError),  # noqa: E711
        (lambda: col.insDate > datetime(2026, 1, 1), TypeError),
        (lambda: anything.tag.contains(3), TypeError),
        (lambda: col.tag.in_(), ValueError),
        (lambda: col.tag.in_([]), ValueError),
        (lambda: col["sr ge 0 OR sr"] > 1, ValueError),
        (lambda: (col.sr > 1) and (col.sr < 2), TypeError),
        (lambda: 1 < col.sr < 2, TypeError),
        (lambda: not col.nofollow, TypeError),
        (lambda: anything.sr > 1 & anything.nofollow, TypeError),
    ]:
        with pytest.raises(error):
            wrong()
    assert -col.sr == "-sr"


def rows_of(web: Client) -> list[Any]:
    """The backlinks of the museum with the domain of their page, which no row shows without a group."""
    return web["museum.example"].backlinks().all()


def key(row: Record) -> tuple[Any, ...]:
    return row["backlinkpage"], row["pos"], row["linktarget"]


Pair = tuple[Condition, Callable[[Any], bool]]


def leaf(dice: random.Random, rows: list[Any]) -> Pair:
    """A condition, and the same in Python; its value is that of a row."""
    row = dice.choice(rows)
    name = dice.choice(["sr", "pos", "tag", "linktext", "insDate", "nofollow", "ccode", "title"])
    value, column = row[name], col[name]
    if isinstance(value, str):
        part = value[1:5]
        return dice.choice(
            [
                (column == value, lambda row: row[name] == value),
                (column != value, lambda row: row[name] != value),
                (column < value, lambda row: row[name] < value),
                (column.contains(part), lambda row: part.lower() in row[name].lower()),
                (column.startswith(value[:3]), lambda row: row[name].lower().startswith(value[:3].lower())),
                (column.endswith(value[-3:]), lambda row: row[name].lower().endswith(value[-3:].lower())),
                (column.like(f"%{value}"), lambda row: row[name].lower().endswith(value.lower())),
                (
                    column.matches(re.escape(part)),
                    lambda row: re.search(re.escape(part), row[name], re.IGNORECASE) is not None,
                ),
                (column.in_(value, "x"), lambda row: row[name] in (value, "x")),
            ]
        )
    if isinstance(value, bool):
        return dice.choice([(column, lambda row: row[name]), (column == value, lambda row: row[name] == value)])
    return dice.choice(
        [
            (column == value, lambda row: row[name] == value),
            (column >= value, lambda row: row[name] >= value),
            (column < value, lambda row: row[name] < value),
            (column.between(value, value), lambda row: row[name] == value),
            (column.in_([value]), lambda row: row[name] == value),
        ]
    )


def tree(dice: random.Random, rows: list[Any], depth: int) -> Pair:
    if depth == 0:
        return leaf(dice, rows)
    (one, is_one), (two, is_two) = (tree(dice, rows, dice.randrange(depth)) for _ in range(2))
    match dice.randrange(3):
        case 0:
            return one & two, lambda row: is_one(row) and is_two(row)
        case 1:
            return one | two, lambda row: is_one(row) or is_two(row)
        case _:
            return ~one, lambda row: not is_one(row)


def test_the_server_reads_conditions_as_python_does(web: Client) -> None:
    rows, dice = rows_of(web), random.Random(7)
    assert len(rows) > 2_000
    sizes = set()
    for _ in range(80):
        condition, holds = tree(dice, rows, 4)
        wanted = sorted(key(row) for row in rows if holds(row))
        found = web["museum.example"].backlinks(where=condition, fields=["backlinkpage", "pos", "linktarget"])
        assert sorted(map(key, found.all())) == wanted, condition
        sizes.add(len(wanted))
    assert len(sizes) > 30


def test_texts_of_the_demo_can_be_asked_for(web: Client) -> None:
    rows = rows_of(web)
    texts = sorted({row.linktext for row in rows})
    assert any("'" in text or "’" in text for text in texts) and any(not text.isascii() for text in texts)
    odd = [text for text in texts if re.search(r"[^\w ]", text)]
    for text in odd[:: max(1, len(odd) // 40)] + [text for text in texts if "'" in text][:10]:
        found = web["museum.example"].backlinks(where=col.linktext == text)
        assert len(found) == sum(row.linktext == text for row in rows), text


@pytest.mark.parametrize(
    "text", ["'", "''", "‘x’", "a' AND 'b", "(", ")", ",", "NOT", "%", "\\", "\n", "#&=+;", "\u2028"]
)
def test_odd_texts_are_texts(web: Client, text: str) -> None:
    assert len(web["museum.example"].backlinks(where=(col.linktext == text) | col.title.in_(text, "x"))) == 0
