"""The product page, in the four layouts that the shop has served.

Order of trust: JSON-LD (oldest), meta tags (2026), the JSON that Next.js embeds (2026), CSS classes (until early 2026).
Each source fills only what the ones before it left open.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import Any

from parsel import Selector

from products.spiders.decoding import decode_page
from products.spiders.embedded import find_goods
from products.spiders.json_ld import linked_products
from products.spiders.pages import (
    BLOCKED_TEXTS,
    BLOCKED_TITLE,
    MAX_BRAND,
    MAX_NAME,
    Problem,
    ProductOutcome,
    ProductPage,
    brand_in_name,
    brand_of,
    clean_text,
    is_empty,
    is_sold_out,
    item_prices,
    product_id_from_url,
    quote_value,
    same_code,
    web_url,
)
from products.spiders.prices import ZERO, PriceError, parse_price

SOLD_OUT_TEXTS = ("可訂購時通知我", "補貨通知", "補貨中", "缺貨中", "熱銷一空", "已售完", "out of stock")
_TITLE_END = " - momo購物網"
# Values of schema.org's ItemAvailability and of product:availability, without signs and blanks. What can be ordered
# before it is there is for sale.
_FOR_SALE = {"instock", "limitedavailability", "onlineonly", "instoreonly", "preorder", "presale", "backorder"} | {
    "madetoorder",
    "availablefororder",
}
_NOT_FOR_SALE = {"outofstock", "oos", "soldout", "discontinued"}


@dataclass(slots=True)
class _Found:
    """The values found so far; None where no source had any. A price that was refused is not looked for elsewhere.

    `named`: something on the page, beside its address, carries the code asked for. `is_product`: something on it is of
    product pages only. `others`: it carries codes, but only of other goods.
    """

    wanted: str
    name: str = ""
    brand: str = ""
    price: int | None = None
    list_price: int | None = None
    image_url: str = ""
    available: bool | None = None
    upcoming: bool = False
    refusal: PriceError | None = field(default=None)
    named: bool = False
    is_product: bool = False
    others: bool = False

    def take_price(self, raw: object, currency: object = "TWD") -> None:
        if self.price is not None or self.refusal is not None or is_empty(raw):
            return
        try:
            if str(currency or "TWD").strip().upper() not in ("TWD", "NTD", "NT$"):
                raise PriceError(raw, "不是新台幣")
            self.price = parse_price(raw)
        except PriceError as error:
            self.refusal = error

    def take_text(self, name: object = None, brand: object = None) -> None:
        self.name = self.name or clean_text(name, MAX_NAME)
        self.brand = self.brand or clean_text(brand, MAX_BRAND)

    def take_state(self, *states: object) -> None:
        """Take the availability that the page states; of several offers one for sale is enough."""
        known = {re.sub(r"[^a-z]", "", str(each or "").rsplit("/", 1)[-1].lower()) for each in states}
        if self.available is None and known & (_FOR_SALE | _NOT_FOR_SALE):
            self.available = bool(known & _FOR_SALE)


def parse_product_page(body: bytes, url: str, final_url: str | None = None) -> ProductPage:
    """Read a product page; never raises. `url` is the address asked for, `final_url` that of the answer.

    Only what carries the goods code of `url` is believed: "other_page" where the final address, the canonical link or
    the page's own code names other goods, where none of them names any, or where all records on the page are of others.

    A page with a name is "in_stock" or "out_of_stock" as it states; where it states nothing, SOLD_OUT_TEXTS decide,
    then whether there is a price. A page that has neither a name nor a text of BLOCKED_TEXTS is "unreadable".
    """
    text = decode_page(body)
    found = _Found(wanted=product_id_from_url(url))
    page = Selector(text=text or " ", type="html")
    meta = _meta(page)
    problem = _contradiction(page, meta, found, final_url if final_url is not None else url)
    if problem:
        return _not_believed("other_page", found, problem)

    missing = _says_missing(page, meta)
    _from_json_ld(page, meta, found, missing=missing)
    embedded = False
    if not found.named:
        # The record that carries the code comes before tags that carry none.
        embedded = True
        _from_embedded(text, found)
    _from_meta(meta, found)
    complete = found.name and found.price is not None and found.available is not None
    if not embedded and (not complete or "onSaleDescription" in text):
        _from_embedded(text, found)
    if not found.name or found.price is None:
        _from_css(page, found)

    if missing and not found.name:
        return ProductPage("missing_or_blocked", found.wanted, "", "", None, None, "", False, [])
    if found.name and found.others and not found.named:
        problem = Problem("mismatch", "商品頁沒有這個品號，只有別的商品", found.wanted)
        return _not_believed("other_page", found, problem)
    if not found.name or not (found.named or found.is_product):
        return _not_believed("unreadable", found, Problem("unreadable", "商品頁的版面無法辨識", found.wanted))
    _settle_state(page, found, missing=missing)
    return _result(found)


def _settle_state(page: Selector, found: _Found, *, missing: bool) -> None:
    if missing:
        # The page says that its goods are not for sale, whatever else is left on it.
        found.available = False
    elif found.available is None:
        if _says_sold_out(page):
            found.available = False
        elif found.price is not None or found.refusal is not None:
            found.available = True


def _not_believed(outcome: ProductOutcome, found: _Found, problem: Problem) -> ProductPage:
    other = problem.value if outcome == "other_page" and problem.kind == "mismatch" else found.wanted
    return ProductPage(outcome, other or "", "", "", None, None, "", False, [problem])


def _result(found: _Found) -> ProductPage:
    problems: list[Problem] = []
    outcome: ProductOutcome = "unreadable"
    if found.available is None:
        problems.append(Problem("unreadable", "商品頁沒有售價，也沒有說能不能買", found.wanted))
    else:
        outcome = "in_stock" if found.available else "out_of_stock"
    # The price of what is sold out may be left out, or 0.
    refused = found.refusal is not None and found.refusal.reason != ZERO
    if found.price is None and (refused or found.available):
        reason = found.refusal.reason if found.refusal else "沒有價格"
        value = quote_value(found.refusal.raw) if found.refusal else ""
        problems.append(Problem("price", f"價格無法確定：{reason}", found.wanted or None, value))
    return ProductPage(
        outcome,
        found.wanted,
        found.name,
        found.brand or brand_in_name(found.name),
        found.price,
        found.list_price,
        found.image_url,
        found.upcoming,
        problems,
    )


def _contradiction(page: Selector, meta: dict[str, str], found: _Found, final_url: str) -> Problem | None:
    """Return what speaks against the page being that of the goods asked for, and note what speaks for it."""
    links = [node.root.get("href") for node in page.xpath('//link[@rel="canonical"][@href]')[:5]]
    addresses = [each for each in (*links, meta.get("og:url")) if not is_empty(each)]
    linked = [product_id_from_url(each or "") for each in addresses]
    stated = [*filter(None, linked), *filter(None, [meta.get("product:retailer_item_id", "").strip()])]
    arrived = product_id_from_url(final_url)
    for each in (arrived, *stated):
        if each and not same_code(each, found.wanted):
            return Problem("mismatch", f"商品頁是另一件商品（{quote_value(each)}）", found.wanted, quote_value(each))
    found.named = bool(stated)
    if not stated and not arrived:
        return Problem("redirect", "網站轉到不是商品頁的網址", found.wanted or None, quote_value(final_url))
    if not stated and addresses:
        return Problem("redirect", "網站給的是別的網頁，不是商品頁", found.wanted, quote_value(addresses[0]))
    return None


def _from_json_ld(page: Selector, meta: dict[str, str], found: _Found, *, missing: bool) -> None:
    scripts = page.xpath('//script[starts-with(@type, "application/ld+json")]/text()').getall()
    linked = linked_products(scripts, found.wanted)
    if linked.own is not None:
        found.named = found.is_product = True
        _from_product(linked.own, found)
        return
    found.others |= linked.others
    if linked.unnamed is None or missing:
        return
    # Recommended goods may come without a code as well: they have another name than the page.
    page_name = _page_name(page, meta)
    if _agrees(linked.unnamed.get("name"), page_name) if page_name else found.named:
        found.is_product = True
        _from_product(linked.unnamed, found)


def _page_name(page: Selector, meta: dict[str, str]) -> str:
    """What the page itself is called, "" if nothing."""
    if "og:title" in meta:
        return _title_name(meta)
    names = (page.xpath(f"string({place})").get() or "" for place in ('//*[@id="osmGoodsName"]', "//title"))
    return next((name.split(_TITLE_END)[0] for name in names if name.strip()), "")


def _title_name(meta: dict[str, str]) -> str:
    return meta.get("og:title", "").split(_TITLE_END)[0]


def _agrees(name: object, page_name: str) -> bool:
    """Whether one name is part of the other, but for signs and blanks."""
    one, other = (
        re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", clean_text(each, MAX_NAME)).casefold())
        for each in (name, page_name)
    )
    return bool(one and other) and (one in other or other in one)


def _from_product(product: dict[str, Any], found: _Found) -> None:
    brand = product.get("brand")
    found.take_text(product.get("name"), brand.get("name") if isinstance(brand, dict) else brand)
    image = product.get("image")
    found.image_url = web_url(image[0] if isinstance(image, list) and image else image)
    offers = product.get("offers")
    listed = [offer for offer in (offers if isinstance(offers, list) else [offers]) if isinstance(offer, dict)]
    prices = [price for offer in listed if not is_empty(price := _offered_price(offer))]
    # Several offers, or one that spans a range, name several prices: which one a customer pays is not certain.
    if len(set(map(str, prices))) == 1:
        currencies = {str(offer.get("priceCurrency") or "TWD") for offer in listed}
        found.take_price(prices[0], "、".join(sorted(currencies)))
    elif prices:
        found.take_price("~".join(map(str, prices)))
    found.take_state(*(offer.get("availability") for offer in listed))


def _offered_price(offer: dict[str, Any]) -> object:
    price = offer.get("price")
    if not is_empty(price):
        return price
    ends = [each for each in (offer.get("lowPrice"), offer.get("highPrice")) if not is_empty(each)]
    if len(ends) == 2:
        return ends[0] if ends[0] == ends[1] else f"{ends[0]}~{ends[1]}"
    return f"{ends[0]}起" if ends else None


def _meta(page: Selector) -> dict[str, str]:
    tags: dict[str, str] = {}
    for node in page.xpath("//meta[@content][@property or @name]")[:200]:
        # Not node.attrib: it reads every attribute, and lxml refuses one whose name holds a control character.
        name = node.root.get("property") or node.root.get("name") or ""
        tags.setdefault(name.lower(), node.root.get("content") or "")
    return tags


def _from_meta(meta: dict[str, str], found: _Found) -> None:
    found.is_product |= any(name.startswith("product:") for name in meta) or meta.get("og:type", "") == "product"
    found.take_text(_title_name(meta), meta.get("product:brand"))
    found.take_price(meta.get("product:price:amount"), meta.get("product:price:currency"))
    found.image_url = found.image_url or web_url(meta.get("og:image"))
    found.take_state(meta.get("product:availability"))


def _from_embedded(text: str, found: _Found) -> None:
    if "goodsCode" not in text:
        return
    item, others = find_goods(text, found.wanted)
    if item is None:
        found.others |= others
        return
    found.named = found.is_product = True
    name = clean_text(item.get("goodsName"), MAX_NAME)
    found.take_text(name, brand_of(item, name))
    price, list_price, refusal = item_prices(item)
    if found.price is None and found.refusal is None:
        found.price, found.refusal = price, refusal
    found.list_price = found.list_price or list_price
    found.image_url = found.image_url or web_url(item.get("imgUrl"))
    if found.available is None and not is_empty(item.get("goodsStock")):
        found.available = not is_sold_out(item["goodsStock"])
    upcoming = item.get("onSaleDescription")
    found.upcoming = isinstance(upcoming, str) and bool(upcoming.strip())


def _from_css(page: Selector, found: _Found) -> None:
    name = page.css("#osmGoodsName")
    if name:
        found.is_product = True
        found.take_text(name[0].xpath("string()").get())
    brand = page.css("a.webBrandLink")
    if brand and not found.brand:
        found.take_text(brand=brand[0].xpath("string()").get())
    prices = [clean_text(each.xpath("string()").get(), 64) for each in page.css("ul.prdPrice li.special .seoPrice")]
    # With several special prices on the page any choice would be a guess.
    found.take_price("~".join(sorted(set(filter(None, prices)))))
    found.image_url = found.image_url or web_url(page.css("img.jqzoom::attr(src)").get())


def _says_missing(page: Selector, meta: dict[str, str]) -> bool:
    """Whether this is the page of goods that are not sold, by its title or its visible text."""
    if "og:title" in meta or page.css("#osmGoodsName"):
        return False
    title = page.xpath("string(//title)").get() or ""
    if BLOCKED_TITLE in title:
        return True
    shown = _visible_text(page)
    return any(each in title or each in shown for each in BLOCKED_TEXTS)


def _says_sold_out(page: Selector) -> bool:
    shown = _visible_text(page).lower()
    return any(each in shown for each in SOLD_OUT_TEXTS)


def _visible_text(page: Selector) -> str:
    """The text of the page outside its scripts, which contain every label of the site, shown or not."""
    body = page.root.find("body")
    if body is None:
        return ""
    pieces: list[str] = []
    for element in body.iter():
        if isinstance(element.tag, str) and element.tag not in ("script", "style", "noscript", "template"):
            pieces.append(element.text or "")
        pieces.append(element.tail or "")
    return " ".join(pieces)
