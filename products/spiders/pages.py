"""Results of the parsers, and the cleaning of values that category lists and product pages share."""

from __future__ import annotations

import html
import re
import unicodedata
from dataclasses import dataclass
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from momo.core.texts import one_line
from products.spiders.prices import PriceError, parse_price

MAX_NAME = 500
MAX_BRAND = 100
MAX_URL = 500
MAX_VALUE = 200
"""Characters kept of a name, a brand, an address, and of a value quoted in a problem."""

PRODUCT_ID = re.compile(r"[A-Za-z0-9]{1,20}")
# The three kinds of product link that the shop has used; each captures the goods code. Two are paths, one is the query
# of a page of goods: the address of another page may carry a product link as the place to return to.
_PRODUCT_PATHS = (
    re.compile(r"/product/([A-Za-z0-9]{1,20})(?![A-Za-z0-9])"),
    re.compile(r"/goodsDetail/([A-Za-z0-9]{1,20})(?![A-Za-z0-9])", re.IGNORECASE),
)
_PRODUCT_QUERY = re.compile(r"(?:^|&)i_code=([A-Za-z0-9]{1,20})(?![A-Za-z0-9])")
_SHOP_DOMAIN = "momoshop.com.tw"
# Only with its semicolon: "R&D&copy" is no entity in a name.
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_BRAND_IN_NAME = re.compile(r"\s*【([^【】]{1,100})】")

BLOCKED_TITLE = "Mobile管理訊息"
BLOCKED_TEXTS = (BLOCKED_TITLE, "此商品目前無展售", "查無商品資料", "網頁無法顯示")
"""Texts of the one page that the shop serves for goods that are gone *and* to addresses that it blocks."""

ProductOutcome = Literal["in_stock", "out_of_stock", "missing_or_blocked", "unreadable", "other_page"]
PageErrorKind = Literal["truncated", "not_json", "shape", "blocked", "refused"]


@dataclass(slots=True, frozen=True)
class Problem:
    """One unreadable part of a page whose other parts could be read.

    `kind` is "price" (no certain price), "item" (an entry without code or name), "count" (no page or goods count); of a
    product page also "unreadable", "mismatch" (other goods) or "redirect" (no page of goods).
    `value` is the unreadable text, at most 200 characters; `message` is shown to users.
    """

    kind: str
    message: str
    product_id: str | None = None
    value: str | None = None


class ListedItem(NamedTuple):
    """One product as a category list shows it; prices in whole New Taiwan dollars, None where not certain."""

    product_id: str
    name: str
    brand: str
    price: int | None
    list_price: int | None
    url: str
    image_url: str
    in_stock: bool
    upcoming: bool


@dataclass(slots=True, frozen=True)
class CategoryPage:
    """One page of a category list.

    `max_page` and `total` are 0 when the answer lacks them (then `problems` has it). `empty` means that the shop states
    an empty category: code 40006, or no entries and a total of 0.
    """

    items: list[ListedItem]
    max_page: int
    total: int
    empty: bool
    problems: list[Problem]


@dataclass(slots=True, frozen=True)
class ProductPage:
    """One product page; prices in whole New Taiwan dollars.

    "missing_or_blocked": one page serves both cases. "unreadable": none of the known layouts. "other_page": the page is
    not, or does not say that it is, that of the goods asked for; `product_id` is then the one it names, or "". The last
    two say nothing about the goods asked for, and `problems` has the reason.
    """

    outcome: ProductOutcome
    product_id: str
    name: str
    brand: str
    price: int | None
    list_price: int | None
    image_url: str
    upcoming: bool
    problems: list[Problem]


class PageError(ValueError):
    """A category answer without any goods data; `message` is shown to users."""

    def __init__(self, kind: PageErrorKind, message: str) -> None:
        self.kind = kind
        self.message = message
        super().__init__(message)


def product_id_from_url(url: str) -> str:
    """Return the goods code in a product link of any of the shop's three forms, or ""."""
    path, _, query = url.partition("#")[0].partition("?")
    for link in _PRODUCT_PATHS:
        match = link.search(path)
        if match:
            return match[1]
    match = _PRODUCT_QUERY.search(query)
    return match[1] if match and "goods" in path.lower() else ""


def same_code(one: str, other: str) -> bool:
    """Whether two goods codes are the same; links of marketplace goods vary in upper and lower case."""
    return one.strip().upper() == other.strip().upper()


def is_empty(value: object) -> bool:
    """Whether a key's value states nothing: None, blank text, an empty list or object. 0 and False are statements."""
    return value is None or value in ("", [], {}) or (isinstance(value, str) and not value.strip())


