"""The product page, in the four layouts that the shop has served.

Order of trust: JSON-LD (oldest), meta tags (2026), the JSON that Next.js embeds (2026), CSS classes (until early 2026).
Each source fills only what the ones before it left open.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from parsel import Selector

from products.spiders.pages import (
    BLOCKED_TEXTS,
    BLOCKED_TITLE,
    MAX_BRAND,
    MAX_NAME,
    PRODUCT_ID,
    Problem,
    ProductOutcome,
    ProductPage,
    brand_in_name,
    brand_of,
    clean_text,
    is_sold_out,
    item_prices,
    product_id_from_url,
    quote_value,
    web_url,
)
from products.spiders.prices import PriceError, parse_price

SOLD_OUT_TEXTS = ("可訂購時通知我", "補貨通知", "補貨中", "缺貨中", "熱銷一空", "已售完", "out of stock")
_TITLE_END = " - momo購物網"
_PUSH = "self.__next_f.push("
_CODE_KEY = '"goodsCode"'
# Bounds on the work that a hostile page can cause: pushes read, and of them broken (each failure costs the decoder a
# look over all before it), keys tried, braces looked back over for each key, and characters of one object.
_MAX_PUSHES = 2_000
_MAX_BROKEN_PUSHES = 20
_MAX_KEYS = 100
_MAX_BRACES = 8
_MAX_OBJECT = 100_000
_DECODER = json.JSONDecoder()


@dataclass(slots=True)
class _Found:
    """The values found so far; None where no source had any."""

    wanted: str
    product_id: str = ""
    name: str = ""
    brand: str = ""
    price: int | None = None
    list_price: int | None = None
    image_url: str = ""
    available: bool | None = None
    upcoming: bool = False
    refusal: PriceError | None = field(default=None)

    def take_price(self, raw: object, currency: object = "TWD") -> None:
        if self.price is not None or raw is None or raw == "":
            return
        try:
            if str(currency or "TWD").strip().upper() not in ("TWD", "NTD", "NT$"):
                raise PriceError(raw, "不是新台幣")
            self.price = parse_price(raw)
        except PriceError as error:
            self.refusal = self.refusal or error

    def take_text(self, product_id: object = None, name: object = None, brand: object = None) -> None:
        code = str(product_id).strip() if isinstance(product_id, (str, int)) else ""
        if not self.product_id and PRODUCT_ID.fullmatch(code):
            self.product_id = code
        self.name = self.name or clean_text(name, MAX_NAME)
        self.brand = self.brand or clean_text(brand, MAX_BRAND)


def parse_product_page(body: bytes, url: str) -> ProductPage:
    """Read a product page; never raises. `url` is the address asked for, whose goods code chooses among embedded goods.

    A page with a name is "in_stock" or "out_of_stock" as it states; where it states nothing, SOLD_OUT_TEXTS decide,
    then whether there is a certain price. A page that has neither a name nor a text of BLOCKED_TEXTS is "unreadable".
    """
    text = body.decode("utf-8", errors="replace")
    found = _Found(wanted=product_id_from_url(url))
    page = Selector(text=text or " ", type="html")
    _from_json_ld(page, found)
    meta = _meta(page)
    _from_meta(meta, found)
    if not found.name or found.price is None or found.available is None or "onSaleDescription" in text:
        _from_embedded(text, found)
    if not found.name or found.price is None:
        _from_css(page, found)

    if not found.name and "og:title" not in meta and _is_missing_page(page, text):
        return ProductPage("missing_or_blocked", found.wanted, "", "", None, None, "", False, [])
    if found.name and found.available is None:
        if _says_sold_out(page):
            found.available = False
        elif found.price is not None:
            found.available = True
    return _result(found)


def _result(found: _Found) -> ProductPage:
    problems: list[Problem] = []
    product_id = found.product_id or found.wanted
    outcome: ProductOutcome = "unreadable"
    if found.name and found.available is not None:
        outcome = "in_stock" if found.available else "out_of_stock"
    if found.price is None and found.name and found.available is not False:
        reason = found.refusal.reason if found.refusal else "沒有價格"
        value = quote_value(found.refusal.raw) if found.refusal else ""
        problems.append(Problem("price", f"價格無法確定：{reason}", product_id or None, value))
    return ProductPage(
        outcome,
        product_id,
        found.name,
        found.brand or brand_in_name(found.name),
        found.price,
        found.list_price,
        found.image_url,
        found.upcoming,
        problems,
    )


def _from_json_ld(page: Selector, found: _Found) -> None:
    for script in page.xpath('//script[@type="application/ld+json"]/text()').getall()[:20]:
        try:
            data = json.loads(script)
        except (ValueError, RecursionError):
            continue
        for product in _products(data):
            _from_product(product, found)
            return


def _products(data: object) -> Iterator[dict[str, object]]:
    entries = data if isinstance(data, list) else [data]
    for entry in entries[:50]:
        if not isinstance(entry, dict):
            continue
        kind = entry.get("@type")
        if kind == "Product" or (isinstance(kind, list) and "Product" in kind):
            yield entry
        graph = entry.get("@graph")
        if isinstance(graph, list):
            yield from (node for node in graph[:50] if isinstance(node, dict) and node.get("@type") == "Product")


def _from_product(product: dict[str, object], found: _Found) -> None:
    brand = product.get("brand")
    found.take_text(
        product.get("sku") or product.get("productID"),
        product.get("name"),
        brand.get("name") if isinstance(brand, dict) else brand,
    )
    image = product.get("image")
    found.image_url = web_url(image[0] if isinstance(image, list) and image else image)
    offers = product.get("offers")
    listed = [offer for offer in (offers if isinstance(offers, list) else [offers]) if isinstance(offer, dict)]
    # Several offers, or one that spans a range, name several prices: which one a customer pays is not certain.
    if len(listed) == 1:
        offer = listed[0]
        low, high = offer.get("lowPrice"), offer.get("highPrice")
        found.take_price(offer.get("price") or (low if low == high else None), offer.get("priceCurrency"))
    for offer in listed[:1]:
        state = str(offer.get("availability") or "").rsplit("/", 1)[-1].lower()
        if state in ("outofstock", "soldout", "discontinued"):
            found.available = False
        elif state in ("instock", "limitedavailability", "onlineonly"):
            found.available = True


def _meta(page: Selector) -> dict[str, str]:
    tags: dict[str, str] = {}
    for node in page.xpath("//meta[@content][@property or @name]")[:200]:
        # Not node.attrib: it reads every attribute, and lxml refuses one whose name holds a control character.
        name = node.root.get("property") or node.root.get("name") or ""
        tags.setdefault(name.lower(), node.root.get("content") or "")
    return tags


def _from_meta(meta: dict[str, str], found: _Found) -> None:
    title = meta.get("og:title", "")
    found.take_text(meta.get("product:retailer_item_id"), title.split(_TITLE_END)[0], meta.get("product:brand"))
    found.take_price(meta.get("product:price:amount"), meta.get("product:price:currency"))
    found.image_url = found.image_url or web_url(meta.get("og:image"))
    state = meta.get("product:availability", "").strip().lower().replace("_", " ")
    if found.available is None and state:
        if state in ("out of stock", "oos", "outofstock"):
            found.available = False
        elif state in ("in stock", "instock", "available for order"):
            found.available = True


def _from_embedded(text: str, found: _Found) -> None:
    if "goodsCode" not in text:
        return
    stream = "".join(_pushed(text))
    wanted = found.product_id or found.wanted
    item = _find_item(stream, wanted)
    if item is None:
        return
    name = clean_text(item.get("goodsName"), MAX_NAME)
    found.take_text(item.get("goodsCode"), name, brand_of(item, name))
    price, list_price, refusal = item_prices(item)
    if found.price is None:
        found.price = price
        found.refusal = found.refusal or refusal
    found.list_price = found.list_price or list_price
    found.image_url = found.image_url or web_url(item.get("imgUrl"))
    if found.available is None and item.get("goodsStock") not in (None, ""):
        found.available = not is_sold_out(item["goodsStock"])
    upcoming = item.get("onSaleDescription")
    found.upcoming = isinstance(upcoming, str) and bool(upcoming.strip())


def _pushed(text: str) -> Iterator[str]:
    """Yield the decoded strings of self.__next_f.push([1,"…"]); an object may go on from one push to the next."""
    at = broken = 0
    for _ in range(_MAX_PUSHES):
        at = text.find(_PUSH, at)
        if at < 0 or broken > _MAX_BROKEN_PUSHES:
            return
        at += len(_PUSH)
        try:
            pushed, at = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            broken += 1
            continue
        if isinstance(pushed, list):
            yield from (part for part in pushed if isinstance(part, str))


def _find_item(stream: str, wanted: str) -> dict[str, object] | None:
    """Return the object whose goodsCode is the wanted one (the page also embeds goods that it recommends)."""
    at = 0
    for _ in range(_MAX_KEYS):
        at = stream.find(_CODE_KEY, at)
        if at < 0:
            return None
        item = _object_around(stream, at)
        at += len(_CODE_KEY)
        if item is not None and (not wanted or str(item.get("goodsCode")) == wanted):
            return item
    return None


def _object_around(stream: str, at: int) -> dict[str, object] | None:
    """Decode the object that holds the key at `at`, trying the nearest opening braces before it."""
    brace = at
    for _ in range(_MAX_BRACES):
        brace = stream.rfind("{", max(0, at - _MAX_OBJECT), brace)
        if brace < 0:
            return None
        try:
            value, length = _DECODER.raw_decode(stream[brace : brace + _MAX_OBJECT])
        except (ValueError, RecursionError):
            continue
        if brace + length > at and isinstance(value, dict) and "goodsCode" in value:
            return value
    return None


def _from_css(page: Selector, found: _Found) -> None:
    name = page.css("#osmGoodsName")
    if name:
        found.take_text(None, name[0].xpath("string()").get(), None)
    brand = page.css("a.webBrandLink")
    if brand and not found.brand:
        found.take_text(brand=brand[0].xpath("string()").get())
    prices = page.css("ul.prdPrice li.special .seoPrice")
    # With several special prices on the page any choice would be a guess.
    if len(prices) == 1:
        found.take_price(clean_text(prices[0].xpath("string()").get(), 64))
    found.image_url = found.image_url or web_url(page.css("img.jqzoom::attr(src)").get())


def _is_missing_page(page: Selector, text: str) -> bool:
    title = page.xpath("string(//title)").get() or ""
    return BLOCKED_TITLE in title or any(each in text for each in BLOCKED_TEXTS)


def _says_sold_out(page: Selector) -> bool:
    """Whether the visible text has one of SOLD_OUT_TEXTS; scripts contain every label of the site, shown or not."""
    body = page.root.find("body")
    if body is None:
        return False
    pieces: list[str] = []
    for element in body.iter():
        if isinstance(element.tag, str) and element.tag not in ("script", "style", "noscript", "template"):
            pieces.append(element.text or "")
        pieces.append(element.tail or "")
    shown = " ".join(pieces).lower()
    return any(each in shown for each in SOLD_OUT_TEXTS)
