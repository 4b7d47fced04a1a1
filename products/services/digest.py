"""What a price digest says: the net of what happened to each product, chosen, ordered and laid out for one reader.

Pure functions on events; `services.tell` claims the events and writes the messages. Prices are New Taiwan dollars.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from itertools import groupby
from typing import Any

from django.conf import settings
from django.utils import timezone

from momo.rest.errors import ValidationFailed
from momo.sheets.write import XLSX
from notifications.services.attachments import File
from notifications.services.drafts import MAX_FILES_BYTES
from notifications.templating.values import clean_text
from notifications.templating.variables import Variable, coerce
from products.exports import NEWS_MAX_ROWS, news_workbook
from products.models import PriceEvent

Kind = PriceEvent.Kind
# In the order in which they are told.
GROUPS = (
    Kind.INCREASE,
    Kind.DECREASE,
    Kind.DELISTED,
    Kind.NEW,
    Kind.RELISTED,
    Kind.BACK_IN_STOCK,
    Kind.OUT_OF_STOCK,
)
USUAL = frozenset((Kind.INCREASE, Kind.DECREASE, Kind.DELISTED, Kind.NEW))
TITLE = "價格變動摘要"
# What the template calls the groups and their numbers; it calls the rest of them "others".
NAMED = {
    Kind.INCREASE: ("rises", "rise_count"),
    Kind.DECREASE: ("drops", "drop_count"),
    Kind.DELISTED: ("delisted", "delisted_count"),
    Kind.NEW: ("new", "new_count"),
}
# How each number is called where they stand side by side; all of them together are the total.
COUNTED = {
    "rise_count": "漲",
    "drop_count": "降",
    "delisted_count": "下架",
    "new_count": "新上架",
    "other_count": "供貨變化",
}
# What a message holds: its template renders so many lines whatever the names are, and all texts together are bounded.
LINES_AT_MOST = 50
TEXT_TOLD = 500  # characters, as long as the longest that is kept
STOCK = frozenset((Kind.OUT_OF_STOCK, Kind.BACK_IN_STOCK))


@dataclass(frozen=True)
class Goods:
    """A product as a digest shows it; `category` is the name, `category_code` momo's code."""

    product_id: str
    name: str
    brand: str
    category: str
    category_code: str
    url: str


@dataclass(frozen=True)
class Happened:
    """One event of one product; `run_id` is the crawl that found it."""

    kind: str
    old_price: int | None
    new_price: int | None
    at: datetime
    run_id: int | None = None


@dataclass(frozen=True)
class News:
    """What is left to tell of one product after all of its events; `at` and `run_id` are the last one's."""

    kind: str
    goods: Goods
    old_price: int | None
    new_price: int | None
    at: datetime
    run_id: int | None = None

    @property
    def change(self) -> int | None:
        if self.old_price is None or self.new_price is None:
            return None
        return self.new_price - self.old_price

    @property
    def percent(self) -> float | None:
        """Of the old price, two decimals."""
        if self.change is None or not self.old_price:
            return None
        return round(self.change * 100 / self.old_price, 2)

    @property
    def size(self) -> tuple[float, int, int]:
        """How much it matters within its group."""
        return (abs(self.percent or 0), abs(self.change or 0), self.new_price or self.old_price or 0)


class _Shelf(Enum):
    """Whether a product is sold."""

    NEVER = 0
    ON = 1
    OFF = 2


_BEFORE = {Kind.NEW: _Shelf.NEVER, Kind.DELISTED: _Shelf.ON, Kind.RELISTED: _Shelf.OFF}
_AFTER = {Kind.NEW: _Shelf.ON, Kind.DELISTED: _Shelf.OFF, Kind.RELISTED: _Shelf.ON}


