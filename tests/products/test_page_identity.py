"""Whose page a product page is: only what carries the goods code asked for is believed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from html import escape
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from products.spiders.parsers import ProductPage, parse_product_page

BASE = "https://www.momoshop.com.tw"
OWN, OTHER = "1001", "2002"
HOME = f"{BASE}/"
ADDRESS = f"{BASE}/product/{OWN}"
NAMES = {OWN: "【測試牌】保溫杯 500ml", OTHER: "【別牌】行李箱 28 吋"}
PRICES = {OWN: 1299, OTHER: 99}


def record(code: str, *, ids: str = "sku", **more: Any) -> dict[str, Any]:
    """A `Product` of JSON-LD, on sale."""
    named = {
        "sku": code,
        "productID": f"sku:{code}",
        "url": f"{BASE}/product/{code}",
        "@id": f"/product/{code}#product",
    }
    offer = {"@type": "Offer", "price": str(PRICES[code]), "priceCurrency": "TWD", "availability": "InStock"}
    return {"@type": "Product", "name": NAMES[code], "offers": offer} | ({ids: named[ids]} if ids else {}) | more


# Where pages put the products that they recommend.
PLACES: dict[str, Any] = {
    "alone": lambda block: block,
    "array": lambda block: [{"@type": "BreadcrumbList"}, block],
    "graph": lambda block: {"@graph": [{"@type": "WebPage"}, block]},
    "list": lambda block: {"@type": "ItemList", "itemListElement": [{"@type": "ListItem", "item": block}]},
    "related": lambda block: {"@type": "WebPage", "isRelatedTo": [block], "mainEntity": {"@type": "Thing"}},
}


@dataclass
class Page:
    """A page put together from what may stand on one; None or empty leaves the part out."""

    final: str = ADDRESS
    canonical: str | None = None
    og_url: str | None = None
    retailer: str | None = None
    title: str | None = None
    price: str | None = None
    linked: list[Any] = field(default_factory=list)
    embedded: list[str] = field(default_factory=list)
    text: str = ""

    def html(self) -> bytes:
        metas = {
            "og:url": self.og_url,
            "og:title": self.title and f"{self.title} - momo購物網",
            "product:price:amount": self.price,
            "product:retailer_item_id": self.retailer,
        }
        head = "<title>momo購物網</title>" if self.title is None else ""
        head += "".join(f'<meta property="{key}" content="{escape(value)}">' for key, value in metas.items() if value)
        head += f'<link rel="canonical" href="{self.canonical}">' if self.canonical else ""
        head += "".join(f'<script type="application/ld+json">{json.dumps(each)}</script>' for each in self.linked)
        goods = [
            {"goodsCode": code, "goodsName": NAMES[code], "goodsPrice": f"${PRICES[code]}", "goodsStock": "5"}
            for code in self.embedded
        ]
        push = f"<script>self.__next_f.push({json.dumps([1, json.dumps(goods)])})</script>" if goods else ""
        return f"<html><head>{head}</head><body>{self.text}{push}</body></html>".encode()

    def read(self) -> ProductPage:
        return parse_product_page(self.html(), ADDRESS, self.final)


HOME_PAGE = {"title": "momo購物網", "text": "<p>今日熱銷 已售完</p>", "embedded": [OTHER]}


@pytest.mark.parametrize(
    ("page", "kind"),
    [
        pytest.param(Page(final=HOME, **HOME_PAGE), "redirect", id="to the front page"),
        pytest.param(Page(final=HOME, title="momo購物網", embedded=[OWN]), "redirect", id="front page recommending it"),
        pytest.param(Page(final=f"{BASE}/login?next=/product/{OWN}"), "redirect", id="to the login"),
        pytest.param(Page(final=HOME, text="此商品目前無展售"), "redirect", id="to the missing page"),
        pytest.param(Page(canonical=HOME, **HOME_PAGE), "redirect", id="the front page at this address"),
        pytest.param(Page(final=f"/product/{OTHER}", title=NAMES[OTHER], price="99"), "mismatch", id="to another"),
        pytest.param(Page(canonical=f"/product/{OTHER}", retailer=OWN), "mismatch", id="canonical"),
        pytest.param(Page(og_url=f"{BASE}/goods.momo?i_code={OTHER}", title="x", price="9"), "mismatch", id="og:url"),
        pytest.param(Page(retailer=OTHER, title=NAMES[OTHER], price="99"), "mismatch", id="retailer"),
        pytest.param(Page(linked=[record(OTHER)], title=NAMES[OTHER], price="99"), "mismatch", id="JSON-LD"),
        pytest.param(Page(embedded=[OTHER], title=NAMES[OTHER], price="99"), "mismatch", id="embedded"),
    ],
)
def test_a_page_of_something_else_is_not_believed(page: Page, kind: str) -> None:
    read = page.read()
    assert (read.outcome, read.name, read.price) == ("other_page", "", None)
    assert [(each.kind, each.product_id) for each in read.problems] == [(kind, OWN)]


def test_a_page_that_names_nothing_of_a_product_is_unreadable() -> None:
    """The shop's front page, at the address asked for: called like the shop, and something on it is sold out."""
    read = Page(title="momo購物網", text="<p>已售完</p>").read()
    assert (read.outcome, [each.kind for each in read.problems]) == ("unreadable", ["unreadable"])


