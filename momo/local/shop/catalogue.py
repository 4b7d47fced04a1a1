"""What the demo shop sells, and how its products fare from day to day: the truth that tests compare with."""

from __future__ import annotations

import random
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate, count, cycle, islice
from typing import NamedTuple

from .vocabulary import DEPARTMENTS, FLOURISHES, LEAVES, PROMOTIONS, Leaf

# Life goes in cycles of 20 days. Each product has its own place in the cycle, and everything that may happen to it its
# fixed days in there, so events of one product never overlap: a price never changes while the product is not shown.
# Products of one category are spread evenly over the cycle, which bounds how many can change on one day.
#
#     day of the cycle   0   new price (5 % of the products each day)
#                        3   in one cycle of 7: vanishes for 4 to 8 days (0.7 % a day)
#                       13   in one cycle of 5: sells out for 1 to 5 days (1 % a day), half of them leaving the category
#
# Another 0.3 % a day vanish for good.
CYCLE = 20
VANISH_AT, VANISH_EVERY = 3, 7
SELL_OUT_AT, SELL_OUT_EVERY = 13, 5
MEAN_LIFE = 330  # days

MAX_CATEGORIES = 512
# How large categories are beside each other, in turn: half the average to one and a half times it.
_WEIGHTS = (4, 5, 3, 6, 2, 4)


class State(StrEnum):
    """The state of a product on one day."""

    LISTED = "listed"
    OUT_OF_STOCK_LISTED = "out_of_stock_listed"
    OUT_OF_STOCK_UNLISTED = "out_of_stock_unlisted"
    MISSING = "missing"
    UPCOMING = "upcoming"


#: States in which a product appears in its categories.
IN_CATEGORY = frozenset({State.LISTED, State.OUT_OF_STOCK_LISTED, State.UPCOMING})
OUT_OF_STOCK = frozenset({State.OUT_OF_STOCK_LISTED, State.OUT_OF_STOCK_UNLISTED})


class Category(NamedTuple):
    """A crawlable category. `code` has 10 digits, `level` is "2" or "3", `path` joins names with " > "."""

    code: str
    level: str
    name: str
    path: str


