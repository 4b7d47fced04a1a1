"""The category list: what is read, each known defect, and that no bytes at all bring a parser down."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from products.spiders.pages import clean_text, web_url
from products.spiders.parsers import (
    CategoryPage,
    ListedItem,
    PageError,
    parse_category_page,
    parse_product_page,
)
from tests.products.standin import BLOCKED_PAGE, EMPTY, goods, listing

BASE = "https://www.momoshop.com.tw"


def only(page: CategoryPage) -> ListedItem:
    (item,) = page.items
    return item


def parse(*entries: dict[str, Any]) -> CategoryPage:
    return parse_category_page(listing(entries), BASE)


def test_a_page_of_a_category() -> None:
    page = parse_category_page(listing([goods("1001"), goods("TP00012040000352")], 7, 240), BASE)

    assert (page.max_page, page.total, page.empty, page.problems) == (7, 240, False, [])
    assert page.items[0] == ListedItem(
        product_id="1001",
        name="【測試牌】商品 1001",
        brand="測試牌",
        price=1280,
        list_price=1990,
        url=f"{BASE}/product/1001",
        image_url="https://i1.momoshop.com.tw/goodsimg/1001_OR_m.webp",
        in_stock=True,
        upcoming=False,
    )


@pytest.mark.parametrize(
    ("keys", "price"),
    [
        ({"goodsPrice": "$$795"}, 795),
        ({"goodsPrice": "", "SALE_PRICE": "650"}, 650),
        ({"goodsPrice": " \u3000", "SALE_PRICE": "650"}, 650),
        ({"goodsPrice": None, "SALE_PRICE": None}, 1280),
        ({"goodsPrice": 795}, 795),
        ({"goodsPrice": "NT$1,280", "goodsPriceModel": "不是物件"}, 1280),
    ],
)
def test_the_first_price_that_is_there_counts(keys: dict[str, Any], price: int) -> None:
    page = parse(goods("1", **keys))
    assert only(page).price == price
    assert page.problems == []


REFUSED = st.sampled_from(["599~899", "$?99", "599起", "洽詢", "0", "US$99", "599/899", "1.280"]) | st.sampled_from(
    [0, 9.5, True]
)
PRICE_KEYS = ("goodsPrice", "SALE_PRICE", "goodsPriceModel")


@given(
    refused=REFUSED,
    place=st.integers(0, 2),
    empty=st.sampled_from([None, "", "  "]),
    certain=st.integers(1, 99_999).map(str),
)
def test_a_refused_price_is_replaced_by_no_other_key(refused: Any, place: int, empty: Any, certain: str) -> None:
    raw = [empty] * place + [refused] + [certain] * (2 - place)
    values: list[Any] = [*raw[:2], {"basePrice": {"price": raw[2]}}]
    page = parse(goods("1", **dict(zip(PRICE_KEYS, values, strict=True))))
    assert only(page).price is None
    assert [(each.kind, each.product_id, each.value) for each in page.problems] == [("price", "1", str(refused))]


def test_a_product_without_a_certain_price_is_seen_and_reported() -> None:
    page = parse(goods("1", goodsPrice="599~899", SALE_PRICE="", goodsPriceModel=None), goods("2"))

    assert [item.price for item in page.items] == [None, 1280]
    (problem,) = page.problems
    assert (problem.kind, problem.product_id, problem.value) == ("price", "1", "599~899")
    assert "範圍" in problem.message


def test_a_product_without_any_price_is_reported_too() -> None:
    page = parse(goods("1", goodsPrice=None, SALE_PRICE=None, goodsPriceModel={}))
    assert only(page).price is None
    assert [(each.kind, each.message) for each in page.problems] == [("price", "價格無法確定：沒有價格")]


def test_list_price_falls_back_and_is_never_a_problem() -> None:
    page = parse(goods("1", goodsPriceOri="市價"), goods("2", goodsPriceOri="", goodsPriceModel=None))
    assert [item.list_price for item in page.items] == [1990, None]
    assert page.problems == []


@pytest.mark.parametrize(
    ("stock", "there"),
    [("0", False), (0, False), ("０", False), ("3", True), ("", True), (None, True)],
)
def test_stock(stock: Any, there: bool) -> None:
    assert only(parse(goods("1", goodsStock=stock))).in_stock is there


@pytest.mark.parametrize(("words", "upcoming"), [("12/01 10:00 開賣", True), ("", False), ("  ", False), (None, False)])
def test_not_yet_on_sale(words: Any, upcoming: bool) -> None:
    assert only(parse(goods("1", onSaleDescription=words))).upcoming is upcoming


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("  【Ａ牌】　保溫杯\n500ml ", "【Ａ牌】 保溫杯 500ml"),
        ("e\u0301clair", "éclair"),
        ("壞\x00字\x07元", "壞字元"),
        ("半個\ud83d表情", "半個表情"),
        ("㎏ 與 ① 照舊", "㎏ 與 ① 照舊"),
        ("長" * 600, "長" * 500),
        ("洗衣精 &amp; 柔軟精&nbsp;組", "洗衣精 & 柔軟精 組"),
        ("&amp;#34;雙層&#x22;", '"雙層"'),
        ("R&D 部 &copy 2026 &unknown; AT&T;", "R&D 部 &copy 2026 &unknown; AT&T;"),
        ("夾&#0;帶&#x202e;符號&#10;x", "夾帶符號 x"),
    ],
)
def test_names_are_cleaned_but_not_rewritten(raw: str, name: str) -> None:
    # Escaped, as JSON may carry what UTF-8 cannot.
    body = listing([goods("1")]).decode().replace('"【測試牌】商品 1"', json.dumps(raw)).encode()
    assert only(parse_category_page(body, BASE)).name == name


@pytest.mark.parametrize(
    ("keys", "brand"),
    [
        ({"brandName": "  象印 "}, "象印"),
        ({"brandName": ["象印", "別家"]}, "象印"),
        ({"brandName": ""}, "測試牌"),
        ({"brandName": None, "goodsName": "沒有品牌【贈】"}, ""),
        ({"brandName": [], "goodsName": "【【】】壞括號"}, ""),
    ],
)
def test_brand(keys: dict[str, Any], brand: str) -> None:
    assert only(parse(goods("1", **keys))).brand == brand


@pytest.mark.parametrize("code", ["", None, "12 34", "../admin", "1" * 21, "１２３", True, 1.5, {"a": 1}])
def test_entries_without_a_goods_code_are_dropped_and_reported(code: Any) -> None:
    page = parse(goods("1", goodsCode=code), goods("2"))
    assert only(page).product_id == "2"
    assert [each.kind for each in page.problems] == ["item"]


def test_a_numeric_goods_code_is_read() -> None:
    assert only(parse(goods("1", goodsCode=13326964))).product_id == "13326964"


def test_an_entry_without_a_name_is_dropped_but_its_code_is_reported() -> None:
    page = parse(goods("1", goodsName="   "))
    assert page.items == []
    assert [(each.kind, each.product_id) for each in page.problems] == [("item", "1")]
    assert not page.empty


def test_an_entry_that_is_no_object_is_dropped() -> None:
    body = listing([goods("1")]).replace(b'"goodsInfoList": [', b'"goodsInfoList": ["x", 3, null, ')
    page = parse_category_page(body, BASE)
    assert only(page).product_id == "1"
    assert len(page.problems) == 3


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "", None, "/goods/1", "ftp://x/1", "http://", "https:///x", "https://x/a b", "https://x/\n",
     7, "https://x/" + "a" * 600],
)  # fmt: skip
def test_only_web_addresses_are_kept(url: Any) -> None:
    item = only(parse(goods("1", goodsUrl=url, imgUrl=url)))
    assert item.url == f"{BASE}/product/1"
    assert item.image_url == ""


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/product/1",
        "https://www.momoshop.com.tw.evil.example/product/1",
        "https://evil.example\\@www.momoshop.com.tw/product/1",
        "https://www.momoshop.com.tw@evil.example/product/1",
        "https://me@www.momoshop.com.tw/product/1",
        "https://www.momoshop.com.tw:8443/product/1",
        "http://m.momoshop.com.tw/product/1",
        "https://notmomoshop.com.tw/product/1",
        "https://www.momoshop.com.tw:port/product/1",
        "https://www.momoshop.com.tw/product/2",
        "https://www.momoshop.com.tw/logout",
    ],
)
def test_a_product_links_to_the_shop_and_to_itself_only(url: str) -> None:
    assert only(parse(goods("1", goodsUrl=url))).url == f"{BASE}/product/1"


@pytest.mark.parametrize(
    "url",
    [
        "https://m.momoshop.com.tw/goods.momo?i_code=1&amp;mdiv=2",
        "//www.momoshop.com.tw/TP/TP0001204/goodsDetail/1",
        "https://www.momoshop.com.tw/goods/GoodsDetail.jsp?i_code=1",
    ],
)
def test_the_shops_own_links_are_kept(url: str) -> None:
    kept = f"https:{url}" if url.startswith("//") else url.replace("&amp;", "&")
    assert only(parse(goods("1", goodsUrl=url))).url == kept
    (item,) = parse_category_page(
        listing([goods("1", goodsUrl="http://127.0.0.1:81/product/1")]), "http://127.0.0.1:81"
    ).items
    assert item.url == "http://127.0.0.1:81/product/1"


def test_a_list_in_big5() -> None:
    body = listing([goods("1", goodsName="洗衣精許功蓋")]).decode().encode("cp950")
    assert only(parse_category_page(body, BASE)).name == "洗衣精許功蓋"


def test_a_name_cut_within_a_character_loses_that_character_alone() -> None:
    body = listing([goods("1", goodsName="洗衣精"), goods("2")]).replace("精".encode(), "精".encode()[:2])
    assert [item.name for item in parse_category_page(body, BASE).items] == ["洗衣", "【測試牌】商品 2"]


def test_a_list_in_another_encoding_is_refused() -> None:
    body = listing([goods(str(number)) for number in range(60)]).replace("商品".encode(), b"\xff\x80")
    with pytest.raises(PageError, match="編碼"):
        parse_category_page(body, BASE)


def test_an_address_without_scheme_is_completed() -> None:
    assert web_url("//i1.momoshop.com.tw/a.webp") == "https://i1.momoshop.com.tw/a.webp"


def test_an_empty_category() -> None:
    assert parse_category_page(EMPTY, BASE).empty
    assert parse_category_page(EMPTY.replace(b'"40006"', b"40006"), BASE).empty
    assert parse_category_page(listing([]), BASE).empty
    assert parse_category_page(listing([]).replace(b"[]", b"null"), BASE).empty


def test_no_entries_although_the_shop_counts_some_is_not_empty() -> None:
    page = parse_category_page(listing([], total=50), BASE)
    assert (page.empty, page.total) == (False, 50)


def test_counts_that_cannot_be_read_are_reported() -> None:
    body = listing([goods("1")]).replace(b'"maxPage": 1', b'"maxPage": "?"').replace(b'"totalCount": "1"', b'"x": 1')
    page = parse_category_page(body, BASE)
    assert (page.max_page, page.total) == (0, 0)
    assert [each.kind for each in page.problems] == ["count", "count"]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "truncated"),
        (b"  \n", "truncated"),
        (listing([goods("1")])[:-1], "truncated"),
        (listing([goods("1")])[:90], "truncated"),
        ('{"success":true,"x":"品'.encode()[:-1], "truncated"),
        (b"null", "shape"),
        (b"[]", "shape"),
        (b'{"success":true}', "shape"),
        (b'{"success":true,"rtnGoodsData":{}}', "shape"),
        (b'{"success":true,"rtnGoodsData":{"goodsInfoList":{}}}', "shape"),
        (b'{"success":true,"rtnGoodsData":[]}', "shape"),
        (b"[" * 100_000, "shape"),
        (b"OK", "not_json"),
        (b"<html><body>\xe7\xb6\xad\xe8\xad\xb7\xe4\xb8\xad</body></html>", "not_json"),
        (b'{"success":false,"resultCode":"50001"}', "refused"),
        (b"{}", "refused"),
        (BLOCKED_PAGE, "blocked"),
        (b"\xef\xbb\xbf\n" + BLOCKED_PAGE, "blocked"),
        (b"<html><title>Access Denied</title></html>", "blocked"),
        (b"<html><h1>403 Forbidden</h1></html>", "blocked"),
    ],
    ids=range(20),
)
def test_answers_that_say_nothing(body: bytes, kind: str) -> None:
    with pytest.raises(PageError) as caught:
        parse_category_page(body, BASE)
    assert caught.value.kind == kind
    assert caught.value.message


def test_every_break_of_the_json_is_noticed() -> None:
    body = listing([goods("1"), goods("2")], 3, 99)
    for end in range(len(body)):
        with pytest.raises(PageError, match=r"JSON|空"):
            parse_category_page(body[:end], BASE)


# Whatever comes

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(sorted(goods("1"))), json_values))
def test_any_values_in_an_entry_are_survived(keys: dict[str, Any]) -> None:
    body = json.dumps(
        {"success": True, "maxPage": 1, "rtnGoodsData": {"goodsInfoList": [goods("1") | keys], "totalCount": 1}}
    )
    page = parse_category_page(body.encode(), BASE)
    for item in page.items:
        assert item.price is None or item.price > 0
        assert item.url.startswith("http")
        json.dumps([item.name, item.brand, item.url], ensure_ascii=False).encode()


@given(st.binary() | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_give_a_page_or_a_page_error(body: bytes) -> None:
    with suppress(PageError):
        assert parse_category_page(body, BASE).max_page >= 0
    assert parse_product_page(body, f"{BASE}/product/1").outcome != "in_stock"


@given(st.text())
def test_clean_text_can_be_stored(text: str) -> None:
    cleaned = clean_text(text, 50)
    assert len(cleaned) <= 50
    assert "\x00" not in cleaned
    assert cleaned == clean_text(cleaned, 50)
    cleaned.encode()
