"""Prices: every form seen on the shop, every form that must be refused, and what holds for any input."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from products.spiders.prices import MAX_PRICE, PriceError, parse_price

GOOD: list[tuple[object, int]] = [
    ("795", 795),
    ("1", 1),
    ("$795", 795),
    ("$$795", 795),
    ("$1,295", 1295),
    ("NT$1,280", 1280),
    ("NT$ 1,280", 1280),
    ("NT$1280", 1280),
    ("nt$1,280", 1280),
    ("NT 1,280", 1280),
    ("NT$$1,280", 1280),
    ("NTD 1,280", 1280),
    ("NTD$1,280", 1280),
    ("TWD 1,200", 1200),
    ("TWD1200", 1200),
    ("1,200 TWD", 1200),
    ("1200NTD", 1200),
    ("12,800 元", 12800),
    ("12,800元", 12800),
    ("12800元整", 12800),
    ("NT$12,800元", 12800),
    ("新台幣1,280元", 1280),
    ("新臺幣 1,280 元", 1280),
    ("台幣 990", 990),
    ("  $ 1,280  ", 1280),
    ("$\u00a01,280", 1280),
    ("\u00a0599\u00a0", 599),
    ("\t599\n", 599),
    ("$  \u3000 599", 599),
    ("１２８０", 1280),
    ("＄１，２８０", 1280),
    ("ＮＴ＄１，２８０", 1280),
    ("１２，８００　元", 12800),
    ("﹩599", 599),
    ("1280.0", 1280),
    ("1280.00", 1280),
    ("1,299.00", 1299),
    ("$1,299.0", 1299),
    ("１２９９．００", 1299),
    ("99,999,999", 99_999_999),
    ("99999999", 99_999_999),
    ("1,234,567", 1_234_567),
    (1280, 1280),
    (1, 1),
    (MAX_PRICE, MAX_PRICE),
    (1280.0, 1280),
    (Decimal("1280.00"), 1280),
]

BAD: list[tuple[object, str]] = [
    ("", "沒有價格"),
    ("   ", "沒有價格"),
    (None, "沒有價格"),
    ("$", "沒有數字"),
    ("NT$", "沒有數字"),
    ("元", "沒有數字"),
    ("洽詢", "沒有數字"),
    ("熱銷", "沒有數字"),
    ("599~899", "範圍"),
    ("$599～$899", "範圍"),
    ("599-899", "範圍"),
    ("NT$599 - NT$899", "範圍"),
    ("599起", "範圍"),
    ("599 元起", "範圍"),
    ("599至899", "範圍"),
    ("-100", "負數"),
    ("$-100", "負數"),
    ("NT$-100", "負數"),
    ("−100", "負數"),
    ("(100)", "負數"),
    (-1, "負數"),
    (-1280.0, "負數"),
    (-(10**12), "負數"),
    (-1e300, "負數"),
    ("0", "是 0"),
    ("$0", "是 0"),
    ("0.00", "是 0"),
    ("000", "是 0"),
    (0, "是 0"),
    (0.0, "是 0"),
    ("0795", "以 0 開頭"),
    ("0,795", "千分位"),
    ("1280.5", "整數元"),
    ("1,299.99", "整數元"),
    (1280.5, "整數元"),
    (0.5, "整數元"),
    (Decimal("1280.5"), "整數元"),
    ("1,28", "千分位"),
    ("12,80", "千分位"),
    ("1,2800", "千分位"),
    ("1280,000", "千分位"),
    ("1,,280", "千分位"),
    ("1,280,", "千分位"),
    (",280", "看不懂"),
    ("1.280", "歐式"),
    ("1.000", "歐式"),
    ("1.280,00", "看不懂"),
    ("1.280.000", "看不懂"),
    ("1 280", "兩個"),
    ("1, 280", "兩個"),
    ("$100 $200", "兩個"),
    ("折扣價$100 原價$200", "兩個"),
    ("100/200", "兩個"),
    ("折扣價$100", "看不懂"),
    ("85折", "折扣"),
    ("50%", "百分比"),
    ("５０％", "百分比"),
    ("1.28萬", "單位"),
    ("3千", "單位"),
    ("US$12", "不是新台幣"),
    ("USD 12", "不是新台幣"),
    ("HK$100", "不是新台幣"),
    ("¥1280", "不是新台幣"),
    ("￥1280", "不是新台幣"),
    ("JPY 1280", "不是新台幣"),
    ("1280日圓", "不是新台幣"),
    ("RMB 100", "不是新台幣"),
    ("人民幣100", "不是新台幣"),
    ("100美元", "不是新台幣"),
    ("€100", "不是新台幣"),
    ("A$100", "不是新台幣"),
    ("$$$795", ""),
    ("+100", "看不懂"),
    ("1e3", "兩個"),
    ("0x1F", "兩個"),
    ("1_280", "兩個"),
    ("100²", ""),
    ("①②③", ""),
    ("½", ""),
    ("一千二百", ""),
    ("١٢٨٠", ""),
    ("1\u200b280", "兩個"),
    ("1280.-", "看不懂"),
    ("1280.", "看不懂"),
    (".50", "看不懂"),
    ("100000000", "上限"),
    ("999,999,999", "上限"),
    (MAX_PRICE + 1, "上限"),
    (10**5000, "上限"),
    (1e300, "上限"),
    (float("nan"), "有效"),
    (float("inf"), "有效"),
    (float("-inf"), "有效"),
    (Decimal("NaN"), "有效"),
    (True, "不是價格"),
    (False, "不是價格"),
    (b"1280", "不是價格"),
    (["1280"], "不是價格"),
    ({"price": 1}, "不是價格"),
    ("9" * 65, "太長"),
    (" " * 65, "太長"),
    ("1," * 5000, "太長"),
]


@pytest.mark.parametrize(("raw", "price"), GOOD, ids=[ascii(raw) for raw, _ in GOOD])
def test_certain_prices_are_read(raw: object, price: int) -> None:
    assert parse_price(raw) == price


@pytest.mark.parametrize(
    ("raw", "reason"),
    BAD,
    ids=[ascii(raw)[:40] if not isinstance(raw, int) else str(n) for n, (raw, _) in enumerate(BAD)],
)
def test_uncertain_prices_are_refused_with_a_reason(raw: object, reason: str) -> None:
    with pytest.raises(PriceError) as caught:
        parse_price(raw)
    assert reason in caught.value.reason
    assert caught.value.reason
    assert len(caught.value.raw) <= 80


STYLES = [
    "{0}", "${0}", "$${0}", "${1}", "NT${1}", "NT$ {1}", "{1} 元", "{1}元", "TWD {1}", "NTD{0}", "{0}.0", "{1}.00",
    "  ${1} ", "$\u00a0{1}", "新台幣{1}元",
]  # fmt: skip
FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}


@given(value=st.integers(1, MAX_PRICE), style=st.sampled_from(STYLES), wide=st.booleans())
def test_every_price_survives_every_dirty_style(value: int, style: str, wide: bool) -> None:
    text = style.format(value, f"{value:,}")
    assert parse_price(text.translate(FULL_WIDTH) if wide else text) == value


@given(st.one_of(st.text(), st.text(alphabet="0123456789,.$NTDWtwd 元起~-～％%萬US¥　１２", max_size=70)))
def test_text_gives_a_positive_price_or_a_refusal(text: str) -> None:
    try:
        price = parse_price(text)
    except PriceError:
        return
    assert type(price) is int
    assert 1 <= price <= MAX_PRICE


@given(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.decimals(), st.binary(), st.lists(st.text())))
def test_any_value_gives_a_positive_price_or_a_refusal(value: object) -> None:
    try:
        price = parse_price(value)
    except PriceError:
        return
    assert type(price) is int
    assert price == value


@given(low=st.integers(1, 99_999), high=st.integers(1, 99_999), sign=st.sampled_from(["~", "-", "～", " - ", "/", " "]))
def test_two_prices_are_never_one(low: int, high: int, sign: str) -> None:
    with pytest.raises(PriceError):
        parse_price(f"${low:,}{sign}${high:,}")
