"""A campaign against the same campaign a year before, aligned by first day, and against the 28 days before it.

A campaign of all sales reads totals. One of some brands or products reads the lines of its days, at most MAX_LINES,
since totals have one dimension each and none of products.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple

from django.db import connection
from django.utils import timezone

from momo.core.days import each_day
from momo.core.errors import ValidationFailed
from sales.figures import NAMELESS, Figures, total
from sales.models import Campaign, DayTotal
from sales.selectors.campaigns import same_last_year
from sales.selectors.groups import GROUPS
from sales.selectors.lines import figures_by_day, sums_by_key

BASE_DAYS = 28
MAX_LINES = 1_500_000
NOW, THEN, BASE = "now", "then", "base"

LIMITED = """
SELECT name,
       CASE WHEN grouping(date) = 0 THEN 'day' WHEN grouping(brand) = 0 THEN 'brand' WHEN grouping(pm) = 0 THEN 'pm'
            ELSE 'category' END,
       coalesce(date::text, brand, pm, category, ''),
       count(*), sum(quantity)::bigint, (sum(amount) * 100)::bigint, (sum(cost) * 100)::bigint,
       (sum(gross_profit) * 100)::bigint, (sum(amount) FILTER (WHERE gross_profit IS NOT NULL) * 100)::bigint