def unescape(text: str) -> str:
    """Replace HTML entities by their characters, also those that were escaped twice ("&amp;amp;")."""
    for _ in range(3):
        if "&" not in text:
            break
        # An entity that may not be, such as &#0;, becomes U+FFFD: it stands for nothing.
        plain = _ENTITY.sub(lambda entity: html.unescape(entity[0]).replace("\ufffd", ""), text)
        if plain == text:
            break
        text = plain
    return text


def clean_text(value: object, limit: int) -> str:
    """`value` as clean text on one line, composed (NFC keeps the look) and cut to `limit` characters; "" if no text."""
    if not isinstance(value, str):
        return ""
    # Bounded before the work as well as after: a name of megabytes is cut, not processed.
    text = one_line(unescape(value[: limit * 4]))
    return unicodedata.normalize("NFC", text)[:limit].rstrip()


def brand_in_name(name: str) -> str:
    """Return the brand in 【】 at the start of a name, or ""."""
    match = _BRAND_IN_NAME.match(name)
    return match[1].strip()[:MAX_BRAND] if match else ""


def web_url(value: object) -> str:
    """Return the address if it is http(s) with a host, at most 500 printable characters without blanks; else ""."""
    if not isinstance(value, str) or not value:
        return ""
    url = unescape("https:" + value if value.startswith("//") else value)
    if not url.startswith(("https://", "http://")) or len(url) > MAX_URL or not url.isprintable() or " " in url:
        return ""
    return url if url.split("/", 3)[2] else ""


def product_url(value: object, code: str, base: str) -> str:
    """Return the shop's own link to a product, else the address built from its code.

    `base` is the shop's address without a slash at its end. Users follow the link as one to the shop: it must lead to
    its host, or one of momo's, and to the page of this product.
    """
    built = f"{base}/product/{code}"
    if value == built:
        return built
    url = web_url(value)
    if not url or "\\" in url or product_id_from_url(url) != code:
        return built
    try:
        parts, own = urlsplit(url), urlsplit(base)
        host = parts.hostname or ""
        if "@" in parts.netloc:
            return built
        if (parts.scheme, host, parts.port) == (own.scheme, own.hostname, own.port):
            return url
        momo = host == _SHOP_DOMAIN or host.endswith("." + _SHOP_DOMAIN)
        return url if momo and parts.scheme == "https" and parts.port in (None, 443) else built
    except ValueError:  # a port that is no number
        return built


def quote_value(value: object) -> str:
    """Return a value as text for a problem report, printable and at most 200 characters."""
    text = value if isinstance(value, str) else type(value).__name__ if isinstance(value, (dict, list)) else str(value)
    return one_line(text[: MAX_VALUE * 4])[:MAX_VALUE].rstrip()


def first_price(candidates: list[object]) -> tuple[int | None, PriceError | None]:
    """Return the price of the first candidate that states anything, or why it is refused.

    A refused one is not replaced by the next: beside "599~899", 599 is only where the range begins.
    """
    for raw in candidates:
        if is_empty(raw):
            continue
        try:
            return parse_price(raw), None
        except PriceError as error:
            return None, error
    return None, None


def first_list_price(candidates: list[object]) -> int | None:
    """Return the first certain list price: a hint for judging prices, for which any of the shop's figures will do."""
    for raw in candidates:
        try:
            return parse_price(raw)
        except PriceError:
            continue
    return None


def item_prices(item: dict[str, object]) -> tuple[int | None, int | None, PriceError | None]:
    """Return price, list price and the refusal, from the keys that the list and the product page's JSON share.

    The order is goodsPrice, SALE_PRICE, goodsPriceModel.basePrice.price; for the list price goodsPriceOri,
    goodsPriceModel.marketPrice.price. An unreadable list price is no problem worth reporting: it is only a hint.
    """
    price, refusal = first_price([item.get("goodsPrice"), item.get("SALE_PRICE"), _model_price(item, "basePrice")])
    listed = [item.get("goodsPriceOri"), _model_price(item, "marketPrice"), item.get("marketPrice")]
    list_price = first_list_price(listed)
    return price, list_price, refusal


def _model_price(item: dict[str, object], which: str) -> object:
    model = item.get("goodsPriceModel")
    inner = model.get(which) if isinstance(model, dict) else None
    return inner.get("price") if isinstance(inner, dict) else None


def is_sold_out(stock: object) -> bool:
    """Whether a goodsStock value means none left; the shop sends it as text."""
    if isinstance(stock, str):
        return unicodedata.normalize("NFKC", stock).strip() == "0"
    return stock == 0 and not isinstance(stock, bool)


def brand_of(item: dict[str, object], name: str) -> str:
    """Return brandName (text, or a list of texts), else the brand in 【】 at the start of the name."""
    brand = item.get("brandName")
    if isinstance(brand, list):
        brand = brand[0] if brand else ""
    return clean_text(brand, MAX_BRAND) or brand_in_name(name)
