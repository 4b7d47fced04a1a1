"""The facts of a product, taken apart once in the same way as texts, with all that can be computed from them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache

from ai.checks.facts import words
from ai.checks.facts.items import Item, Kind, Money
from ai.checks.facts.model import Facts
from ai.checks.facts.normalise import shadow_of
from ai.checks.facts.numbers import NUMERALS, numbers
from ai.checks.facts.roles import amounts
from ai.checks.facts.units import UNITS

_DAILY = re.compile(
    rf"(?:每|一)[天日][^，。\n]{{0,4}}?(\d{{1,3}}|[{NUMERALS}]{{1,3}})(?:[-~]\d{{1,2}})?[顆粒片包錠匙條支瓶入]"
)
# Where a clause of a shadow ends.
BREAK = re.compile(r"[，。!?;:\n、/|()【】\[\]+]")
HAN = re.compile("[\u4e00-\u9fff]{2,}")
_WORD = re.compile(r"[^\s，。、;:!?()【】\[\]「」|/~+×]+")
_HALF = re.compile(r"(?<=\d/)\d")
# Groups of what is used up one by one.
_CONSUMED = {"*", *(UNITS[name].group for name in ["瓶", "包", "支", "片", "粒", "杯"])}
# 2盒1299, 任選3袋399: what so many pieces cost together.
_TOGETHER = re.compile(
    rf"(?P<count>[2-9]|1\d|[{NUMERALS}])[件瓶盒入組包罐支條片個雙箱袋](?:特價|只要|共|優惠價?)?(?:nt)?\$?(?P<price>\d{{2,6}})(?!\d|[折%.])"
)
_TELLING = re.compile(rf"\d|[{NUMERALS}]")
# Facts of goods are few: beyond this many of a sort, further ones are not combined with each other.
_MOST = 200


class Index:
    """The facts, taken apart once in the same way as texts, and what can be computed from them."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.shadows = [(key, shadow_of(text).text) for key, text in facts.texts]
        self.everything = "\n".join(shadow for _, shadow in self.shadows)
        self.items: dict[Kind, list[Item]] = defaultdict(list)
        # Pairs of characters in a clause of the facts, dimensions of its amounts, and the amounts.
        self.clauses: list[tuple[set[str], set[str], list[Item]]] = []
        self.days: list[float] = []
        self.doses: list[float] = []  # pieces a day
        self.pieces: list[
            tuple[float, str]
        ] = []  # how many, by group of counters; what contents and prices are shared by
        for key, shadow in self.shadows:
            self._read(key, shadow)
        self.names = self._names()
        self.prices, self.list_prices = list(facts.prices), list(facts.list_prices)
        money = [*self.items[Kind.PRICE], *self.items[Kind.SAVING]]
        self.list_prices += [item.size for item in money if item.role == Money.LIST]
        self.money = {role: [item.size for item in money if item.role == role] for role in Money}
        self.savings = [full - price for full in self.list_prices for price in self.prices if full > price]
        self.ratios = [price / full for full in self.list_prices for price in self.prices if full]
        self._compute()

    def _read(self, key: str, shadow: str) -> None:
        taken = bytearray(len(shadow))
        found = [*amounts(shadow, taken, strict=True), *words.claims(shadow)]
        kinds = {"warranty": Kind.WARRANTY, "shelf_life": Kind.SHELF_LIFE}
        made = [item for item in found if item.kind is Kind.ORIGIN and item.role == "made"]
        for item in found:
            if item.kind is Kind.DURATION and key in kinds:
                item = replace(item, kind=kinds[key])
            elif item.kind is Kind.NUMBER and key == "count":
                item = replace(item, kind=Kind.COUNT, key="count", group="*")
            elif item.kind is Kind.ORIGIN and key == "origin" and not made:
                item = replace(item, role="made")
            self.items[item.kind].append(item)
            if item.kind is Kind.COUNT and item.key == "count" and key in {"name", "count", "content"}:
                self.pieces.append((item.size, item.group))
        if key in {"certifications", "awards", "patents"}:
            kind = {"certifications": Kind.CERTIFICATION, "awards": Kind.AWARD, "patents": Kind.PATENT}[key]
            self.items[kind].append(Item(kind, "", 0, 0))
        measured = [item for item in found if item.kind in {Kind.PERCENT, Kind.CONTENT}]
        for start, end in list(_clauses(shadow))[:_MOST]:
            inside = [item for item in measured[:_MOST] if start <= item.start < end]
            if inside or key == "ingredients":
                self.clauses.append((pairs_of(shadow[start:end]), {item.key for item in inside} or {"percent"}, inside))

    def _names(self) -> list[str]:
        """Names, and words of the facts with a number that are not just amounts: whole in a text, they are true."""
        found = {shadow for key, shadow in self.shadows if key in {"brand", "name"} and len(shadow) > 1}
        parts = (shadow_of(part).text for _, text in self.facts.texts for part in text.split())
        # 30前 of 11/30前 is half a date.
        for word in (
            match[0] for part in parts for match in _WORD.finditer(part) if not _HALF.match(part, match.start())
        ):
            if 3 <= len(word) <= 60 and _TELLING.search(word) and not _is_amount(word):
                found.add(word)
        return sorted(found, key=len, reverse=True)[:_MOST]

    def _compute(self) -> None:
        counts = [(item.size, item.group) for item in self.items[Kind.COUNT] if item.key == "count"]
        self.pieces = self._with_products(self.pieces)
        pairs = list(counts)
        # How many, and what they cost as a multiple of the price: 2件9折, 第2件6折.
        self.deals: list[tuple[float, float]] = []
        self.nths: list[float] = []  # what the second costs of 第2件6折
        self.gifts: list[tuple[float, str]] = []  # how many come with gifts, by group
        self.bundles: list[float] = []  # shares of 買 n 送 m: how many pieces come for each that is paid
        self._read_deals()
        pairs += self._read_bundles()
        self.counts = sorted({*pairs, *self.pieces, *self.gifts})
        self.products = sorted({*self._with_products(counts)} - set(self.counts))  # 2箱1099 of 6入: 12 in all
        self._read_doses()
        self.periods = [
            ends - starts + timedelta(1) for starts, ends in self.facts.periods if starts and ends and starts <= ends
        ]
        # Every number of the facts, for one that a text writes without a unit.
        known = [item for items in self.items.values() for item in items]
        self.values = {item.value for item in known if item.value is not None} | {*self.prices, *self.list_prices}
        self.values |= {count for count, _ in self.counts}
        self.values |= {float(part) for item in self.items[Kind.MODEL] for part in re.findall(r"\d{1,12}", item.role)}
        self.values |= {float(item.key.partition("/")[0] or 0) for item in self.items[Kind.DATE]}

    def _read_deals(self) -> None:
        for item in self.items[Kind.PROMOTION]:
            if match := re.fullmatch(r"(第?)(\d+)件([\d.]+)", item.key):
                pieces, left = int(match[2]), float(match[3])
                self.deals.append((pieces, pieces - 1 + left if match[1] else pieces * left))
                self.nths += [left] if match[1] else []
        for match in (match for _, shadow in self.shadows for match in _TOGETHER.finditer(shadow)):
            count, cost = next(numbers(match["count"])).value or 0.0, float(match["price"])
            self.deals += [(count, cost / price) for price in self.prices if price]
            self.savings += [count * price - cost for price in self.prices if count * price > cost]

    def _read_bundles(self) -> list[tuple[float, str]]:
        """Counts that 買 n 送 m names. In the name of the goods (買2送1組) their price is that of all."""
        pairs = []
        sold = {item.key for key, shadow in self.shadows if key == "name" for item in words.claims(shadow)}
        for item in self.items[Kind.PROMOTION]:
            if match := re.fullmatch(r"買(\d+)送(\d+)", item.key):
                buy, get = int(match[1]), int(match[2])
                pairs += [(float(buy), "*"), (float(get), "*"), (float(buy + get), "*")]
                if item.key in sold:
                    continue
                share = (buy + get) / max(buy, 1)
                self.bundles.append(share)
                self.deals.append((float(buy + get), float(buy)))
                # No content of the goods by itself: 50ml買一送一 is no bottle of 100ml.
                self.gifts += [(count * share, group) for count, group in self.pieces]
                self.gifts.append((float(buy + get), "*"))
        return pairs

    def _read_doses(self) -> None:
        pieces = [*self.pieces, *self.gifts][:_MOST]
        for match in (match for _, shadow in self.shadows for match in _DAILY.finditer(shadow)):
            for found in numbers(match[0][match.start(1) - match.start() :]):  # both of 每日1-2包
                daily = found.value or 0
                self.doses.append(daily)
                self.days += [count / daily for count, _ in pieces if daily]
        if not self.days:  # one a day, where no fact says otherwise
            self.days = [count for count, group in pieces if group in _CONSUMED and count >= 5]

    @staticmethod
    def _with_products(counts: list[tuple[float, str]]) -> list[tuple[float, str]]:
        """The counts, and products of two that count different things: 5片×3盒 are 15片."""
        counts = counts[:_MOST]
        return counts + [
            (one * other, group)
            for one, group in counts
            for other, second in counts
            if group not in {second, "*"} and not (one == other and second == "*")
        ]

    def has(self, kind: Kind, *keys: str) -> bool:
        """Whether a fact of a kind has one of the keys."""
        return any(item.key in keys for item in self.items[kind])

    def named(self, before: str) -> list[float]:
        """Numbers that the facts write right after the word at the end of `before`: 藍牙5.3."""
        word = before[-2:]
        if not HAN.fullmatch(word) or word[1] in UNITS or word[1] in "組裝要賣":
            return []
        return [float(found[1]) for found in re.finditer(rf"{word} ?(\d{{1,6}}(?:\.\d)?)(?![\d.,])", self.everything)]

    def sizes(self, kind: Kind, key: str) -> list[float]:
        """Sizes of facts of a kind and dimension, in base units."""
        return [item.size for item in self.items[kind] if item.key == key]


@lru_cache(maxsize=64)
def index_of(facts: Facts) -> Index:
    """The index of facts; one text after the other is checked against the same facts."""
    return Index(facts)


def _clauses(shadow: str) -> Iterable[tuple[int, int]]:
    start = 0
    for match in BREAK.finditer(shadow):
        yield start, match.start()
        start = match.end()
    yield start, len(shadow)


def pairs_of(text: str) -> set[str]:
    """Pairs of neighbouring Chinese characters."""
    return {run[at : at + 2] for run in HAN.findall(text) for at in range(len(run) - 1)}


def _is_amount(word: str) -> bool:
    """Whether a word is only amounts, whose role then decides: 3年, 30ml×2入組."""
    taken = bytearray(len(word))
    left = list(word)
    for item in amounts(word, taken):
        if item.kind is Kind.MODEL:
            return False
        left[item.start : item.end] = [""] * (item.end - item.start)
    return not re.search("[a-z\u4e00-\u9fff]", re.sub(f"[{NUMERALS}入組裝約共每]", "", "".join(left)))
