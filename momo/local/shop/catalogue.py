"""What the demo shop sells, and the truth that tests compare with.

A catalogue holds no products: each is worked out from (seed, number) when asked for, and 100,000 of them cost a
megabyte. Identifiers are a reversible scrambling of the number, so that none need be kept.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from . import words
from .days import CYCLE, IN_CATEGORY, OUT_OF_STOCK, DayModel, State, mix

# Prime, so that n * _STEP + shift (mod _PRIME) gives every product its own 7 or 8 digits, and can be undone.
_PRIME = 98_999_987
_STEP = 61_803_399
_UNSTEP = pow(_STEP, -1, _PRIME)
_FIRST_CODE = 1_000_000
_SELLERS = 8_999

_TWICE_LISTED_EVERY = 33
# How many of each 24 products a category gets, in turn: half the average to one and a half times it.
_WEIGHTS = (4, 5, 3, 6, 2, 4)
_MAX_CATEGORIES = 512


class Category(NamedTuple):
    """A crawlable category. `code` has 10 digits, `level` is "2" or "3", `path` joins names with " > "."""

    code: str
    level: str
    name: str
    path: str


@dataclass(frozen=True, slots=True)
class Product:
    """What does not change about a product. Prices in New Taiwan dollars.

    `number` counts from 0; `birth` is the day it came to the shop; `price_form` picks the way its price is
    written; `page` is the generation of its page ("next", "css" or "jsonld").
    """

    number: int
    id: str
    categories: tuple[str, ...]
    name: str
    sub_name: str
    brand: str
    list_price: int
    base_price: int
    birth: int
    price_form: int
    page: str


class Catalogue:
    """A shop of `size` products on day 0, the same in every process for the same arguments.

    About 0.5 % new products come each day. `categories` defaults to one for each 100 products (6 at least).
    """

    def __init__(self, seed: int = 1, size: int = 600, categories: int | None = None) -> None:
        if size < 1:
            raise ValueError("size must be at least 1")
        count = max(6, size // 100) if categories is None else categories
        self.seed = seed
        self.size = size
        self._key = mix(seed, 1)
        self._shift = mix(seed, 2) % _PRIME
        self._days = DayModel(seed)
        self._categories = tuple(_category(n) for n in range(max(1, min(count, _MAX_CATEGORIES))))
        self._by_code = {row.code: n for n, row in enumerate(self._categories)}
        self._deal()
        self._fates = array("q")
        self._twice = mix(seed, 4) % _TWICE_LISTED_EVERY
        self._second: dict[int, list[int]] = {}
        self._second_until = 0
        self._make = lru_cache(maxsize=8192)(self._build)

    def _deal(self) -> None:
        """Deal numbers to categories in a fixed shuffled pattern, so that both directions are arithmetic."""
        slots = [c for c in range(len(self._categories)) for _ in range(_WEIGHTS[c % len(_WEIGHTS)])]
        order = sorted(range(len(slots)), key=lambda s: mix(self._key, s, 3))
        self._slot_category = [slots[s] for s in order]
        self._slots_of: list[list[int]] = [[] for _ in self._categories]
        self._slot_rank: list[int] = []
        for slot, category in enumerate(self._slot_category):
            self._slot_rank.append(len(self._slots_of[category]))
            self._slots_of[category].append(slot)

    # Categories

    def categories(self) -> list[Category]:
        """Every category as (code, level, name, path)."""
        return list(self._categories)

    def category(self, code: str) -> Category | None:
        """The category of that code, or None."""
        number = self._by_code.get(code)
        return None if number is None else self._categories[number]

    def members(self, code: str, day: int) -> list[int]:
        """Numbers of the products that belong to the category and were born by `day`, in shop order."""
        number = self._by_code[code]
        born, width = self.born(day), len(self._slot_category)
        slots = self._slots_of[number]
        own = [n for start in range(0, born, width) for n in (start + s for s in slots) if n < born]
        self._list_twice(born)
        return sorted(own + [n for n in self._second.get(number, ()) if n < born])

    def _list_twice(self, born: int) -> None:
        first = self._second_until + (self._twice - self._second_until) % _TWICE_LISTED_EVERY
        for n in range(first, born, _TWICE_LISTED_EVERY):
            second = self._second_category(n)
            if second is not None:
                self._second.setdefault(second, []).append(n)
        self._second_until = max(self._second_until, born)

    def _second_category(self, number: int) -> int | None:
        count = len(self._categories)
        if count < 2 or number % _TWICE_LISTED_EVERY != self._twice:
            return None
        own = self._slot_category[number % len(self._slot_category)]
        return (own + 1 + mix(self._key, number, 4) % (count - 1)) % count

    def listed(self, code: str, day: int) -> list[str]:
        """Identifiers that the category shows on `day`, in shop order."""
        return [self.product_id(n) for n in self.members(code, day) if self.state_of(n, day) in IN_CATEGORY]

    # Products

    def born(self, day: int) -> int:
        """How many products have come to the shop by `day`; their numbers are 0 up to this."""
        return self.size + self.size * max(0, day) // 200

    def birth(self, number: int) -> int:
        """The day on which the product of that number came to the shop."""
        return 0 if number < self.size else -(-(number - self.size + 1) * 200 // self.size)

    def product_id(self, number: int) -> str:
        """goodsCode: 7 or 8 digits, or (15 %) the marketplace form TP + 14 digits."""
        code = (number * _STEP + self._shift) % _PRIME
        if self._marketplace(number):
            return f"TP{1_000 + code % _SELLERS:07d}{code // _SELLERS + 1:07d}"
        return str(_FIRST_CODE + code)

    def number(self, product_id: str) -> int | None:
        """The product's number, or None for an identifier this shop would never give out."""
        digits = product_id.removeprefix("TP")
        if len(digits) > 14 or not (digits.isascii() and digits.isdigit()):
            return None
        marketplace = product_id.startswith("TP")
        if marketplace:
            code = (int(digits[7:] or 0) - 1) * _SELLERS + int(digits[:7]) - 1_000
        else:
            code = int(digits) - _FIRST_CODE
        number = (code - self._shift) * _UNSTEP % _PRIME
        return number if self.product_id(number) == product_id else None

    def _marketplace(self, number: int) -> bool:
        return mix(self._key, number, 5) % 100 < 15

    def product_ids(self, day: int = 0) -> Iterator[str]:
        """Every identifier that has been in the shop by `day`, gone ones too."""
        return map(self.product_id, range(self.born(day)))

    def product(self, product_id: str) -> Product:
        """What does not change about a product. KeyError for an identifier that is not this shop's."""
        return self._make(self._known(product_id))

    def product_of(self, number: int) -> Product:
        """The same, by number."""
        return self._make(number)

    def _known(self, product_id: str) -> int:
        number = self.number(product_id)
        if number is None:
            raise KeyError(product_id)
        return number

    def _build(self, number: int) -> Product:
        slot = number % len(self._slot_category)
        own, second = self._slot_category[slot], self._second_category(number)
        leaf = words.LEAVES[own % len(words.LEAVES)]
        draw = mix(self._key, number, 6)
        brand = _pick(words.BRANDS[leaf.department], draw)
        name = " ".join(
            (
                _pick(words.FEATURES[leaf.department], draw >> 8) + _pick(leaf.goods, draw >> 16),
                _pick(words.SPECS[leaf.department], draw >> 24),
            )
        )
        style = (draw >> 32) % 100
        if style < 60:
            name = f"【{brand}】{name}"
        elif style < 85:
            name = f"{brand} {name}"
        if (draw >> 40) % 100 < 9:
            name = _pick(words.FLOURISHES, draw >> 48).format(name)
        chance = mix(self._key, number, 7)
        # Square of a uniform draw: many cheap goods, few dear ones.
        spread = (leaf.high - leaf.low) * (chance % 1000) ** 2 // 1_000_000
        list_price = (leaf.low + spread) // 10 * 10
        older = (chance >> 16) % 100
        return Product(
            number=number,
            id=self.product_id(number),
            categories=tuple(self._categories[c].code for c in (own, second) if c is not None),
            name=name,
            sub_name=_pick(words.PROMOTIONS, draw >> 52),
            brand=brand,
            list_price=list_price,
            base_price=list_price * (62 + (chance >> 32) % 34) // 1000 * 10 + 9,
            birth=self.birth(number),
            price_form=(chance >> 40) % 7,
            page="css" if older < 12 else "jsonld" if older < 20 else "next",
        )

    # Days

    def _place(self, number: int) -> int:
        """Its place in the cycle: neighbours in a category take turns, see days.py."""
        width = len(self._slot_category)
        slot = number % width
        category = self._slot_category[slot]
        position = number // width * len(self._slots_of[category]) + self._slot_rank[slot]
        return (position * 7 + mix(self._key, category, 8)) % CYCLE

    def _fate(self, number: int) -> int:
        """What a product is born with, worked out once: (end day, release day, place in the cycle) in one number,
        the place in its lowest 5 bits and the release day in the next 20.
        """
        fates = self._fates
        if number >= len(fates):
            fates.extend([-1] * (number + 1024 - len(fates)))
        fate = fates[number]
        if fate < 0:
            place = self._place(number)
            release = self._days.release_day(number, self.birth(number))
            fate = self._days.end(number, release, place) << 25 | release << 5 | place
            fates[number] = fate
        return fate

    def state_of(self, number: int, day: int) -> State:
        """The state on `day`, by number."""
        if number >= self.born(day):
            return State.MISSING
        fate = self._fate(number)
        return self._days.state(number, fate & 31, fate >> 5 & 0xFFFFF, fate >> 25, day)

    def price_of(self, number: int, day: int) -> int:
        """The price a page would show on `day`, by number, whether or not there is such a page."""
        return self._days.price(number, self._fate(number) & 31, self._make(number).base_price, day)

    def state(self, product_id: str, day: int) -> State:
        """The state on `day`; MISSING before the product came. KeyError as in product()."""
        return self.state_of(self._known(product_id), day)

    def price(self, product_id: str, day: int) -> int | None:
        """The selling price on `day` in New Taiwan dollars, None while missing. KeyError as in product()."""
        number = self._known(product_id)
        return None if self.state_of(number, day) is State.MISSING else self.price_of(number, day)

    def history(self, product_id: str, days: Iterable[int]) -> list[tuple[int, int | None, State]]:
        """(day, price or None while missing, state) for each of `days`. KeyError as in product()."""
        number = self._known(product_id)
        rows: list[tuple[int, int | None, State]] = []
        for day in days:
            state = self.state_of(number, day)
            rows.append((day, None if state is State.MISSING else self.price_of(number, day), state))
        return rows

    def changes(self, day_a: int, day_b: int) -> dict[str, set[str]]:
        """What differs on `day_b` from `day_a` (the earlier), as sets of identifiers.

        increase, decrease: has a page on both days, at another price. missing: had a page, has none.
        sold_out: could be had (or was upcoming), is out of stock. back_in_stock: was out of stock, is listed.
        relisted: was missing, is in its categories. returned: the last two together.
        new: came after `day_a`, is in its categories.
        """
        names = ("increase", "decrease", "missing", "sold_out", "back_in_stock", "relisted", "new")
        found: dict[str, set[str]] = {name: set() for name in names}
        known = self.born(day_a)
        for number in range(self.born(day_b)):
            before, after = self.state_of(number, day_a), self.state_of(number, day_b)
            for name in self._differences(number, before, after, known, day_a, day_b):
                found[name].add(self.product_id(number))
        found["returned"] = found["back_in_stock"] | found["relisted"]
        return found

    def _differences(
        self, number: int, before: State, after: State, known: int, day_a: int, day_b: int
    ) -> Iterator[str]:
        if before is State.MISSING:
            if after in IN_CATEGORY:
                yield "new" if number >= known else "relisted"
            return
        if after is State.MISSING:
            yield "missing"
            return
        step = self.price_of(number, day_b) - self.price_of(number, day_a)
        if step:
            yield "increase" if step > 0 else "decrease"
        if before in OUT_OF_STOCK:
            if after is State.LISTED:
                yield "back_in_stock"
        elif after in OUT_OF_STOCK:
            yield "sold_out"


def _pick(choices: tuple[str, ...], draw: int) -> str:
    return choices[draw % len(choices)]


def _category(number: int) -> Category:
    """The n-th category of the tree; past its end, sections of the same leaves."""
    section, place = divmod(number, len(words.LEAVES))
    leaf = words.LEAVES[place]
    trail = [words.DEPARTMENTS[leaf.department], leaf.group] + ([leaf.leaf] if leaf.leaf else [])
    if section:
        trail[-1] += f"｜{words.SECTIONS[section - 1]}"
    code = f"{11 + leaf.department}{section:03d}{place + 1:03d}{'05' if leaf.leaf else '00'}"
    return Category(code, str(len(trail)), trail[-1], " > ".join(trail))