@pytest.mark.parametrize("ids", ["sku", "productID", "url", "@id"])
@pytest.mark.parametrize("place", PLACES)
def test_the_record_with_the_code_is_found_wherever_it_stands(ids: str, place: str) -> None:
    read = Page(linked=[record(OTHER, ids=ids), PLACES[place](record(OWN, ids=ids))]).read()
    assert (read.outcome, read.name, read.price) == ("in_stock", NAMES[OWN], PRICES[OWN])


def test_the_record_with_a_price_is_taken_before_one_in_short() -> None:
    short = {"@type": "Product", "sku": OWN, "name": NAMES[OWN]}
    assert Page(linked=[short, PLACES["graph"](record(OWN))]).read().price == PRICES[OWN]


def test_a_records_address_outranks_the_makers_number() -> None:
    read = Page(linked=[record(OWN, ids="url", sku="A1B2"), record(OTHER, ids="url", sku=OWN)]).read()
    assert (read.name, read.price) == (NAMES[OWN], PRICES[OWN])


@pytest.mark.parametrize("place", ["alone", "array", "graph"])
def test_a_record_without_any_id_is_the_pages_own_if_its_name_is(place: str) -> None:
    own = Page(canonical=ADDRESS, title="保溫杯 500ml", linked=[PLACES[place](record(OWN, ids=""))]).read()
    assert (own.outcome, own.price) == ("in_stock", PRICES[OWN])
    two = Page(canonical=ADDRESS, title="保溫杯 500ml", linked=[record(OWN, ids=""), record(OTHER, ids="")]).read()
    assert two.price is None


@pytest.mark.parametrize("ids", ["sku", "url", ""])
@pytest.mark.parametrize("place", PLACES)
def test_the_page_of_goods_not_sold_stays_that_whatever_it_recommends(ids: str, place: str) -> None:
    read = Page(
        text="<h2>此商品目前無展售</h2>", linked=[PLACES[place](record(OTHER, ids=ids))], embedded=[OTHER]
    ).read()
    assert (read.outcome, read.name) == ("missing_or_blocked", "")
    kept = Page(text="<h2>此商品目前無展售</h2>", linked=[record(OWN)]).read()
    assert kept.outcome == "out_of_stock"


def test_labels_in_scripts_make_no_page_missing() -> None:
    assert Page(text="<script>var labels = ['查無商品資料']</script>").read().outcome == "unreadable"


codes = st.sampled_from([None, OWN, OTHER])
links = codes.map(lambda code: code and f"{BASE}/product/{code}")
blocks = st.builds(
    lambda code, ids, place: PLACES[place](record(code, ids=ids)),
    st.sampled_from([OWN, OTHER]),
    st.sampled_from(["sku", "productID", "url", "@id", ""]),
    st.sampled_from(sorted(PLACES)),
)
pages = st.builds(
    Page,
    final=st.sampled_from([ADDRESS, f"{BASE}/product/{OTHER}", HOME]),
    canonical=links,
    og_url=links,
    retailer=codes,
    title=st.sampled_from([None, NAMES[OWN]]),
    price=st.sampled_from([None, str(PRICES[OWN])]),
    linked=st.lists(blocks, max_size=3),
    embedded=st.lists(st.sampled_from([OWN, OTHER]), max_size=3),
    text=st.sampled_from(["", "<p>此商品目前無展售</p>", "<p>推薦商品 補貨中</p>"]),
)


@given(pages)
@example(Page(canonical=ADDRESS, linked=[record(OTHER, ids="")], title=NAMES[OWN]))
def test_no_page_gives_the_values_of_other_goods(page: Page) -> None:
    read = page.read()
    stated = " ".join(filter(None, (page.final, page.canonical, page.og_url, page.retailer)))
    if OTHER in stated:
        assert read.outcome == "other_page"
    if page.final == HOME and not (page.canonical or page.og_url or page.retailer):
        assert read.outcome == "other_page"
    if read.outcome in ("in_stock", "out_of_stock"):
        assert read.product_id == OWN
        assert read.name == NAMES[OWN]
        assert read.price in (None, PRICES[OWN])
    else:
        assert (read.name, read.price) == ("", None) or read.outcome == "unreadable"
