"""Pages of mybest and @cosme: what is read, what is left empty, and what is refused."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai.spiders.pages import ListError, TrendItem, parse_cosme_new, parse_cosme_ranking, parse_mybest
from tests.fakes.trends import cosme, cosme_new, mybest, mybest_entry

SITE = "https://www.cosme.net.tw/tags/105/ranking"


def test_a_ranking_of_mybest() -> None:
    page = parse_mybest(
        mybest(
            [
                mybest_entry(
                    2, "無印良品\n化妝水", offers={"lowPrice": "NT$1,280"}, image=["https://img.example/2.jpg"]
                ),
                mybest_entry("1", "極潤", brand={"name": "肌研"}, offers={"lowPrice": 299}, url="https://e.example/1"),
            ]
        ).encode()
    )

    assert page.title == "十大化妝水人氣排行榜"
    assert page.items == [
        TrendItem(1, "極潤", brand="肌研", price=299, url="https://e.example/1"),
        TrendItem(2, "化妝水", brand="無印良品", price=1280, image_url="https://img.example/2.jpg"),
    ]


@pytest.mark.parametrize(
    ("item", "left"),
    [
        ({}, {}),
        ({"brand": "直接寫"}, {"brand": "直接寫"}),
        ({"brand": [1], "offers": "?", "image": {"url": "javascript:alert(1)"}, "url": "/1"}, {}),
        ({"offers": {"lowPrice": "599~899"}}, {}),
        ({"offers": {"lowPrice": 20, "priceCurrency": "USD"}}, {}),
        (
            {"offers": [{"price": "599"}], "image": "https://i.example/a.jpg"},
            {"price": 599, "image_url": "https://i.example/a.jpg"},
        ),
    ],
)
def test_what_mybest_leaves_out_stays_empty(item: dict[str, Any], left: dict[str, Any]) -> None:
    page = parse_mybest(mybest([mybest_entry(None, "化妝水", **item)]).encode())

    assert page.items == [TrendItem(1, "化妝水", **left)]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "JSON-LD Article"),
        (b"\xff\x00<script type='application/ld+json'>{", "JSON-LD Article"),
        (mybest([mybest_entry(1, "a")], kind="WebPage").encode(), "JSON-LD Article"),
        (mybest([]).encode(), "ItemList"),
        (mybest([mybest_entry(1, "a"), mybest_entry(2, None), {}, 5]).encode(), "4 項只讀得懂 1 項"),
    ],
)
def test_another_shape_is_no_list(body: bytes, why: str) -> None:
    with pytest.raises(ListError, match=why):
        parse_mybest(body)


def test_a_ranking_of_cosme() -> None:
    page = parse_cosme_ranking(
        cosme([("蘭蔻", "超未來<b>肌因</b> &amp; 水", "6.1"), ("", "無牌", ""), ("雅漾", "舒護", "5")]).encode(), SITE
    )

    assert page.title == "化妝水排行榜 - @cosme TAIWAN"
    assert page.items == [
        TrendItem(1, "超未來肌因 & 水", brand="蘭蔻", score=6.1, url="https://www.cosme.net.tw/products/1"),
        TrendItem(2, "無牌", url="https://www.cosme.net.tw/products/2"),
        TrendItem(3, "舒護", brand="雅漾", score=5.0, url="https://www.cosme.net.tw/products/3"),
    ]


def test_new_goods_of_cosme() -> None:
    page = parse_cosme_new(cosme_new(["新品甲", "新品乙"]).encode(), "https://www.cosme.net.tw/newhot?mindex=0")

    assert [(item.rank, item.name, item.url) for item in page.items] == [
        (1, "新品甲", "https://www.cosme.net.tw/products/0"),
        (2, "新品乙", "https://www.cosme.net.tw/products/1"),
    ]


@pytest.mark.parametrize("parse", [parse_cosme_ranking, parse_cosme_new])
@pytest.mark.parametrize("body", [b"", b"<p>maintenance", b'<a class="uc-minor-link single-dot"></a>', b"\x80\x81"])
def test_a_page_of_cosme_without_names_is_refused(parse: Any, body: bytes) -> None:
    with pytest.raises(ListError, match="版面可能改了"):
        parse(body, SITE)


@pytest.mark.parametrize(
    "body",
    [
        b"<div>" * 20_000 + b'<a class="uc-minor-link single-dot">x</a>',
        b'<a class="uc-minor-link single-dot" href="http://[">x</a>' * 20_000,
        b'<script type="application/ld+json">' + b'{"a":' * 100_000,
        b'<script type="application/ld+json">[' * 20_000,
    ],
)
def test_a_hostile_page_is_read_within_bounds(body: bytes) -> None:
    for parse in (parse_mybest, lambda page: parse_cosme_ranking(page, SITE), lambda page: parse_cosme_new(page, SITE)):
        with suppress(ListError):
            assert len(parse(body).items) <= 200


@settings(max_examples=25)
@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5) | st.just("Product"),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["item", "name", "offers", "lowPrice", "brand", "image", "url"]), inner, max_size=4
            )
        ),
        max_leaves=12,
    )
)
def test_whatever_an_entry_is_nothing_else_is_raised(entry: Any) -> None:
    with suppress(ListError):
        parse_mybest(mybest([entry]).encode())