def net_news(goods: Goods, events: Sequence[Happened]) -> list[News]:
    """What one product's events, in their order, come to: nothing where all is as it was before them.

    A price and a place on the shelf are compared before and after; so is the stock, unless the product was taken away
    in between and nobody saw what it was before or is after.
    """
    moves = [(place, event.kind) for place, event in enumerate(events) if event.kind in _BEFORE]
    before = _BEFORE[Kind(moves[0][1])] if moves else _Shelf.ON
    after = _AFTER[Kind(moves[-1][1])] if moves else _Shelf.ON
    old = None if before is _Shelf.NEVER else events[0].old_price
    last_known = [price for event in events for price in (event.old_price, event.new_price) if price is not None]
    new = last_known[-1] if last_known else None
    last = events[-1]

    def told(kind: Kind, old_price: int | None, new_price: int | None) -> News:
        return News(kind, goods, old_price, new_price, last.at, last.run_id)

    if after is _Shelf.OFF:
        return [told(Kind.DELISTED, new, None)] if before is _Shelf.ON else []
    if before is _Shelf.NEVER:
        news = [told(Kind.NEW, None, new)]
    else:
        news = []
        if old is not None and new is not None and old != new:
            news.append(told(Kind.INCREASE if new > old else Kind.DECREASE, old, new))
        if before is _Shelf.OFF:
            news.append(told(Kind.RELISTED, old, new))
    stock = _net_stock(events, before, moves)
    if stock is not None:
        news.append(told(stock, new, new))
    return news


def _net_stock(events: Sequence[Happened], before: _Shelf, moves: Sequence[tuple[int, str]]) -> Kind | None:
    seen = [(place, event.kind) for place, event in enumerate(events) if event.kind in STOCK]
    if not seen or (moves and seen[-1][0] < moves[-1][0]):
        return None  # it came back later, and nobody said with or without stock
    if before is not _Shelf.ON:
        was_there = True  # what is put on the shelf is there unless it is said to be sold out
    elif not moves or seen[0][0] < moves[0][0]:
        was_there = seen[0][1] == Kind.OUT_OF_STOCK
    else:
        return None
    is_there = seen[-1][1] == Kind.BACK_IN_STOCK
    if is_there == was_there:
        return None
    return Kind.BACK_IN_STOCK if is_there else Kind.OUT_OF_STOCK


def all_news(events: Iterable[tuple[Goods, Happened]]) -> list[News]:
    """The net of many products' events, given in the order in which they happened; each group's biggest first."""
    ordered = sorted(events, key=lambda pair: pair[0].product_id)  # stable: each product's events keep their order
    news = [
        one for _, pairs in groupby(ordered, key=lambda pair: pair[0].product_id) for one in _net_of_pairs(list(pairs))
    ]
    place = {kind: number for number, kind in enumerate(GROUPS)}
    return sorted(news, key=lambda one: (place[Kind(one.kind)], *(-part for part in one.size), one.goods.product_id))


def _net_of_pairs(pairs: Sequence[tuple[Goods, Happened]]) -> list[News]:
    return net_news(pairs[-1][0], [event for _, event in pairs])


@dataclass(frozen=True)
class Selection:
    """What a subscription's filters let through; equal ones share their digest."""

    categories: frozenset[str] = frozenset()  # codes
    brands: frozenset[str] = frozenset()
    kinds: frozenset[str] = USUAL
    min_percent: float = 0

    @classmethod
    def of(cls, filters: Any) -> Selection:
        """Read what is kept with a subscription; what makes no sense there lets everything through."""
        given: Mapping[str, Any] = filters if isinstance(filters, dict) else {}
        kinds = _texts(given.get("directions")) & frozenset(Kind.values)
        return cls(
            categories=_texts(given.get("categories")),
            brands=frozenset(map(_folded, _texts(given.get("brands")))),
            kinds=kinds or USUAL,
            min_percent=_number(given.get("min_percent")),
        )

    def takes(self, news: News) -> bool:
        if news.kind not in self.kinds:
            return False
        if self.categories and news.goods.category_code not in self.categories:
            return False
        if self.brands and _folded(news.goods.brand) not in self.brands:
            return False
        moved = news.kind in (Kind.INCREASE, Kind.DECREASE)
        return not moved or abs(news.percent or 0) >= self.min_percent


def _texts(value: Any) -> frozenset[str]:
    return frozenset(one for one in value if isinstance(one, str) and one) if isinstance(value, list) else frozenset()


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else 0.0


