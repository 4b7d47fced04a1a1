"""Texts, numbers and days that all rooms share."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from momo.core import formats
from momo.core.days import between, check_range, start_of_day
from momo.core.errors import ValidationFailed
from momo.core.texts import clean_text, one_line, storable

ANY = st.text(st.characters(codec=None, exclude_categories=[]), max_size=200)


@given(ANY)
def test_every_cleaning_can_be_stored_and_changes_nothing_twice(text: str) -> None:
    for clean in (storable, clean_text, one_line):
        cleaned = clean(text)
        assert "\0" not in cleaned
        assert cleaned.encode().decode() == cleaned
        assert clean(cleaned) == cleaned


@given(ANY)
def test_one_line_is_one_line(text: str) -> None:
    line = one_line(text)
    assert line.splitlines() in ([], [line])
    assert line == line.strip()


@pytest.mark.parametrize(
    ("text", "cleaned", "line"),
    [
        ("a\0b\ud800c", "abc", "abc"),
        ("a\r\nb\rc\x0bd\x0ce\x85f\u2028g\u2029h", "a\nb\nc\nd\ne\nf\ng\nh", "a b c d e f g h"),
        ("gpj\u202eexe\u2066.\u202c\uffff\x7f", "gpjexe.", "gpjexe."),
        (" 全形\u3000空白\t\xa0 ", " 全形\u3000空白\t\xa0 ", "全形 空白"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
    ],
)
def test_what_is_dropped_and_what_stays(text: str, cleaned: str, line: str) -> None:
    assert (clean_text(text), one_line(text)) == (cleaned, line)


@pytest.mark.parametrize(
    ("value", "money", "number", "percent"),
    [
        (0, "$0", "0", "0%"),
        (1234, "$1,234", "1234", "+1234%"),
        (-1200.5, "-$1,200.50", "-1200.5", "-1200.5%"),
        (Decimal("0.05"), "$0.05", "0.05", "+0.05%"),
        (0.125, "$0.13", "0.125", "+0.13%"),
        (-0.125, "-$0.13", "-0.125", "-0.13%"),
        (Decimal("-0.001"), "$0.00", "-0.001", "0%"),
        (1e20, "$100,000,000,000,000,000,000", "100000000000000000000", "+100000000000000000000%"),
    ],
)
def test_numbers_as_text(value: formats.Number, money: str, number: str, percent: str) -> None:
    made = (formats.money(value), formats.number(value), formats.percent(value, sign=True))
    assert made == (money, number, percent)


@given(st.integers(-(10**12), 10**12), st.integers(-(10**9), 10**9), st.integers(0, 3))
def test_percentages_are_rounded_half_up(part: int, whole: int, places: int) -> None:
    found = formats.percent_of(part, whole, places=places)
    wanted = None if whole == 0 else float(formats.rounded(Decimal(part) * 100 / whole, places))
    assert found == wanted == formats.percent_of(Decimal(part), Decimal(whole), places=places)


def test_changes_in_percent() -> None:
    pairs: list[tuple[Any, Any]] = [(100, 85), (800, 801), (0, 5), (None, 5), (5, None), (5, 0)]
    assert [formats.change_percent(*pair) for pair in pairs] == [-15, 0.13, None, None, None, -100]


def test_days_begin_at_midnight_in_taipei() -> None:
    day = date(2026, 11, 26)
    assert start_of_day(day).astimezone(UTC) == datetime(2026, 11, 25, 16, tzinfo=UTC)
    assert between("time", None, None) == {}
    assert between("time", day, day) == {"time__gte": start_of_day(day), "time__lt": start_of_day(date(2026, 11, 27))}
    assert between("time", date.min, date.max) == {"time__gte": start_of_day(date.min)}


@pytest.mark.parametrize(
    ("start", "end", "refused"),
    [
        (date(2026, 11, 26), date(2026, 11, 26), ""),
        (date(2026, 11, 26), None, ""),
        (None, date(2026, 11, 26), ""),
        (date(2026, 11, 27), date(2026, 11, 26), "起始日不可晚於結束日"),
        (date(2024, 1, 1), date(2026, 12, 31), ""),
        (date(2024, 1, 1), date(2027, 1, 1), "期間最長 3 年，請縮短範圍"),
    ],
)
def test_ranges_of_days(start: date | None, end: date | None, refused: str) -> None:
    if not refused:
        check_range(start, end, max_years=3)
        return
    with pytest.raises(ValidationFailed) as raised:
        check_range(start, end, max_years=3)
    assert raised.value.fields == {"start_date": [refused]}
