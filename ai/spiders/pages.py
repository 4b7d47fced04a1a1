"""Pages of mybest and @cosme, from bytes to lists: pure functions, no network, no Scrapy.

The formats were gathered from public crawlers up to autumn 2026. mybest describes its ranking in JSON-LD; @cosme's is
read by classes of its HTML. A page of another shape raises `ListError`: no list is better than half of one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice, takewhile
from typing import Any
from urllib.parse import urljoin

from parsel import Selector

from products.spiders.decoding import decode_page
from products.spiders.json_ld import Record, is_a, top_level_nodes
from products.spiders.pages import MAX_BRAND, MAX_NAME, clean_text, web_url
from products.spiders.prices import PriceError, parse_price

# Entries of a page that are looked at.
MAX_ENTRIES = 200
MAX_BOXES = 12  # around a name, in which its brand and score are looked for
MAX_TITLE = 300
_SCORE = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3})?")
_HAS_CLASS = "contains(concat(' ', normalize-space(@class), ' '), ' {} ')"


def _with_classes(*names: str) -> str:
    return " and ".join(_HAS_CLASS.format(name) for name in names)


_NAME = f"//*[{_with_classes('uc-minor-link', 'single-dot')}]"
_BRAND = f".//*[{_with_classes('uc-main-link')}]"
_POINTS = f".//*[{_with_classes('product-score-text')} or {_with_classes('score-number')}]"
_NEW_NAME = f"//*[{_with_classes('title-product-name')}]"


class ListError(ValueError):
    """A page without the list that it should have; the text is for users."""


@dataclass(slots=True, frozen=True)
class TrendItem:
    """One entry of a list; what its source does not have is empty or None.

    `price` is whole New Taiwan dollars, the lowest of several offers; `brand` of a video is its channel;
    `published_at` is ISO 8601.
    """

    rank: int
    name: str
    brand: str = ""
    price: int | None = None
    score: float | None = None
    url: str = ""
    image_url: str = ""
    views: int | None = None
    published_at: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """As the list is stored."""
        return asdict(self)


@dataclass(slots=True, frozen=True)
class TrendPage:
    """What a page lists, in its order."""

    title: str
    items: list[TrendItem]


# --- mybest -----------------------------------------------------------------------------------------------------------


def parse_mybest(body: bytes) -> TrendPage:
    """Read an article of mybest: the first ranking of its JSON-LD `Article`. Raises ListError."""
    page = Selector(text=decode_page(body) or " ", type="html")
    scripts = page.xpath('//script[starts-with(@type, "application/ld+json")]/text()').getall()
    articles = [node for node in top_level_nodes(scripts) if is_a(node, "Article")]
    if not articles:
        raise ListError("網頁裡沒有文章資料（JSON-LD Article），版面可能改了")
    for article in articles:
        for entries in _rankings(article):
            items = [item for place, entry in enumerate(entries, 1) if (item := _mybest_item(entry, place))]
            _check(items, len(entries))
            items.sort(key=lambda item: item.rank)
            return TrendPage(clean_text(article.get("headline"), MAX_TITLE), items)
    raise ListError("文章裡沒有排行（ItemList），版面可能改了")


def _rankings(article: Record) -> Iterator[list[Any]]:
    main = article.get("mainEntity")
    for node in (main if isinstance(main, list) else [main])[:MAX_ENTRIES]:
        entries = node.get("itemListElement") if isinstance(node, dict) and is_a(node, "ItemList") else None
        if isinstance(entries, list) and entries:
            yield entries[:MAX_ENTRIES]


def _mybest_item(entry: Any, place: int) -> TrendItem | None:
    """An entry, None if it has no name. The name may be "brand\\nname"."""
    if not isinstance(entry, dict):
        return None
    item = entry.get("item")
    goods: Record = item if isinstance(item, dict) else entry
    raw = goods.get("name")
    first, _, others = raw.strip()[: MAX_NAME * 4].partition("\n") if isinstance(raw, str) else ("", "", "")
    in_name, name = (first, others) if others.strip() else ("", first)
    given = goods.get("brand")
    brand = given.get("name") if isinstance(given, dict) else given
    name = clean_text(name, MAX_NAME)
    if not name:
        return None
    return TrendItem(
        rank=_position(entry.get("position"), place),
        name=name,
        brand=clean_text(brand, MAX_BRAND) or clean_text(in_name, MAX_BRAND),
        price=_lowest_price(goods.get("offers")),
        url=web_url(goods.get("url")) or web_url(entry.get("url")),
        image_url=_picture(goods.get("image")),
    )


def _position(value: Any, place: int) -> int:
    text = str(value).strip() if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) <= 4 and int(text) else place


def _lowest_price(offers: Any) -> int | None:
    offer = offers[0] if isinstance(offers, list) and offers else offers
    if not isinstance(offer, dict) or str(offer.get("priceCurrency") or "TWD").strip().upper() not in ("TWD", "NTD"):
        return None
    for key in ("lowPrice", "price"):
        try:
            return parse_price(offer.get(key))
        except PriceError:
            continue
    return None


def _picture(image: Any) -> str:
    first = image[0] if isinstance(image, list) and image else image
    return web_url(first.get("url") if isinstance(first, dict) else first)


# --- @cosme -----------------------------------------------------------------------------------------------------------


def parse_cosme_ranking(body: bytes, url: str) -> TrendPage:
    """Read a page of `/tags/{id}/ranking`; ranks begin with 1 on each page. Raises ListError.

    Each entry has one link with its name; brand and score are those in the smallest box around it that holds no other
    name, wherever in that box they stand.
    """
    page = Selector(text=decode_page(body) or " ", type="html")
    names = page.xpath(_NAME)[:MAX_ENTRIES]
    if not names:
        raise ListError("網頁裡沒有排行的商品，版面可能改了")
    around = Counter(box for name in names for box in name.root.iterancestors())
    items: list[TrendItem] = []
    for name in names:
        label = _text(name)
        if label:
            own = takewhile(lambda box: around[box] == 1, name.root.iterancestors())
            boxes = [Selector(root=box, type="html") for box in islice(own, MAX_BOXES)]
            brand, score = _near(boxes, _BRAND), _score(_near(boxes, _POINTS))
            link = _link(name, url)
            items.append(TrendItem(len(items) + 1, label, brand=brand[:MAX_BRAND], score=score, url=link))
    _check(items, len(names))
    return TrendPage(_title(page), items)


def parse_cosme_new(body: bytes, url: str) -> TrendPage:
    """Read a page of `/newhot`, which has names only. Raises ListError."""
    page = Selector(text=decode_page(body) or " ", type="html")
    names = page.xpath(_NEW_NAME)[:MAX_ENTRIES]
    if not names:
        raise ListError("網頁裡沒有新品，版面可能改了")
    labels = [(label, _link(name, url)) for name in names if (label := _text(name))]
    _check(labels, len(names))
    return TrendPage(
        _title(page), [TrendItem(rank, label, url=link) for rank, (label, link) in enumerate(labels, start=1)]
    )


def _near(boxes: list[Selector], path: str) -> str:
    return next((text for box in boxes for found in box.xpath(path) if (text := _text(found))), "")


def _text(node: Selector) -> str:
    return clean_text("".join(node.xpath(".//text()").getall()[:50]), MAX_NAME)


def _link(name: Selector, url: str) -> str:
    """The address that a name leads to: its own, one within it, or one around it."""
    href = name.xpath("(self::a/@href | .//a/@href | ancestor::a/@href)[1]").get("")
    try:
        return web_url(urljoin(url, href.strip())) if href.strip() else ""
    except ValueError:
        return ""


def _score(text: str) -> float | None:
    found = _SCORE.search(text)
    return float(found[0]) if found else None


def _title(page: Selector) -> str:
    return clean_text(page.xpath("//title/text()").get(""), MAX_TITLE)


def _check(items: list[Any], entries: int) -> None:
    """Raise ListError where most entries of a list cannot be read: then it is not the list that was known."""
    if len(items) * 2 < entries or not items:
        raise ListError(f"排行的 {entries} 項只讀得懂 {len(items)} 項，版面可能改了")