FROM (
    SELECT w.name, l.date, l.brand, l.pm, l.category, l.quantity, l.amount, l.cost, l.gross_profit
    FROM unnest(%(names)s::text[], %(firsts)s::date[], %(lasts)s::date[]) AS w(name, first, last)
    JOIN sales_dayowner o ON o.date BETWEEN w.first AND w.last
    JOIN sales_dayclaim c ON c.id = o.claim_id
    JOIN sales_salesline l ON l.date = o.date AND l.job_id = c.lines_job_id
    WHERE l.brand = ANY(%(brands)s) OR l.product_code = ANY(%(products)s)
) AS chosen
GROUP BY GROUPING SETS ((name, date), (name, brand), (name, pm), (name, category))
"""


class Window(NamedTuple):
    """Days from `first` to `last`, both included; none if `last` is before `first`."""

    first: date
    last: date

    @property
    def days(self) -> list[date]:
        return each_day(self.first, self.last)


@dataclass(frozen=True)
class ReportDay:
    """A day of a campaign: `number` 1 is the first day, 0 and less are the warm-up.

    `now` and `then` are None for days without data, `then` also without a campaign a year before. The sums run from day
    1 over the days with data; None during the warm-up and after the last day with data.
    """

    number: int
    date: dt.date
    now: Figures | None
    now_sum: Figures | None
    then_date: dt.date | None
    then: Figures | None
    then_sum: Figures | None


@dataclass(frozen=True)
class Compared:
    """One key, or the whole, over the days of the campaign so far; `base` is the sum of the 28 days before."""

    key: str
    label: str
    now: Figures
    then: Figures | None
    base: Figures


@dataclass(frozen=True)
class CampaignReport:
    """The figures of a campaign until `until`, its last day with data; `elapsed` days of it, without the warm-up.

    `base_days` are those of the 28 days before the warm-up that have data. `groups` are by dimension, the largest
    amount first.
    """

    campaign: Campaign
    last_year: Campaign | None
    until: date | None
    elapsed: int
    base: Window
    base_days: int
    days: tuple[ReportDay, ...]
    whole: Compared
    groups: dict[str, list[Compared]]

    def base_per_day(self, cents: int | None) -> int | None:
        """A sum of the 28 days as cents a day; None if it is unknown or no day has data."""
        return None if cents is None or not self.base_days else round(cents / self.base_days)


@dataclass
class _Sales:
    """What is sold of a campaign: by day, and by window, dimension and key. `known` are the days with any data."""

    known: set[date]
    days: dict[date, Figures]
    groups: dict[str, dict[str, dict[str, Figures]]]

    def of(self, day: date | None) -> Figures | None:
        return self.days.get(day, Figures()) if day in self.known else None


def campaign_report(campaign: Campaign, today: date | None = None) -> CampaignReport:
    """The report of a campaign with the sales until `today`, by default the present day. A fixed number of queries.

    Raises ValidationFailed for a campaign of some brands or products whose days have more than MAX_LINES lines.
    """
    today = today or timezone.localdate()
    before = same_last_year(campaign)
    base = Window(campaign.begins - timedelta(days=BASE_DAYS), campaign.begins - timedelta(days=1))
    apart = before.first - campaign.first if before else None
    whole = DayTotal.objects.filter(dimension=DayTotal.Dimension.ALL)
    shown = Window(campaign.begins, min(campaign.last, today))
    shifted = _shift(Window(campaign.begins, campaign.last), apart) if apart else None
    days = [day for window in (base, shown, shifted) if window for day in window.days]
    figures = figures_by_day(whole.filter(date__in=days))
    until = max((day for day in shown.days if day in figures), default=None)
    so_far = Window(campaign.first, until or campaign.first - timedelta(days=1))
    windows = {NOW: so_far, BASE: base}
    if apart:
        windows[THEN] = _shift(so_far, apart)
    if campaign.is_limited:
        _check_lines(sum(one.lines for one in figures.values()))
        # The days that no window has: the warm-up, here and a year before, and the days of that year still to come.
        others = [Window(campaign.begins, campaign.first - timedelta(days=1))]
        if apart:
            ahead = Window(so_far.last + timedelta(days=1), campaign.last)
            others += [_shift(others[0], apart), _shift(ahead, apart)]
        sales = _limited(campaign, [*windows.items(), *(("", window) for window in others)], set(figures))
    else:
        groups = {name: sums_by_key(first=window.first, last=window.last) for name, window in windows.items()}
        sales = _Sales(set(figures), figures, groups)
    return CampaignReport(
        campaign=campaign,
        last_year=before,
        until=until,
        elapsed=max(len(so_far.days), 0),
        base=base,
        base_days=len(sales.known & set(base.days)),
        days=_days(campaign, apart, until, sales),
        whole=Compared(
            "",
            "合計",
            total(sales.of(day) or Figures() for day in so_far.days),
            total(sales.of(day) or Figures() for day in windows[THEN].days) if apart else None,
            total(sales.of(day) or Figures() for day in base.days),
        ),
        groups={dimension.value: _compared(dimension.value, sales, bool(apart)) for dimension in GROUPS.values()},
    )


def _check_lines(lines: int) -> None:
    if lines > MAX_LINES:
        raise ValidationFailed(
            f"這個檔期限定了品牌或商品，要讀 {lines:,} 列明細，超過上限 {MAX_LINES:,} 列；"
            "請縮短檔期，或不限定品牌與商品。"
        )


def _shift(window: Window, apart: timedelta) -> Window:
    return Window(window.first + apart, window.last + apart)


def _days(campaign: Campaign, apart: timedelta | None, until: date | None, sales: _Sales) -> tuple[ReportDay, ...]:
    made = []
    now_sum = then_sum = Figures()
    for day in Window(campaign.begins, campaign.last).days:
        number = (day - campaign.first).days + 1
        then_date = day + apart if apart else None
        counts = until is not None and day <= until
        now, then = (sales.of(day) if counts else None), sales.of(then_date)
        if number > 0:
            now_sum, then_sum = now_sum + (now or Figures()), then_sum + (then or Figures())
        running = number > 0 and counts
        made.append(
            ReportDay(
                number,
                day,
                now,
                now_sum if running else None,
                then_date,
                then,
                then_sum if running and apart else None,
            )
        )
    return tuple(made)


def _compared(dimension: str, sales: _Sales, has_then: bool) -> list[Compared]:
    now, then, base = (sales.groups.get(name, {}).get(dimension, {}) for name in (NOW, THEN, BASE))
    found = [
        Compared(
            key,
            key or NAMELESS,
            now.get(key, Figures()),
            then.get(key, Figures()) if has_then else None,
            base.get(key, Figures()),
        )
        for key in now.keys() | then.keys()
    ]
    return sorted(found, key=lambda one: (-one.now.amount, -(one.then.amount if one.then else 0), one.key))


def _limited(campaign: Campaign, windows: list[tuple[str, Window]], known: set[date]) -> _Sales:
    """Sales of the campaign's brands or products in windows with their names."""
    values: dict[str, Any] = {
        "names": [name for name, _ in windows],
        "firsts": [window.first for _, window in windows],
        "lasts": [window.last for _, window in windows],
        "brands": campaign.brands,
        "products": campaign.products,
    }
    days: dict[date, Figures] = {}
    groups: dict[str, dict[str, dict[str, Figures]]] = defaultdict(lambda: defaultdict(dict))
    with connection.cursor() as cursor:
        cursor.execute(LIMITED, values)
        for name, dimension, key, *figures in cursor.fetchall():
            if dimension == "day":
                days[date.fromisoformat(key)] = Figures(*figures)
            else:
                groups[name][dimension][key] = Figures(*figures)
    return _Sales(known, days, groups)
