"""Brands, PMs and categories by their amounts, each compared with the earlier period."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.commands.figures.scope import Scope
from bot.texts import DOWN, NONE, UP, bold, change, escape, whole
from bot.words.names import LABELS, Name
from momo.core.formats import percent, percent_of
from momo.core.periods import Period
from sales.figures import Figures, dollars
from sales.selectors.lines import sums_by_key

MOVERS = 3  # brands that rose, and brands that fell
Sums = Mapping[str, Mapping[str, Figures]]


def sums(period: Period) -> Sums:
    """Figures of a period by dimension and key; the whole is the dimension `all`."""
    return sums_by_key(first=period.first, last=period.last)


def ranked(dimension: str, now: Sums, before: Sums, number: int) -> list[dict[str, Any]]:
    """The first keys of a dimension, the largest amount first, with the change from the earlier period."""
    then = before.get(dimension, {})
    all_of = now.get("all", {}).get("", Figures()).amount
    keys = sorted(now.get(dimension, {}).items(), key=lambda pair: (-pair[1].amount, pair[0]))
    return [
        {
            "rank": rank,
            "key": Name(dimension, key).shown,
            **one.as_dict(),
            "share": percent_of(one.amount, all_of),
            "change_percent": one.against(then.get(key, Figures()))["change_percent"],
        }
        for rank, (key, one) in enumerate(keys[:number], 1)
    ]


def line(item: Mapping[str, Any]) -> str:
    """`1. 蘭蔻 345,678（28%）▲12.5%`."""
    share = f"（{percent(item['share'], places=1)}）" if item["share"] is not None else ""
    rate = item["change_percent"]["amount"]
    return f"{item['rank']}. {escape(item['key'])} {bold(whole(item['amount']))}{share}{change(rate)}"


def rankings(scope: Scope, now: Sums, before: Sums, number: int) -> tuple[list[list[str]], dict[str, Any]]:
    """The first keys of each dimension: as lines below their heading, and as JSON."""
    top = {dimension: ranked(dimension, now, before, number) for dimension in LABELS}
    heading = f"（與{scope.compared[0][0]}比）"
    return [[LABELS[one] + heading, *map(line, items)] for one, items in top.items() if items], top


def movers(scope: Scope, now: Sums, before: Sums) -> list[str]:
    """The brands whose amounts rose and fell the most."""
    brands, then = now.get("brand", {}), before.get("brand", {})
    if not then:
        return []
    moved = {key: brands.get(key, Figures()).amount - then.get(key, Figures()).amount for key in {*brands, *then}}
    order = sorted(moved.items(), key=lambda pair: (-pair[1], pair[0]))
    rises = [pair for pair in order if pair[1] > 0][:MOVERS]
    falls = [pair for pair in order[::-1] if pair[1] < 0][:MOVERS]
    text = [f"變化最大的品牌（與{scope.compared[0][0]}比）"] if rises or falls else []
    for key, cents in rises + falls:
        base = then.get(key, Figures()).amount
        rate = change(percent_of(cents, abs(base))) if base else NONE
        text.append(
            f"{UP if cents > 0 else DOWN} {escape(Name('brand', key).shown)} {whole(dollars(abs(cents)))} 元（{rate}）"
        )
    return text
