"""Conditions: their text, and, by the demo, that the server reads them as Python does."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from ipaddress import ip_address
from typing import Any

import numpy
import pandas
import polars
import pyarrow
import pytest

from backlinkd import BadRequest, Client, Condition, Record, col

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


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: col.sr > 1 & col.nofollow,
        lambda: col.sr > 1 | col.nofollow,
        lambda: col.sr >= 2 & ~col.nofollow,
        lambda: col.tag == "a" | col.nofollow,  # type: ignore[operator]
        lambda: col.insDate > date(2026, 1, 1) & col.nofollow,  # type: ignore[operator]
        lambda: col.sr > numpy.float64(1) & col.nofollow,
        lambda: col.sr > numpy.int64(1) | col.nofollow,
        lambda: col.nofollow & col.sr > 1,
        lambda: col.nofollow & col.sr >= 1,
        lambda: col.nofollow & col.sr < 1,
        lambda: col.nofollow | col.sr <= 1,
        lambda: col.nofollow & col.sr == 1,
        lambda: col.nofollow & col.tag != "a",
        lambda: ~col.sr > 1,
        lambda: (col.sr > 1) == 2,
        lambda: (col.sr > 1) & "nofollow eq true",  # type: ignore[operator]
        lambda: "nofollow eq true" & (col.sr > 1),  # type: ignore[operator]
        lambda: True & col.nofollow,
        lambda: (col.sr > 1) & (lambda row: row.nofollow),  # type: ignore[operator]
    ],
)
def test_comparisons_without_parentheses_are_reported(wrong: Callable[[], Any]) -> None:
    with pytest.raises(TypeError, match="put comparisons beside & and | in parentheses: .col.sr >= 3. & col.nofollow"):
        wrong()


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


NUMBERS = numpy.array([1, 2])
DAYS = pandas.Series(pandas.to_datetime(["2026-03-01", "2026-04-01"]))
OF_FRAMES: list[tuple[Callable[[], Condition], str]] = [
    (lambda: col.pos >= numpy.int64(3), "pos ge 3"),
    (lambda: col.pos == numpy.uint8(3), "pos eq 3"),
    (lambda: col.sr > numpy.float32(1.5), "sr gt 1.5"),
    (lambda: numpy.float64(1.5) < col.sr, "sr gt 1.5"),  # type: ignore[operator]
    (lambda: numpy.int64(3) <= col.pos, "pos ge 3"),  # type: ignore[operator]
    (lambda: col.nofollow == numpy.bool_(True), "nofollow eq true"),
    (lambda: col.tag == numpy.str_("a"), "tag eq 'a'"),
    (lambda: col.pos == numpy.array(5), "pos eq 5"),
    (lambda: col.insDate >= DAYS.max(), "insDate ge 20260401"),
    (lambda: col.insDate == numpy.datetime64("2026-03-01"), "insDate eq 20260301"),
    (lambda: col.insDate == numpy.datetime64("2026-03-01T00:00:00", "ns"), "insDate eq 20260301"),
    (lambda: col.pos.in_(NUMBERS), "pos in (1, 2)"),
    (lambda: col.pos.in_(numpy.array(5), 6), "pos in (5, 6)"),
    (lambda: col.pos.in_(pandas.Series([2, 2, 1]).unique()), "pos in (2, 1)"),
    (lambda: col.tag.in_(pandas.Categorical(["a", "b"])), "tag in ('a', 'b')"),
    (lambda: col.insDate.in_(DAYS), "insDate in (20260301, 20260401)"),
    (lambda: col.insDate.in_(DAYS.unique()), "insDate in (20260301, 20260401)"),
    (lambda: col.insDate.in_(DAYS.to_numpy()), "insDate in (20260301, 20260401)"),
    (lambda: col.insDate.in_(polars.Series([date(2026, 3, 1)])), "insDate in (20260301)"),
    (lambda: col.sr >= polars.DataFrame({"sr": [1.5]}).select("sr"), "sr ge 1.5"),
    (lambda: col.sr >= polars.Series([1.5]), "sr ge 1.5"),
    (lambda: col.tag.in_(pyarrow.array(["a", "b"])), "tag in ('a', 'b')"),
    (lambda: col.insDate == pyarrow.scalar(date(2026, 3, 1)), "insDate eq 20260301"),
]


@pytest.mark.parametrize(("condition", "text"), OF_FRAMES, ids=[text for _, text in OF_FRAMES])
def test_values_of_frames(condition: Callable[[], Condition], text: str) -> None:
    assert str(condition()) == text


@pytest.mark.parametrize(
    ("wrong", "error", "says"),
    [
        (lambda: col.pos == NUMBERS, TypeError, "with one value, not with a ndarray; in_ takes several"),
        (lambda: col.pos == pandas.DataFrame({"a": [1]}), TypeError, "with one value, not with a DataFrame"),
        (lambda: col.pos.in_(pandas.DataFrame({"a": [1]})), TypeError, "in_ takes one column of a frame"),
        (lambda: col.pos == pandas.NA, ValueError, "leave missing values out"),
        (lambda: col.insDate == pandas.NaT, ValueError, "leave missing values out"),
        (lambda: col.insDate == numpy.datetime64("NaT"), ValueError, "leave missing values out"),
        (lambda: col.pos == pyarrow.scalar(None), ValueError, "leave missing values out"),
        (lambda: col.pos.in_(pandas.Series([1, None], dtype="Int64")), ValueError, "leave missing values out"),
        (lambda: col.sr.in_(pandas.Series([1, None])), ValueError, "leave missing values out"),
        (lambda: col.insDate == pandas.Timestamp("2026-03-01 03:00"), TypeError, "columns have days"),
        (lambda: col.insDate == numpy.datetime64("2026-03-01T03:00"), TypeError, "columns have days"),
        (lambda: col.insDate == pandas.Timestamp("2026-03-01", tz="UTC"), TypeError, "columns have days"),
    ],
)
def test_values_of_frames_that_no_column_has(wrong: Callable[[], Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        wrong()


def test_frames_of_the_client_are_asked_with(web: Client) -> None:
    site = web["museum.example"]
    frame = site.backlinks(fields=["extL", "tag", "insDate", "sr"]).to_pandas()
    twin = site.backlinks(fields=["extL", "tag", "insDate", "sr"]).to_polars()
    for name in frame.columns:
        largest, some = frame[name].max(), frame[name].unique()[:40]
        assert site.backlinks(where=col[name] == largest).count() == (frame[name] == largest).sum(), name
        assert site.backlinks(where=col[name] == twin[name].max()).count() == (frame[name] == largest).sum(), name
        for values in (some, twin[name].unique(maintain_order=True)[:40]):
            assert site.backlinks(where=col[name].in_(values)).count() == frame[name].isin(some).sum(), name
    first = frame.insDate.min()
    assert site.newbacklinks(first, frame.insDate.max()).count() == site.newbacklinks(f"{first:%Y%m%d}").count()
    assert len(web.get("backlinks", url="museum.example", limit=numpy.int64(3))["response"]) == 3


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


def test_days_are_read_alike(web: Client) -> None:
    site: Any = web["museum.example"]
    day = site.backlinks(order="insDate").all()[1_000].insDate
    wanted = site.backlinks(where=col.insDate >= day).count()
    for text in (f"{day:%Y-%m-%d}", f"{day:%Y%m%d}"):
        assert site.backlinks(where=col.insDate >= text).count() == wanted > 0
        assert site.backlinks(where=col.insDate.in_(text)).count() == site.backlinks(where=col.insDate == day).count()
        assert site.backlinks(where=col.insDate.between(text, text)).count() > 0
        assert site.newbacklinks(text).count() == site.newbacklinks(day).count()
    # A text that looks like a day is one where the column has texts.
    assert str(col.linktext == "2026-06-01") == "linktext eq '2026-06-01'"
    for ask in (site.newbacklinks, site.lostbacklinks, site.newdomains, site.history, site.backlinks_histogram):
        for wrong in (None, 20260101, 5.0, [2026]):
            with pytest.raises(TypeError, match="a day is a date, or a text such as 2026-11-30"):
                ask(wrong)
        with pytest.raises(BadRequest, match='from is "-30d"'):
            list(ask("-30d"))
