"""Whether the facts support an item: by role, with the sums that sellers make (折, 現省, n × content)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from ai.checks.facts.index import BREAK, HAN, Index, pairs_of
from ai.checks.facts.items import Item, Kind, Money
from ai.checks.facts.labels import PROMISING
from ai.checks.facts.numbers import NUMERALS, number_from, numbers
from ai.checks.facts.units import UNITS
from ai.checks.facts.words import SUBSTANCE

_TIMES = re.compile(rf"(\d{{1,2}}|[{NUMERALS}]{{1,2}})[件瓶盒入組包罐支條片個雙箱袋]")
_COSTS = re.compile(r"[共只要一起合計特價優惠:， ]{0,6}(?:nt)?\$? ?")
_SAME_AS = re.compile("等於|相當|形同|平均")
# 一盒共180克, 一次擁有100ml: of all pieces.
_TOTAL = re.compile("共|總|合計|加起來|一次(?:擁|帶|入|到)|等於")
# Groups of what holds no other pieces: 每粒 is one.
_SMALLEST = {UNITS[name].group for name in ["粒", "片"]}
_DAILY = re.compile("[每一][天日]")
_ALL = re.compile("皆|都|均")
_OFF = re.compile("[折抵減]")
_COLOURS = re.compile("色|[種款]顏?色")
_DAY = 24.0
_OF = re.compile("([\u4e00-\u9fff]{2,6}?)(?:濃度|含量|比例|占比)?[:為達高約有]{0,2}$")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def supported(item: Item, index: Index, shadow: str) -> bool:
    """Whether the facts support an item of a text with this shadow."""
    if item.role == "soft" and not index.sizes(item.kind, item.key):
        return True
    return _SUPPORT.get(item.kind, _by_size)(item, index, shadow)


def rights(item: Item, index: Index) -> list[float]:
    """What the facts say in the place of an amount, in base units."""
    if item.key == "money":
        return {
            Money.LIST: index.list_prices, Money.SAVING: index.savings, Money.THRESHOLD: index.money[Money.THRESHOLD],
            Money.UNIT: [], Money.VALUE: index.money[Money.VALUE],
        }.get(Money(item.role), index.prices)  # fmt: skip
    if item.kind is Kind.NUMBER:
        return []
    if item.key == "left":
        return [round(ratio, 2) for ratio in index.ratios]
    facts = [fact for fact in index.items[item.kind] if fact.key == item.key]
    if item.key == "count":
        same = [fact for fact in facts if fact.group == item.group]
        facts = same or [fact for fact in facts if "*" in (fact.group, item.group)]
    return sorted({fact.size for fact in facts})


def _money(item: Item, index: Index, shadow: str) -> bool:
    money, role = index.money, Money(item.role)
    loose = [*money[Money.ANY], *money[Money.PRICE]]
    if role is Money.LIST:
        return _near(item, index.list_prices, 0.5)
    if role is Money.SAVING:
        shared = [saved / count for saved in index.savings for count, _ in index.pieces] if item.each else []
        return _near(item, [*index.savings, *money[Money.SAVING], *loose, *shared], 0.5)
    if role in {Money.THRESHOLD, Money.VALUE}:
        return _near(item, [*money[role], *loose], 0.5)
    if _near(item, [*index.prices, *loose], 0.5) or _near(item, _together(item, index, shadow), 0.5):
        return True
    if role is Money.UNIT:
        cents = bool(item.value and item.value % 1)
        return _near(item, _unit_prices(item, index, index.prices), 0.06 if cents else 0.99) or _near(
            item, _unit_prices(item, index, _deals(index)), 0.06 if cents else 0.5
        )
    # An amount without a role that is stated plainly; 不到五百 speaks of the price.
    return (
        role is Money.ANY
        and item.low == item.high
        and _near(item, [*index.list_prices, *index.savings, *money[Money.SAVING]], 0.5)
    )


def _together(item: Item, index: Index, shadow: str) -> list[float]:
    """What several pieces cost, what the second one does, and what is left after a saving that the text names."""
    counts = [next(numbers(found[1])).value or 0 for found in _TIMES.finditer(_before(item, shadow))]
    factors = [*(cost for _, cost in index.deals), *counts]
    costs = [price * factor for price in index.prices for factor in factors if factor > 1]
    if _OFF.search(shadow, max(0, item.start - 24), item.start):  # 再折500，只要6,490元
        off = [saving.size for saving in index.items[Kind.SAVING] if saving.role == Money.SAVING]
        costs += [cost - saved for cost in [*index.prices, *costs] for saved in off]
    return [*costs, *(price * left for price in index.prices for left in index.nths)]


def _deals(index: Index) -> list[float]:
    """What one costs of several that are bought together."""
    return [price * cost / count for price in index.prices for count, cost in index.deals if count]


def _unit_prices(item: Item, index: Index, prices: list[float]) -> list[float]:
    """Prices of one piece, millilitre, gram or day, where the goods cost one of `prices`."""
    unit = UNITS.get(item.each.lstrip("0123456789"))
    if unit and unit.dimension in {"volume", "mass", "storage", "抽"}:
        share = float(item.each[: -len(unit.name)] or 1) * unit.factor  # 每100ml
        totals = [size / share for size in _contents(unit.dimension, index)]
    elif unit and unit.dimension == "repeats":  # a bottle for 60次, or each piece for so many
        times = index.sizes(Kind.COUNT, "repeats")
        totals = [*times, *(time * count for time in times for count, _ in index.pieces)]
    elif unit and unit.name == "期":
        totals = index.sizes(Kind.COUNT, "期")
    elif unit and unit.dimension in {"hours", "months"}:
        days = unit.factor * 30 if unit.dimension == "months" else unit.factor / _DAY
        totals = [day / days for day in [*index.days, *(size / _DAY for size in index.sizes(Kind.DURATION, "hours"))]]
    else:
        group = unit.group if unit else "*"
        pieces = [*index.pieces, *index.gifts]
        # 50包, and a text that says 杯: one for each.
        totals = [count for count, known in pieces if _fits(group, known)] or [count for count, _ in pieces]
    whole = prices if prices is not index.prices else []
    return [*whole, *(price / total for price in prices for total in totals if total)]


def _contents(dimension: str, index: Index) -> list[float]:
    """Content of one piece, and of all of them."""
    one = index.sizes(Kind.CONTENT, dimension)
    return [*one, *(size * count for size in one for count, _ in index.pieces)]


def _fits(group: str, other: str) -> bool:
    return group == other or "*" in (group, other)


def _near(item: Item, facts: Iterable[float], slack: float) -> bool:
    """Whether a fact makes it true; amounts that are stated plainly may be rounded."""
    exact = item.low == item.high
    return any(abs(fact - item.low) <= slack if exact else item.takes(fact) for fact in facts)


def _discount(item: Item, index: Index, shadow: str) -> bool:
    if item.role == "nth":
        return True  # 第2件6折 is an item of its own
    known = [fact.size for fact in index.items[Kind.DISCOUNT] if fact.role != "nth"]
    if _SAME_AS.search(_before(item, shadow)):
        known += [1 / share for share in index.bundles]
    exact = item.low == item.high
    return any(abs(ratio - item.low) < 0.0099 if exact else item.takes(ratio) for ratio in index.ratios) or any(
        item.takes(ratio) for ratio in known
    )


def _count(item: Item, index: Index, shadow: str) -> bool:
    # 8色, 八種顏色 and 8款顏色 are the same.
    if _COLOURS.match(shadow, item.end - 1) and any(
        item.takes(size) for key in "色種" for size in index.sizes(Kind.COUNT, key)
    ):
        return True
    if item.key != "count":
        return _by_size(item, index, shadow)
    if any(item.takes(count) for count, group in index.counts if _fits(item.group, group)):
        return True
    before = _before(item, shadow)
    several = _TOTAL.search(before) or any(next(numbers(found[1])).value != 1 for found in _TIMES.finditer(before))
    if several and any(item.takes(count) for count, group in index.products if _fits(item.group, group)):
        return True
    if before.endswith("充") and any(map(item.takes, index.sizes(Kind.CONTENT, "孔"))):
        return True  # 三孔, 一次充三台
    # 2箱3,360元: who buys two pays twice the price.
    cost = number_from(shadow, item.end)
    if not cost or cost.value is None or not _COSTS.fullmatch(shadow, item.end, cost.start):
        return False
    factors = [item.size, *(factor for pieces, factor in index.deals if pieces == item.size)]
    return any(abs(cost.value - price * factor) < 1 for price in index.prices for factor in factors)


def _content(item: Item, index: Index, shadow: str) -> bool:
    one = index.sizes(Kind.CONTENT, item.key)
    if any(map(item.takes, one)):
        return _bound(item, index, shadow)
    if item.key == "storage":  # 1TB are 1,024GB, or 1,000
        short = [fact.value for fact in index.items[Kind.CONTENT] if fact.key == "mass"]  # 16G
        return item.value in short or any(0.97 < item.size / size < 1.03 for size in one if size)
    if item.key not in {"volume", "mass", "抽"}:
        return False
    unit = UNITS.get(item.each)
    if item.each and not unit:
        return False  # 30ml×2 speaks of one piece
    total = _TOTAL.search(_before(item, shadow))
    pieces = [*index.pieces, *index.gifts] if total else index.pieces
    counts = [
        count
        for count, group in pieces
        if not unit or total or (unit.group not in _SMALLEST and group not in {"*", unit.group} and unit.group != "*")
    ]
    if _DAILY.search(_before(item, shadow)):
        counts += index.doses
    if item.each in {"雙", "對"}:
        counts.append(2.0)
    return any(item.takes(size * count) for size in one for count in counts)


def _duration(item: Item, index: Index, shadow: str) -> bool:
    kinds = (Kind.DURATION,) if item.role else (Kind.DURATION, Kind.WARRANTY, Kind.SHELF_LIFE)
    known = [fact.size for kind in kinds for fact in index.items[kind] if fact.value]
    if item.kind is not Kind.DURATION:
        if item.value is None:
            known_keys = item.key in index.everything or (item.key == "保固" and bool(index.items[item.kind]))
            return known_keys or index.has(item.kind, item.key)
        known = [fact.size for fact in index.items[item.kind]]
        if _ALL.search(_before(item, shadow)):  # 主機、電池皆2年
            return all(map(item.takes, known)) and bool(known)
    else:
        hourly = shadow[item.start : item.end].endswith(("時", "頭", "分鐘", "秒", "h", "hr"))
        known += [] if hourly else [days * _DAY for days in index.days]
        known += [period.days * _DAY for period in index.periods]
    # A year is 365 days or 12 months of 30.
    return any(item.takes(size) or (size > 8_000 and abs(size - item.low) < 0.015 * size) for size in known)


def _percent(item: Item, index: Index, shadow: str) -> bool:
    if any(map(item.takes, index.sizes(Kind.PERCENT, item.key))):
        return _bound(item, index, shadow)
    after = HAN.match(shadow, item.end)
    pure = item.key == "percent" and item.value == 100 and after and after[0][:2]
    return bool(pure and pure[0] in "純全真" and pure in index.everything)


def _bound(item: Item, index: Index, shadow: str) -> bool:
    """Whether an amount stands with the words it has in the facts: 10%菸鹼醯胺 does not support 10%玻尿酸."""
    after = HAN.match(shadow, item.end, item.end + 6)
    near = pairs_of(after[0].lstrip("的")) if after else _named_before(item, shadow)
    clauses = [(pairs, inside) for pairs, dimensions, inside in index.clauses if item.key in dimensions]
    ours = [
        pairs for pairs, inside in clauses if any(fact.key == item.key and item.takes(fact.size) for fact in inside)
    ]
    others = [pairs for pairs, _ in clauses if pairs not in ours]
    return not near or any(near & pairs for pairs in ours) or not any(near & pairs for pairs in others)


def _named_before(item: Item, shadow: str) -> set[str]:
    """Pairs of the word before an amount that nothing follows: 玻尿酸濃度2%."""
    found = _OF.search(shadow, max(0, item.start - 12), item.start)
    return pairs_of(found[1]) if found else set()


def _by_size(item: Item, index: Index, shadow: str) -> bool:
    return any(map(item.takes, index.sizes(item.kind, item.key)))


def _sales(item: Item, index: Index, shadow: str) -> bool:
    if item.value is None:
        return item.key in index.everything
    counted = [count for count, group in index.counts if item.group and _fits(item.group, group)]
    return any(map(item.takes, [*index.sizes(Kind.SALES, "sold"), *counted]))


def _number(item: Item, index: Index, shadow: str) -> bool:
    if item.value is None:
        return shadow[item.start : item.end] in index.everything
    if item.value < 100 and (named := index.named(shadow[: item.start])) and not any(map(item.takes, named)):
        return False  # 藍牙5.0 beside the fact 藍牙5.3
    if any(map(item.takes, index.values)) or shadow.startswith("+1", item.start - 1):
        return True
    return item.value >= 10 and _money(replace(item, role=Money.UNIT if item.each else Money.ANY), index, shadow)


def _model(item: Item, index: Index, shadow: str) -> bool:
    if item.value is not None:
        return _by_size(item, index, shadow)
    known = [fact.role for fact in index.items[Kind.MODEL] if fact.value is None and fact.key == item.key]
    if not known:
        return item.key not in PROMISING
    # S8Pro and S8 Pro are the same; 5G and 6G are not.
    number = item.role.rstrip(_LETTERS)
    return any(item.role in {role, number} or role == number for role in known if role.rstrip(_LETTERS) == number)


def _date(item: Item, index: Index, shadow: str) -> bool:
    year, month, day = (int(part or 0) for part in item.key.split("/"))
    known = [tuple(int(part or 0) for part in fact.key.split("/")) for fact in index.items[Kind.DATE]]
    known += [(edge.year, edge.month, edge.day) for period in index.facts.periods for edge in period if edge]
    if not month and any(fact.size == year for fact in index.items[Kind.NUMBER]):
        return True
    return any(
        year in {0, then} or not then
        if not month
        else (year in {0, then} or not then) and month == at and day in {0, on}
        for then, at, on in known
        if then or month
    )


def _promotion(item: Item, index: Index, shadow: str) -> bool:
    if index.has(Kind.PROMOTION, item.key):
        return True
    if item.key == "限時":
        return any(ends for _, ends in index.facts.periods)
    if item.key == "贈品":
        gift = HAN.match(shadow, max(shadow.rfind("送", item.start, item.end), item.end - 2) + 1, item.end + 3)
        return any(pair in index.everything for pair in pairs_of(gift[0])) if gift else bool(index.bundles)
    if match := re.match(r"雙(\d\d)", item.key):
        month, day = int(match[1]), int(match[1])
        return any(
            starts and ends and (starts.month, starts.day) <= (month, day) <= (ends.month, ends.day)
            for starts, ends in index.facts.periods
        )
    return False


def _origin(item: Item, index: Index, shadow: str) -> bool:
    facts = index.items[Kind.ORIGIN]
    made = {fact.key for fact in facts if fact.role == "made"}
    if item.key == "進口":
        return index.has(Kind.ORIGIN, "進口") or bool(made and "台灣" not in made)
    if item.role == "made" and made:
        return item.key in made
    return any(fact.key == item.key for fact in facts) or item.key in index.everything


def _certification(item: Item, index: Index, shadow: str) -> bool:
    known = {fact.key for fact in index.items[Kind.CERTIFICATION]}
    if not item.key:
        return bool(known)
    return (
        item.key in known
        or item.key in index.everything
        or (item.key == "iso" and any(key.startswith("iso") for key in known))
    )


def _award(item: Item, index: Index, shadow: str) -> bool:
    known = index.items[item.kind]
    if item.role:  # 米其林一星
        return item.role in index.everything
    return bool(known) if not item.key else index.has(item.kind, item.key)


def _rank(item: Item, index: Index, shadow: str) -> bool:
    if item.role and item.role not in index.everything:
        return False
    return bool(index.items[Kind.RANK]) if item.key == "榜" else index.has(Kind.RANK, item.key)


def _negative(item: Item, index: Index, shadow: str) -> bool:
    known = index.items[Kind.NEGATIVE]
    if any(fact.key and item.key and (fact.key in item.key or item.key in fact.key) for fact in known):
        return True
    if SUBSTANCE.search(item.key) and item.key != "添加":
        return False
    return any(fact.role for fact in known) if item.role else bool(item.key and item.key in index.everything and known)


def _same_key(item: Item, index: Index, shadow: str) -> bool:
    return index.has(item.kind, item.key) and item.role in index.everything


def _before(item: Item, shadow: str) -> str:
    window = shadow[max(0, item.start - 14) : item.start]
    return BREAK.split(window)[-1]


_SUPPORT: dict[Kind, Callable[[Item, Index, str], bool]] = {
    **dict.fromkeys((Kind.PRICE, Kind.SAVING), _money),
    **dict.fromkeys((Kind.DURATION, Kind.WARRANTY, Kind.SHELF_LIFE), _duration),
    **dict.fromkeys((Kind.AWARD, Kind.PATENT), _award),
    Kind.DISCOUNT: _discount,
    Kind.COUNT: _count,
    Kind.CONTENT: _content,
    Kind.PERCENT: _percent,
    Kind.SALES: _sales,
    Kind.NUMBER: _number,
    Kind.MODEL: _model,
    Kind.DATE: _date,
    Kind.PROMOTION: _promotion,
    Kind.ORIGIN: _origin,
    Kind.CERTIFICATION: _certification,
    Kind.ENDORSEMENT: _same_key,
    Kind.RANK: _rank,
    Kind.NEGATIVE: _negative,
}
