"""News: what the events of a product amount to, comparing its state before the first with that after the last.

Pure functions. Prices are New Taiwan dollars.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from itertools import groupby
from operator import attrgetter

from momo.core.formats import change_percent
from products.models import PriceEvent

Kind = PriceEvent.Kind
# In the order of a digest.
GROUPS = (
    Kind.INCREASE,
    Kind.DECREASE,
    Kind.DELISTED,
    Kind.NEW,
    Kind.RELISTED,
    Kind.BACK_IN_STOCK,
    Kind.OUT_OF_STOCK,
)
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
class News:
    """Something that happened to a product: one event, or what several events of it amount to.

    `at` and `run_id` (the crawl that found it) are those of the last event.
    """

    kind: str
    goods: Goods
    old_price: int | None
    new_price: int | None
    at: datetime
    run_id: int | None = None

    @property
    def change(self) -> int | None:
        """Difference of the prices, None unless both are known."""
        return None if self.old_price is None or self.new_price is None else self.new_price - self.old_price

    @property
    def percent(self) -> float | None:
        """`change` in percent of the old price, two decimals."""
        return change_percent(self.old_price, self.new_price)

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


def net_news(events: Sequence[News]) -> list[News]:
    """What the events of one product, in their order, amount to: nothing where the state is as before them.

    The price and the place on the shelf are compared before and after; so is the stock, unless the product was delisted
    in between and its stock is unknown before or after.
    """
    moves = [(place, event.kind) for place, event in enumerate(events) if event.kind in _BEFORE]
    before = _BEFORE[Kind(moves[0][1])] if moves else _Shelf.ON
    after = _AFTER[Kind(moves[-1][1])] if moves else _Shelf.ON
    old = None if before is _Shelf.NEVER else events[0].old_price
    new = _last_price(events, moves)
    last = events[-1]

    def news(kind: Kind, old_price: int | None, new_price: int | None) -> News:
        return News(kind, last.goods, old_price, new_price, last.at, last.run_id)

    if after is _Shelf.OFF:
        return [news(Kind.DELISTED, new, None)] if before is _Shelf.ON else []
    found = []
    if before is _Shelf.NEVER:
        found.append(news(Kind.NEW, None, new))
    elif old is not None and new is not None and old != new:
        found.append(news(Kind.INCREASE if new > old else Kind.DECREASE, old, new))
    if before is _Shelf.OFF:
        found.append(news(Kind.RELISTED, old, new))
    stock = _net_stock(events, before, moves)
    if stock is not None:
        found.append(news(stock, new, new))
    return found


def _last_price(events: Sequence[News], moves: Sequence[tuple[int, str]]) -> int | None:
    """The last price that is known; of goods that returned, the last that they showed since."""
    if moves and moves[-1][1] == Kind.RELISTED:
        known = [event.new_price for event in events[moves[-1][0] :] if event.new_price is not None]
    else:
        known = [price for event in events for price in (event.old_price, event.new_price) if price is not None]
    return known[-1] if known else None


def _net_stock(events: Sequence[News], before: _Shelf, moves: Sequence[tuple[int, str]]) -> Kind | None:
    seen = [(place, event.kind) for place, event in enumerate(events) if event.kind in STOCK]
    if not seen or (moves and seen[-1][0] < moves[-1][0]):
        return None  # relisted later, with unknown stock
    if before is not _Shelf.ON:
        was_there = True  # a product on the shelf is in stock unless an event says otherwise
    elif not moves or seen[0][0] < moves[0][0]:
        was_there = seen[0][1] == Kind.OUT_OF_STOCK
    else:
        return None
    is_there = seen[-1][1] == Kind.BACK_IN_STOCK
    if is_there == was_there:
        return None
    return Kind.BACK_IN_STOCK if is_there else Kind.OUT_OF_STOCK


def all_news(events: Iterable[News]) -> list[News]:
    """What the events of many products, in the order in which they happened, amount to; each group's biggest first."""
    code = attrgetter("goods.product_id")
    ordered = sorted(events, key=code)  # stable: each product's events keep their order
    news = [one for _, group in groupby(ordered, key=code) for one in net_news(list(group))]
    place = {kind: number for number, kind in enumerate(GROUPS)}
    return sorted(news, key=lambda one: (place[Kind(one.kind)], *(-part for part in one.size), code(one)))
