"""Every notation of a date or a number reads back as what was written; what is none is refused, never misread."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from momo.sheets import values
from momo.sheets.values import BadCell
from momo.sheets.write import EXCEL_TEXT_LIMIT, cell, neutralised

DAYS = st.dates(values.FIRST_DAY, values.LAST_DAY)
MINGUO_DAYS = st.dates(date(2011, 1, 1), values.LAST_DAY)  # three digits of a year
TIMES = st.sampled_from(["", " 00:00", " 13:05", " 23:59:59", " 7:05", " 下午 01:05:59", " 1:05 PM"])
CENTS = st.integers(-(10**14) + 1, 10**14 - 1)
WIDE = str.maketrans("0123456789/-.,()%$", "０１２３４５６７８９／－．，（）％＄")


@given(DAYS, TIMES, st.booleans(), st.sampled_from(["/", "-", "."]))
def test_dates(day: date, clock: str, wide: bool, separator: str) -> None:
    for text in (
        f"{day.year}{separator}{day.month:02}{separator}{day.day:02}{clock}",
        f"{day.year}{separator}{day.month}{separator}{day.day}{clock}",
        f"{day.year}年{day.month}月{day.day}日{clock}",
        f"{day:%Y%m%d}{clock}",
        f"  {day.year}{separator}{day.month}{separator}{day.day}{clock}\u3000",
    ):
        assert values.date_from_text(text.translate(WIDE) if wide else text) == day


@given(MINGUO_DAYS, TIMES, st.booleans(), st.sampled_from(["/", "-", "."]))
def test_minguo_dates(day: date, clock: str, wide: bool, separator: str) -> None:
    year = day.year - 1911
    for text in (
        f"{year}{separator}{day.month:02}{separator}{day.day:02}{clock}",
        f"{year}{separator}{day.month}{separator}{day.day}{clock}",
        f"{year}{day.month:02}{day.day:02}{clock}",
        f"民國{year}年{day.month}月{day.day}日{clock}",
        f"民國 {year} 年 {day.month:02} 月 {day.day:02} 日{clock}",
    ):
        assert values.date_from_text(text.translate(WIDE) if wide else text) == day


@given(DAYS)
def test_named_minguo_years_of_any_length(day: date) -> None:
    assert values.date_from_text(f"民國{day.year - 1911}年{day.month}月{day.day}日") == day


@given(DAYS, st.floats(0, 0.99999))
def test_serials(day: date, fraction: float) -> None:
    serial = (day - date(1899, 12, 30)).days
    assert values.date_from_number(serial) == day
    assert values.date_from_number(serial + fraction) == day
    assert values.date_from_text(str(serial)) == day
    assert values.date_from_number(serial - 1462, date1904=True) == day
    assert values.date_from_number(float(f"{day:%Y%m%d}")) == day


@given(st.text(max_size=20))
def test_any_text_is_a_sane_date_or_refused(text: str) -> None:
    try:
        found = values.date_from_text(text)
    except BadCell:
        return
    assert found is None or values.FIRST_DAY <= found <= values.LAST_DAY


@given(st.floats())
def test_any_number_is_a_sane_date_or_refused(number: float) -> None:
    try:
        found = values.date_from_number(number)
    except BadCell:
        return
    assert values.FIRST_DAY <= found <= values.LAST_DAY


@given(CENTS, st.booleans())
def test_amounts(cents: int, wide: bool) -> None:
    amount = Decimal(abs(cents)) / 100
    minus = "-" if cents < 0 else ""
    texts = [
        f"{minus}{amount:.2f}",
        f"{minus}{amount:,.2f}",
        f"{minus}NT${amount:,.2f}",
        f"{minus}$ {amount:.2f}",
        f"NT${minus}{amount:.2f}",
        f" {minus}{amount:,.2f} 元 ",
        f"{minus}{amount * 100:f}%",
        f"{minus}{amount:.2f}000",
    ]
    if cents < 0:
        texts += [f"({amount:,.2f})", f"(NT${amount:,.2f})", f"-{amount:.2f}"]
    for text in texts:
        assert values.cents_from_text(text.translate(WIDE) if wide else text) == cents


@given(st.floats(-1e11, 1e11))
def test_amounts_of_numbers_round_half_up_on_what_is_shown(number: float) -> None:
    shown = Decimal(f"{number:.15g}")
    assert values.cents_from_number(number) == int(shown.quantize(Decimal("0.01"), ROUND_HALF_UP) * 100)


@given(st.integers(-(10**12) + 1, 10**12 - 1))
def test_whole_amounts(number: int) -> None:
    assert values.cents_from_number(number) == values.cents_from_number(float(number)) == number * 100


@given(st.text(alphabet="0123456789.,-+()%$NTE元 ", max_size=12))
def test_a_number_that_is_read_has_the_digits_that_were_written(text: str) -> None:
    try:
        found = values.number_from_text(text)
    except BadCell:
        return
    if found is not None:
        shown = found * 100 if "%" in text else found
        digits = re.sub(r"[^0-9.]", "", text)
        assert abs(shown) == Decimal(digits or 0)  # a dash without digits is zero
        assert (found < 0) <= ("-" in text or "(" in text)


@given(st.integers(-(2**31) + 1, 2**31 - 1))
def test_integers(number: int) -> None:
    for text in (str(number), f"{number}.0", f"{number:,}", f"{number:,}.00", str(number).translate(WIDE)):
        assert values.integer_from_text(text) == number
    assert values.integer_from_number(number) == values.integer_from_number(float(number)) == number


@given(st.floats(-1e9, 1e9).filter(lambda number: not float(f"{number:.15g}").is_integer()))
def test_fractions_are_no_integers(number: float) -> None:
    with pytest.raises(BadCell, match="不是整數"):
        values.integer_from_number(number)


@given(st.from_regex(r"[0-9]{1,15}", fullmatch=True))
def test_codes(code: str) -> None:
    assert values.code_from_text(code) == code
    assert values.code_from_text(f"{code}.0") == code
    assert values.code_from_text(f'="{code}"') == code
    assert values.code_from_text(f"'{code}") == code
    assert values.code_from_text(code.translate(WIDE)) == code
    assert values.code_from_number(float(code)) == str(int(code))


@given(st.text())
def test_text_can_be_stored_and_is_on_one_line(text: str) -> None:
    try:
        found = values.text_from_text(text)
    except BadCell:
        return
    if found is not None:
        assert "\x00" not in found
        assert found == " ".join(found.split())
        assert values.text_from_text(found) == found or found.startswith('="')


@given(st.one_of(st.text(), st.text(alphabet="'=+-@\t\r \"a"), st.from_regex(r"\A'*[=+@＝＋－＠-].*")))
def test_text_that_is_stored_comes_back_from_an_export_as_it_was(text: str) -> None:
    try:
        stored = values.text_from_text(text)
    except BadCell:
        return
    assert values.text_from_text(neutralised(stored or "")) == stored


def test_an_exported_text_fits_a_cell() -> None:
    """With its apostrophe."""
    assert len(cell("=" + "x" * 40_000)) == EXCEL_TEXT_LIMIT


@pytest.mark.parametrize(
    ("text", "found"),
    [("'-417", "-417"), ("'+光 面膜", "+光 面膜"), ("'=1+1", "=1+1"), ("'@home", "@home"), ("'90s 復古", "'90s 復古")],
)
def test_the_apostrophe_before_a_sign_is_none_of_the_text(text: str, found: str) -> None:
    assert values.text_from_text(text) == found


@pytest.mark.parametrize(
    "value", [True, date(2025, 1, 2), datetime(2025, 1, 2), time(1), timedelta(1), values.UNCALCULATED]
)
def test_kinds_that_fit_nothing_are_refused_by_name(value: object) -> None:
    with pytest.raises(BadCell, match="請"):
        values.refuse(value, "金額")


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize(
    "read",
    [values.cents_from_number, values.integer_from_number, values.code_from_number, values.date_from_number],
)
def test_no_number_at_all(read: object, number: float) -> None:
    with pytest.raises(BadCell):
        read(number)  # type: ignore[operator]


ODD = ["", "a  b", "'=1", '="0012"', "#N/A", "Err:502", "錯誤:502", "1E+05", "13.0", "１２", "a\u3000b", "\ud800"]


@given(st.lists(st.sampled_from(ODD) | st.text("a1E '=#錯:\u3000", max_size=8) | st.text(max_size=8)))
def test_what_needs_no_conversion_is_converted_to_itself(texts: list[str]) -> None:
    for plain, convert in ((values.plain_codes, values.code_from_text), (values.plain_texts, values.text_from_text)):
        found = plain(texts, 6)
        assert [convert(text) for text in found] == found
        assert max(map(len, found), default=0) <= 6
    assert values.plain_codes(["TP0001"], 6) + values.plain_texts(["面霜 x 2"], 6) == ["TP0001", "面霜 x 2"]
