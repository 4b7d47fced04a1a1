"""The shop's product page: each layout it has served, each state it can be in, and pages of no use."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from products.spiders.parsers import parse_product_page, product_id_from_url
from tests.kit.clock import cpu_time
from tests.products.standin import BLOCKED_PAGE, product_page

PAGES = Path(__file__).parent / "pages"
BASE = "https://www.momoshop.com.tw"


def product_url(code: str) -> str:
    return f"{BASE}/product/{code}"


def test_the_page_of_2026() -> None:
    page = parse_product_page(product_page("1001"), product_url("1001"))
    assert (page.outcome, page.product_id, page.name) == ("in_stock", "1001", "【測試牌】商品 1001")
    assert (page.brand, page.price, page.list_price, page.problems) == ("測試牌", 1299, None, [])


@pytest.mark.parametrize("said", ["out of stock", "Out Of Stock", "oos", "out_of_stock"])
def test_a_sold_out_page(said: str) -> None:
    page = parse_product_page(product_page("1001", availability=said), product_url("1001"))
    assert (page.outcome, page.price) == ("out_of_stock", 1299)


@pytest.mark.parametrize(
    "word", ["可訂購時通知我", "補貨通知", "補貨中", "缺貨中", "熱銷一空", "已售完", "Out of Stock"]
)
def test_the_sold_out_texts_decide_where_nothing_else_does(word: str) -> None:
    body = product_page("1001", availability="").replace(b"<body>", f"<body><button>{word}</button>".encode())
    assert parse_product_page(body, product_url("1001")).outcome == "out_of_stock"


def test_sold_out_texts_in_scripts_mean_nothing() -> None:
    body = product_page("1001", availability="").replace(b"<body>", "<body><script>'已售完'</script>".encode())
    assert parse_product_page(body, product_url("1001")).outcome == "in_stock"


def test_a_stated_availability_outranks_texts_about_other_goods() -> None:
    body = product_page("1001").replace(b"<body>", "<body><i>推薦商品 補貨中</i>".encode())
    assert parse_product_page(body, product_url("1001")).outcome == "in_stock"


def test_an_unreadable_price_is_reported() -> None:
    body = product_page("1001", price="599起").replace(b"goodsPriceOri", b"x")
    page = parse_product_page(body, product_url("1001"))
    assert (page.outcome, page.price) == ("in_stock", None)
    assert [(each.kind, each.product_id, each.value) for each in page.problems] == [("price", "1001", "599起")]


@pytest.mark.parametrize(("price", "reported"), [("599起", ["price"]), ("0", []), ("", [])])
def test_what_is_sold_out_may_have_no_price_but_none_that_is_refused(price: str, reported: list[str]) -> None:
    page = parse_product_page(product_page("1001", price=price, availability="out of stock"), product_url("1001"))
    assert (page.outcome, page.price) == ("out_of_stock", None)
    assert [each.kind for each in page.problems] == reported


def test_json_ld_is_trusted_first() -> None:
    page = parse_product_page((PAGES / "json_ld.html").read_bytes(), product_url("8812345"))
    assert (page.outcome, page.product_id, page.name) == ("in_stock", "8812345", "【妙管家】洗衣精 4kg")
    assert (page.brand, page.price) == ("妙管家", 189)
    assert page.image_url == "https://i3.momoshop.com.tw/8812345.webp"


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('"TWD"', '"USD"', "189"),
        ('"offers":{', '"offers":[{"price":"1"},{', "1~189"),
        ('"price":"189"', '"lowPrice":"189","highPrice":"289"', "189~289"),
        ('"price":"189"', '"lowPrice":"189"', "189起"),
        ('"price":"189"', '"price":"189.5"', "189.5"),
        ('"price":"189"', '"price":0', "0"),
    ],
)
def test_an_uncertain_json_ld_price_is_not_replaced_by_the_meta_tags(old: str, new: str, named: str) -> None:
    text = (PAGES / "json_ld.html").read_text().replace(old, new)
    if new.endswith(",{"):
        text = text.replace("}}\n</script>", "}]}\n</script>")
    page = parse_product_page(text.encode(), product_url("8812345"))
    assert (page.outcome, page.price) == ("in_stock", None)
    assert [(each.kind, each.value) for each in page.problems] == [("price", named)]


def test_a_missing_json_ld_price_leaves_it_to_the_meta_tags() -> None:
    text = (PAGES / "json_ld.html").read_text().replace('"price":"189"', '"price":" "')
    assert parse_product_page(text.encode(), product_url("8812345")).price == 999


@pytest.mark.parametrize(
    "said", ["preorder", "Pre Order", "available for order", "https://schema.org/PreOrder", "BackOrder"]
)
def test_what_can_be_ordered_beforehand_is_for_sale(said: str) -> None:
    # The page also names goods that are sold out.
    body = product_page("1001", availability=said).replace(b"<body>", "<body><i>推薦商品 補貨中</i>".encode())
    assert parse_product_page(body, product_url("1001")).outcome == "in_stock"


@pytest.mark.parametrize("charset", ["", '<meta charset="big5">', '<meta charset="utf-8">'])
@pytest.mark.parametrize("name", ["【妙管家】洗衣精許功蓋補充包", "恒隆行 香港牌 啫喱 嘅"])
def test_a_page_in_big5(name: str, charset: str) -> None:
    text = (
        (PAGES / "json_ld.html").read_text().replace("【妙管家】洗衣精 4kg", name).replace("<head>", "<head>" + charset)
    )
    page = parse_product_page(text.encode("big5hkscs"), product_url("8812345"))
    assert (page.outcome, page.name, page.price) == ("in_stock", name, 189)


def test_a_broken_byte_does_not_make_a_page_big5() -> None:
    text = (PAGES / "json_ld.html").read_text().replace("<body>", "<body>☠")
    page = parse_product_page(text.encode().replace("☠".encode(), b"\xe7\x95"), product_url("8812345"))
    assert (page.outcome, page.name) == ("in_stock", "【妙管家】洗衣精 4kg")


def test_broken_json_ld_is_passed_over() -> None:
    text = (PAGES / "json_ld.html").read_text().replace('"sku"', "sku")
    page = parse_product_page(text.encode(), product_url("8812345"))
    assert (page.name, page.price, page.outcome) == ("別的名字", 999, "out_of_stock")


def test_embedded_json_split_over_pushes_and_among_other_goods() -> None:
    url = product_url("TP00012040000352")
    page = parse_product_page((PAGES / "embedded_only.html").read_bytes(), url)
    assert (page.outcome, page.product_id) == ("out_of_stock", "TP00012040000352")
    assert (page.name, page.brand) == ("【老店】手工 蛋捲 A 盒", "老店")
    assert (page.price, page.list_price, page.upcoming) == (795, 1280, True)


def test_embedded_json_of_other_goods_only_is_not_taken() -> None:
    page = parse_product_page((PAGES / "embedded_only.html").read_bytes(), product_url("999"))
    assert (page.outcome, page.product_id, page.price) == ("unreadable", "999", None)


def test_the_older_layout() -> None:
    page = parse_product_page((PAGES / "older_layout.html").read_bytes(), product_url("9123456"))
    assert (page.outcome, page.product_id) == ("in_stock", "9123456")
    assert (page.name, page.brand, page.price) == ("【象印】 微電腦 電子鍋 NS-TSF10", "ZOJIRUSHI 象印", 4280)
    assert page.image_url.startswith("https://i2.momoshop.com.tw/")


@pytest.mark.parametrize("words", ["此商品目前無展售", "查無商品資料", "網頁無法顯示"])
def test_the_missing_or_blocked_page(words: str) -> None:
    page = parse_product_page(f"<html><title>x</title><p>{words}</p></html>".encode(), product_url("1001"))
    assert (page.outcome, page.product_id) == ("missing_or_blocked", "1001")
    assert parse_product_page(BLOCKED_PAGE, product_url("1001")).outcome == "missing_or_blocked"


def test_a_real_page_that_mentions_the_missing_texts_is_not_missing() -> None:
    body = product_page("1001").replace(b"<body>", "<body>查無商品資料".encode())
    assert parse_product_page(body, product_url("1001")).outcome == "in_stock"


@pytest.mark.parametrize(
    "body", [b"", b"\x00\x00", b"{}", b"<html></html>", b"<html><title>momo</title>hello", b"\xff\xfe<"]
)
def test_other_pages_are_unreadable(body: bytes) -> None:
    assert parse_product_page(body, product_url("1001")).outcome == "unreadable"


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://www.momoshop.com.tw/product/13326964", "13326964"),
        ("https://www.momoshop.com.tw/goods/GoodsDetail.jsp?i_code=13326964&x=1", "13326964"),
        ("https://m.momoshop.com.tw/goods.momo?i_code=13326964", "13326964"),
        ("https://www.momoshop.com.tw/TP/TP0001204/goodsDetail/TP00012040000352", "TP00012040000352"),
        ("https://www.momoshop.com.tw/product/" + "1" * 21, ""),
        ("https://www.momoshop.com.tw/categories/1234567890", ""),
        ("https://www.momoshop.com.tw/product/13326964#/product/1001", "13326964"),
        ("https://www.momoshop.com.tw/login?next=/product/13326964", ""),
        ("https://www.momoshop.com.tw/login?next=/goods/GoodsDetail.jsp?i_code=13326964", ""),
        ("https://www.momoshop.com.tw/login?i_code=13326964", ""),
        ("", ""),
    ],
)
def test_the_goods_code_in_a_link(url: str, code: str) -> None:
    assert product_id_from_url(url) == code


LAYOUTS = [product_page("1001"), *(each.read_bytes() for each in sorted(PAGES.glob("*.html")))]


@settings(max_examples=200)
@given(st.sampled_from(LAYOUTS), st.floats(0, 1), st.binary(max_size=20), st.integers(0, 30))
def test_a_product_page_broken_anywhere_is_survived(body: bytes, place: float, put: bytes, drop: int) -> None:
    at = int(place * len(body))
    page = parse_product_page(body[:at] + put + body[at + drop :], product_url("1001"))
    assert page.price is None or page.price > 0
    assert len(page.name) <= 500


def test_a_hostile_page_costs_no_more_than_a_long_one() -> None:
    push = json.dumps([1, '{"goodsCode":' * 200_000])
    page = f"<html><script>self.__next_f.push({push})</script>" + "self.__next_f.push([1," * 50_000
    with cpu_time() as spent:
        assert parse_product_page(page.encode(), product_url("1")).outcome == "unreadable"
    assert spent.seconds < 2