def _folded(text: str) -> str:
    """As people compare names: full-width or not, upper case or lower."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def spread(counts: Sequence[int], lines: int) -> list[int]:
    """How many of each group to show in `lines` lines: an even share each, what one leaves going to the others.

    The first groups get what cannot be shared evenly.
    """
    shown = [0] * len(counts)
    while lines > 0:
        waiting = [place for place, count in enumerate(counts) if shown[place] < count]
        if not waiting:
            break
        share = max(1, lines // len(waiting))
        for place in waiting:
            taken = min(share, counts[place] - shown[place], lines)
            shown[place] += taken
            lines -= taken
    return shown


@dataclass(frozen=True)
class Digest:
    """News for one selection, ordered as by `all_news`."""

    news: Sequence[News]
    at: datetime

    def variables(self) -> dict[str, Any]:
        """What the template `price_digest` is given: at most DIGEST_MAX_LINES products over all its groups.

        `run_id` is the newest crawl that it tells of. `workbook` says whether `files` go with it.
        """
        groups = {kind: [one for one in self.news if one.kind == kind] for kind in GROUPS}
        counts = {kind: len(group) for kind, group in groups.items()}
        spread_out = spread(list(counts.values()), _lines())
        shown = {kind: groups[kind][:lines] for kind, lines in zip(groups, spread_out, strict=True)}
        others = [kind for kind in GROUPS if kind not in NAMED]
        numbers = {count: counts[kind] for kind, (_, count) in NAMED.items()}
        numbers["other_count"] = sum(counts[kind] for kind in others)
        return {
            "title": TITLE,
            "time": self.at,
            "total": len(self.news),
            "summary": "、".join(f"{words} {numbers[name]:,}" for name, words in COUNTED.items() if numbers[name]),
            "run_id": max((one.run_id for one in self.news if one.run_id is not None), default=None),
            **{names: [_line(one) for one in shown[kind]] for kind, (names, _) in NAMED.items()},
            **numbers,
            "others": [_other_line(one) for kind in others for one in shown[kind]],
            "more": len(self.news) - sum(spread_out),
            "workbook": len(self.news) > _lines(),
            "dashboard_url": f"{settings.PUBLIC_URL}/admin/products/priceevent/",
        }

    def files(self) -> list[File]:
        """The workbook with all of them, when the text does not hold them; with as many as a message can carry."""
        if len(self.news) <= _lines():
            return []
        local = timezone.localtime(self.at)
        rows = min(len(self.news), NEWS_MAX_ROWS)
        content = news_workbook(map(_row, self.news[:rows]))
        while len(content) > MAX_FILES_BYTES:
            rows //= 2
            content = news_workbook(map(_row, self.news[:rows]))
        part = f"_前{rows}筆" if rows < len(self.news) else ""
        return [File(f"momo_價格通知_{local:%Y%m%d_%H%M}{part}.xlsx", content, XLSX)]


def _lines() -> int:
    return min(settings.DIGEST_MAX_LINES, LINES_AT_MOST)


def _line(news: News) -> dict[str, Any]:
    goods = news.goods
    values = {
        "code": goods.product_id,
        "name": _readable(goods.name[:TEXT_TOLD]) or goods.product_id,
        "brand": goods.brand[:TEXT_TOLD],
        "category": goods.category[:TEXT_TOLD],
        "old_price": news.old_price,
        "new_price": news.new_price,
        "change": news.change,
        "percent": news.percent,
        "url": _usable(goods.url),
    }
    return {name: value for name, value in values.items() if value is not None}


def _readable(name: str) -> str:
    """The name, or nothing when there is nothing in it that a message shows: a link needs a text."""
    return name if clean_text(name).strip() else ""


def _other_line(news: News) -> dict[str, Any]:
    line = _line(news)
    return {"kind": news.kind, **{name: line[name] for name in ("name", "code", "url") if name in line}}


def _usable(url: str) -> str | None:
    """The link, unless it is one that no message could hold."""
    try:
        coerce([Variable("url", "url")], {"url": url})
    except ValidationFailed:
        return None
    return url


def _row(news: News) -> tuple[Any, ...]:
    goods = news.goods
    return (
        str(Kind(news.kind).label),
        goods.product_id,
        goods.name,
        goods.brand,
        goods.category,
        news.old_price,
        news.new_price,
        news.change,
        news.percent,
        news.at,
        goods.url,
    )