@dataclass(frozen=True, slots=True)
class Product:
    """A product. Prices in New Taiwan dollars, days counted from the shop's day 0."""

    number: int  # from 0, in the order of coming
    id: str
    categories: tuple[str, ...]
    name: str
    sub_name: str
    brand: str
    list_price: int
    prices: tuple[int, ...]  # each for one cycle, in turn
    page: str  # the generation of its page: "next", "css" or "jsonld"
    birth: int  # the day it came to the shop
    release: int  # the first day on which it can be bought; before it, it is shown as coming soon
    end: int  # the day from which it is gone for good
    place: int  # the day of the cycle that it is on at day 0
    vanish_turn: int  # of VANISH_EVERY cycles
    vanish_days: int
    sell_out_turn: int  # of SELL_OUT_EVERY cycles
    sell_out_days: int
    unlisted: bool  # whether it leaves its categories while it is sold out

    def state(self, day: int) -> State:
        """The state on `day`: never missing or unlisted on its first, so that a first crawl sees all there is."""
        if not self.birth <= day < self.end:
            return State.MISSING
        if day < self.release:
            return State.UPCOMING
        turn, at = divmod(day + self.place, CYCLE)
        if turn % VANISH_EVERY == self.vanish_turn and 0 <= (since := at - VANISH_AT) < self.vanish_days:
            if day - since > self.release:
                return State.MISSING
        elif turn % SELL_OUT_EVERY == self.sell_out_turn and 0 <= (since := at - SELL_OUT_AT) < self.sell_out_days:
            unlisted = self.unlisted and day - since > self.release
            return State.OUT_OF_STOCK_UNLISTED if unlisted else State.OUT_OF_STOCK_LISTED
        return State.LISTED

    def price(self, day: int) -> int | None:
        """The selling price on `day`, None while missing."""
        if self.state(day) is State.MISSING:
            return None
        return self.prices[(day + self.place) // CYCLE % len(self.prices)]


class Catalogue:
    """A shop of `size` products on day 0, the same in every process for the same arguments.

    About 0.5 % new products come each day. `categories` defaults to one for each 100 products (6 at least).
    """

    def __init__(self, seed: int = 1, size: int = 600, categories: int | None = None) -> None:
        self.size = size
        wanted = max(6, size // 100) if categories is None else categories
        self.categories = [_category(number) for number in range(min(wanted, MAX_CATEGORIES))]
        self._coming = generate(seed, size, self.categories)
        self._products: list[Product] = []
        self._by_id: dict[str, Product] = {}
        self._members: defaultdict[str, list[Product]] = defaultdict(list)
        self._lock = threading.Lock()

    def products(self, day: int = 0) -> list[Product]:
        """Every product that has come by `day`, gone ones too, in the order of coming."""
        born = self.size + self.size * day // 200
        with self._lock:
            for product in islice(self._coming, max(0, born - len(self._products))):
                self._products.append(product)
                self._by_id[product.id] = product
                for code in product.categories:
                    self._members[code].append(product)
        return self._products[:born]

    def product(self, product_id: str, day: int = 0) -> Product:
        """The product of that identifier. KeyError if none that has come by `day` has it."""
        self.products(day)
        product = self._by_id[product_id]
        if product.birth > day:
            raise KeyError(product_id)
        return product

    def listed(self, code: str, day: int) -> list[Product]:
        """Products that the category shows on `day`, in shop order; none for an unknown category."""
        self.products(day)
        return [product for product in self._members.get(code, ()) if product.state(day) in IN_CATEGORY]


def _category(number: int) -> Category:
    """The n-th category of the tree; past its end, sections of the same leaves."""
    section, place = divmod(number, len(LEAVES))
    leaf = LEAVES[place]
    path = [*leaf.path[:-1], leaf.path[-1] + (f"｜第 {section} 區" if section else "")]
    code = f"{11 + leaf.department}{section:03d}{place + 1:03d}{'05' if len(path) == 3 else '00'}"
    return Category(code, str(len(path)), path[-1], " > ".join(path))


def generate(seed: int, size: int, categories: Sequence[Category]) -> Iterator[Product]:
    """Products in the order of coming, without end: the first `size` on day 0, later `size` / 200 a day."""
    dice = random.Random(seed)
    shares = list(accumulate(islice(cycle(_WEIGHTS), len(categories))))
    taken: set[str] = set()
    members = [0] * len(categories)
    for number in count():
        own = dice.choices(range(len(categories)), cum_weights=shares)[0]
        codes = [categories[own].code]
        if dice.random() < 0.03 and len(categories) > 1:
            codes.append(categories[(own + dice.randrange(1, len(categories))) % len(categories)].code)
        leaf = LEAVES[own % len(LEAVES)]
        brand, name = _brand_and_name(dice, leaf)
        # Square of a uniform draw: many cheap goods, few dear ones.
        list_price = int(leaf.low + (leaf.high - leaf.low) * dice.random() ** 2) // 10 * 10
        base = list_price * dice.uniform(0.62, 0.95)
        # Usual and promotional prices take turns, which keeps every step between 4 and 29 %.
        prices = [round(base * dice.uniform(low, low + 0.06)) for low in (0.94, 0.78, 0.94, 0.82)]
        birth = 0 if number < size else -(-(number - size + 1) * 200 // size)
        release = birth + (dice.randrange(1, 4) if dice.random() < (0.2 if birth else 0.01) else 0)
        members[own] += 1
        yield Product(
            number=number,
            id=_new_id(dice, taken),
            categories=tuple(codes),
            name=name,
            sub_name=dice.choice(PROMOTIONS),
            brand=brand,
            list_price=list_price,
            prices=tuple(prices if dice.random() < 0.5 else reversed(prices)),
            page=dice.choices(("next", "css", "jsonld"), (80, 12, 8))[0],
            birth=birth,
            release=release,
            end=release + 1 + int(dice.expovariate(1 / MEAN_LIFE)),
            # 7 has no common factor with the cycle: 20 neighbours of a category have 20 places.
            place=(members[own] * 7 + own) % CYCLE,
            vanish_turn=dice.randrange(VANISH_EVERY),
            vanish_days=dice.randrange(4, 9),
            sell_out_turn=dice.randrange(SELL_OUT_EVERY),
            sell_out_days=dice.randrange(1, 6),
            unlisted=dice.random() < 0.5,
        )


def _new_id(dice: random.Random, taken: set[str]) -> str:
    """goodsCode: 7 or 8 digits, or (15 %) the marketplace form TP + 14 digits."""
    while True:
        if dice.random() < 0.15:
            product_id = f"TP{dice.randrange(1_000, 9_999):07d}{dice.randrange(1, 100_000):07d}"
        else:
            product_id = str(dice.randrange(1_000_000, 100_000_000))
        if product_id not in taken:
            taken.add(product_id)
            return product_id


def _brand_and_name(dice: random.Random, leaf: Leaf) -> tuple[str, str]:
    department = DEPARTMENTS[leaf.department]
    brand = dice.choice(department.brands)
    name = f"{dice.choice(department.features)}{dice.choice(leaf.goods)} {dice.choice(department.specs)}"
    style = dice.random()
    if style < 0.85:
        name = f"【{brand}】{name}" if style < 0.6 else f"{brand} {name}"
    if dice.random() < 0.09:
        name = dice.choice(FLOURISHES).format(name)
    return brand, name
