"""The calendar of sales in Taiwan: public holidays, and the days of campaigns by rule. Pure dates, no database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from holidays import country_holidays
from lunardate import LunarDate

LUNAR_YEARS = range(1901, 2100)  # what the tables of `lunardate` cover


@dataclass(frozen=True)
class Season:
    """One campaign of a year; `rule` is a kind of `Campaign`."""

    rule: str
    name: str
    first: date
    last: date
    warm_up_days: int


@dataclass(frozen=True)
class _Rule:
    name: str
    day: Callable[[int], date]  # of the year: what the campaign is about
    begins: int  # days before it
    ends: int  # days before it
    warm_up_days: int


def _fixed(month: int, day: int) -> Callable[[int], date]:
    return lambda year: date(year, month, day)


def _lunar(month: int, day: int) -> Callable[[int], date]:
    def of(year: int) -> date:
        found: date = LunarDate(year, month, day).to_solar_date()
        return found

    return of


def _mothers_day(year: int) -> date:
    """The second Sunday of May."""
    first = date(year, 5, 1)
    return first + timedelta(days=(6 - first.weekday()) % 7 + 7)


# Staff correct the days that momo announces; the rules only give them something to correct.
_RULES: dict[str, _Rule] = {
    "new_year": _Rule("年貨節", _lunar(1, 1), 28, 3, 7),
    "mothers_day": _Rule("母親節", _mothers_day, 20, 0, 7),
    "mid_year": _Rule("618", _fixed(6, 18), 17, 0, 7),
    "fathers_day": _Rule("父親節", _fixed(8, 8), 14, 0, 5),
    "ghost_festival": _Rule("中元", _lunar(7, 15), 14, 0, 5),
    "mid_autumn": _Rule("中秋", _lunar(8, 15), 20, 0, 5),
    "anniversary": _Rule("週年慶", _fixed(10, 18), 17, 0, 7),
    "double_11": _Rule("雙11", _fixed(11, 11), 10, 0, 7),
    "double_12": _Rule("雙12", _fixed(12, 12), 11, 0, 3),
}


def seasons(year: int) -> list[Season]:
    """The campaigns of `year` by rule; none outside of LUNAR_YEARS."""
    if year not in LUNAR_YEARS:
        return []
    found = []
    for rule, one in _RULES.items():
        day = one.day(year)
        first, last = day - timedelta(days=one.begins), day - timedelta(days=one.ends)
        found.append(Season(rule, f"{year} {one.name}", first, last, one.warm_up_days))
    return found


@lru_cache(maxsize=16)
def holidays_of(year: int) -> dict[date, str]:
    """Public holidays of Taiwan with their names in Chinese, days off in lieu included."""
    found = country_holidays("TW", years=year, language="zh_TW")
    return {day: name.replace("; ", "、") for day, name in sorted(found.items())}
