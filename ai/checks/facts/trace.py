"""Whether the facts support an item: by role, with the sums that sellers make (折, 現省, n × content)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from ai.checks.facts.index import BREAK, HAN, Index, pairs_of
from ai.checks.facts.items import Item, Kind, Money
from ai.checks.facts.labels import PROMISING
from ai.checks.facts.numbers import NUMERALS, number_from, numbers
from ai.checks.facts.units import UNITS
from ai.checks.facts.words import SUBSTANCE

_TIMES = re.compile(rf"(\d{{1,2}}|[{NUMERALS}]{{1,2}})[件瓶盒入組包罐支條片個雙箱袋][^，。!?;\n\d]{{0,6}}$")
_COSTS = re.compile(r"[共只要一起合計特價優惠:， ]{0,6}(?:nt)?\$? ?")
_SAME_AS = re.compile("等於|相當|形同|平均")
_DAY = 24.0
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
    before = _before(item, shadow)
    times = _TIMES.search(before)
    n = next(numbers(times[1])).value if times else None
    multiples = [
        price * factor
        for price in index.prices
        for factor in [*(cost for _, cost in index.deals), *([n] if n and n > 1 else [])]
    ]
    money = index.money
    loose = [*money[Money.ANY], *money[Money.PRICE]]
    role = Money(item.role)
    if role is Money.LIST:
        return _near(item, index.list_prices, 0.5)
    if role is Money.SAVING:
        return _near(item, [*index.savings, *money[Money.SAVING], *loose], 0.5)
    if role in {Money.THRESHOLD, Money.VALUE}:
        return _near(item, [*money[role], *loose], 0.5)
    if _near(item, [*index.prices, *loose, *multiples], 0.5):
        return True
    if role is Money.UNIT:
        return _near(item, _unit_prices(item, index), 0.06 if item.value and item.value % 1 else 0.99)
    # An amount without a role that is stated plainly; 不到五百 speaks of the price.
    return (
        role is Money.ANY
        and item.low == item.high
        and _near(item, [*index.list_prices, *index.savings, *money[Money.SAVING]], 0.5)
    )


def _unit_prices(item: Item, index: Index) -> list[float]:
    """Prices of one piece, millilitre, gram or day."""
    unit = UNITS.get(item.each.lstrip("0123456789"))
    if unit and unit.dimension in {"volume", "mass"}:
        share = float(item.each[: -len(unit.name)] or 1) * unit.factor  # 每100ml
        totals = [size / share for size in _contents(unit.dimension, index)]
    elif unit and unit.name == "期":
        totals = index.sizes(Kind.COUNT, "期")
    elif unit and unit.dimension == "hours":
        totals = [*index.days, *(size / _DAY for size in index.sizes(Kind.DURATION, "hours"))]
    else:
        group = unit.group if unit else "*"
        totals = [count for count, known in index.pieces if _fits(group, known)]
    return [price / total for price in index.prices for total in totals if total]


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
    if item.key != "count":
        return _by_size(item, index, shadow)
    if any(item.takes(count) for count, group in index.counts if _fits(item.group, group)):
        return True
    # 2箱3,360元: who buys two pays twice the price.
    cost = number_from(shadow, item.end)
    if not cost or not _COSTS.fullmatch(shadow, item.end, cost.start):
        return False
    factors = [item.size, *(factor for pieces, factor in index.deals if pieces == item.size)]
    return cost.value in [price * factor for price in index.prices for factor in factors]


def _content(item: Item, index: Index, shadow: str) -> bool:
    one = index.sizes(Kind.CONTENT, item.key)
    if any(map(item.takes, one)):
        return _bound(item, index, shadow)
    if item.key not in {"volume", "mass", "抽"}:
        return False
    unit = UNITS.get(item.each)
    if item.each and not unit:
        return False  # 30ml×2 speaks of one piece
    counts = [
        count for count, group in index.pieces if not unit or (group not in {"*", unit.group} and unit.group != "*")
    ]
    return any(item.takes(size * count) for size in one for count in counts)


def _duration(item: Item, index: Index, shadow: str) -> bool:
    kinds = (Kind.DURATION,) if item.role else (Kind.DURATION, Kind.WARRANTY, Kind.SHELF_LIFE)
    known = [fact.size for kind in kinds for fact in index.items[kind] if fact.value]
    if item.kind is not Kind.DURATION:
        if item.value is None:
            return index.has(item.kind, item.key) or (item.key == "保固" and bool(index.items[item.kind]))
        known = [fact.size for fact in index.items[item.kind]]
    else:
        known += [days * _DAY for days in index.days] + [period.days * _DAY for period in index.periods]
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
    near = pairs_of(after[0].lstrip("的")) if after else set()
    clauses = [(pairs, inside) for pairs, dimensions, inside in index.clauses if item.key in dimensions]
    ours = [
        pairs for pairs, inside in clauses if any(fact.key == item.key and item.takes(fact.size) for fact in inside)
    ]
    others = [pairs for pairs, _ in clauses if pairs not in ours]
    return not near or any(near & pairs for pairs in ours) or not any(near & pairs for pairs in others)


def _by_size(item: Item, index: Index, shadow: str) -> bool:
    return any(map(item.takes, index.sizes(item.kind, item.key)))


def _sales(item: Item, index: Index, shadow: str) -> bool:
    counted = [count for count, group in index.counts if item.group and _fits(item.group, group)]
    return any(map(item.takes, [*index.sizes(Kind.SALES, "sold"), *counted]))


def _number(item: Item, index: Index, shadow: str) -> bool:
    if item.value is None:
        return shadow[item.start : item.end] in index.everything
    return any(map(item.takes, index.values)) or bool(item.each and _near(item, _unit_prices(item, index), 0.99))


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
        return bool(index.bundles)
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
    return index.has(item.kind, item.key)


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
