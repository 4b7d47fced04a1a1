"""What is wrong with the sales of a day, and which days are to be checked. Reads only.

Figures of brands, PMs and categories are those of the totals; amounts of products those of the sums by month; margins
and costs of products come from the lines of at most COST_DAYS days.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from statistics import median

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from momo.core.days import each_day
from momo.core.thresholds import thresholds
from products.models import Product
from sales.figures import NAMELESS
from sales.models import Alarm, DayOwner, DayTotal
from sales.selectors.campaigns import campaign_days
from sales.selectors.summed import DIGEST, outdated_months

WEEKS, LEAST_WEEKS = 8, 4  # of equal weekdays that a day is compared with; with fewer nothing is expected
COST_DAYS, LEAST_COSTS = 28, 5  # days before, of which so many must have a cost
BEST_SELLERS = 50  # by their amount in the COST_DAYS days before the silence
SOLD_DAYS = 20  # of these days on which a best-seller sold
CHECKED_DAYS = 14  # days back; what is older is no news
SETTLED = timedelta(minutes=10)  # after the last import of a day: the next file may be on its way
FILE_HOUR = 12  # of the next day, until which a report is awaited
MOST = 100  # alarms of one kind and day, those with the largest amounts
DIMENSIONS = (Alarm.Dimension.BRAND, Alarm.Dimension.PM, Alarm.Dimension.CATEGORY)
HUNDRED = Decimal(100)
OPEN = Q(closed_at__isnull=True, acknowledged_at__isnull=True)

DUE = f"""
SELECT o.date, o.claims FROM (
    SELECT date, {DIGEST} AS claims, max(claim_id) AS newest FROM sales_dayowner
    WHERE date >= %(first)s AND date < %(today)s GROUP BY date
) AS o
LEFT JOIN sales_checkedday k USING (date)
JOIN sales_dayclaim c ON c.id = o.newest JOIN jobs_job j ON j.id = c.job_id
WHERE k.claims IS DISTINCT FROM o.claims AND (j.finished_at IS NULL OR j.finished_at <= %(settled)s)
ORDER BY o.date
"""  # noqa: S608 - a constant

# Products by day, from the arrays of their months.
PRODUCTS = """
SELECT product_code,
       coalesce(sum(amount) FILTER (WHERE date = %(day)s), 0),
       coalesce(array_agg(amount) FILTER (WHERE date = ANY(%(base)s)), '{}'),
       coalesce(sum(amount) FILTER (WHERE date BETWEEN %(before)s AND %(until)s), 0),
       count(*) FILTER (WHERE date BETWEEN %(before)s AND %(until)s AND quantity > 0),
       coalesce(sum(quantity) FILTER (WHERE date > %(until)s AND date <= %(day)s), 0)
FROM (
    SELECT p.product_code, p.month + (d.day - 1) AS date, d.quantity, d.amount
    FROM sales_productmonth p, unnest(p.days, p.quantities, p.amounts) AS d(day, quantity, amount)
    WHERE p.month BETWEEN date_trunc('month', %(first)s::date) AND %(day)s
) AS sold
GROUP BY product_code
"""

# Cost of one piece on the day beside the median of the days before, and the margin; of products with enough sales.
COSTS = """
WITH sold AS (
    SELECT l.product_code, l.date, sum(l.amount) AS amount, sum(l.gross_profit) AS profit,
           sum(l.amount) FILTER (WHERE l.gross_profit IS NOT NULL) AS base,
           sum(l.cost) / nullif(sum(l.quantity) FILTER (WHERE l.cost IS NOT NULL), 0) AS unit
    FROM sales_dayowner o
    JOIN sales_dayclaim c ON c.id = o.claim_id
    JOIN sales_salesline l ON l.date = o.date AND l.job_id = c.lines_job_id
    WHERE o.date BETWEEN %(first)s AND %(day)s
    GROUP BY 1, 2
), today AS (
    SELECT * FROM sold WHERE date = %(day)s AND amount >= %(least)s
)
SELECT t.product_code, t.amount, t.profit, t.base, t.unit, count(p.unit),
       percentile_cont(0.5) WITHIN GROUP (ORDER BY p.unit)
FROM today t LEFT JOIN sold p ON p.product_code = t.product_code AND p.date < %(day)s AND p.unit > 0
GROUP BY 1, 2, 3, 4, 5
"""


@dataclass(frozen=True)
class Finding:
    """What an `Alarm` says; `weight` (New Taiwan dollars) puts the more important one first."""

    kind: str
    dimension: str
    key: str
    value: Decimal | None = None
    expected: Decimal | None = None
    weight: Decimal = field(default=Decimal(0), compare=False)


def alarms() -> QuerySet[Alarm]:
    """All alarms, the newest day first."""
    return Alarm.objects.select_related("acknowledged_by")


def open_alarms() -> QuerySet[Alarm]:
    """Alarms whose cause is not gone and that nobody has acknowledged."""
    return Alarm.objects.filter(OPEN)


def days_to_check(now: datetime) -> list[tuple[date, str]]:
    """Days of which another version is in force than the one that was checked, with its digest, the oldest first.

    Not today, which is incomplete; not a day whose last import has just ended; and no day of a month whose sums by
    product are still to be made.
    """
    today = timezone.localdate(now)
    first = today - timedelta(days=CHECKED_DAYS)
    with connection.cursor() as cursor:
        cursor.execute(DUE, {"first": first, "today": today, "settled": now - SETTLED})
        due = cursor.fetchall()
    waiting = set(outdated_months()) if due else set()
    return [(day, claims) for day, claims in due if day.replace(day=1) not in waiting]


def days_without_report(now: datetime) -> set[date]:
    """Days between the first report and yesterday for which none came until FILE_HOUR of the next day."""
    local = timezone.localtime(now)
    last = local.date() - timedelta(days=1 if local.hour >= FILE_HOUR else 2)
    first = last - timedelta(days=CHECKED_DAYS - 1)
    owned = set(DayOwner.objects.filter(date__gte=first).values_list("date", flat=True))
    begun = DayOwner.objects.order_by("date").values_list("date", flat=True).first()
    if begun is None:
        return set()
    return {day for day in each_day(first, last) if begun < day and day not in owned}


def findings(day: date) -> list[Finding]:
    """What is wrong with the sales of `day`, at most MOST of a kind. Seven queries, however many lines there are."""
    base = _comparable(day)
    found = [*_amounts(day, base), *_margins(day), *_products(day, base), *_costs(day)]
    found.sort(key=lambda finding: -finding.weight)
    kept: dict[str, list[Finding]] = {}
    for finding in found:
        kept.setdefault(finding.kind, []).append(finding)
    return [finding for of_kind in kept.values() for finding in of_kind[:MOST]]


def names_of(found: Iterable[Finding]) -> dict[tuple[str, str], str]:
    """What users read for each dimension and key: a product's name, and NAMELESS for the empty key."""
    keys = {(finding.dimension, finding.key) for finding in found}
    codes = [key for dimension, key in keys if dimension == Alarm.Dimension.PRODUCT]
    known = dict(Product.objects.filter(product_id__in=codes).values_list("product_id", "name")) if codes else {}
    return {
        (dimension, key): known.get(key, key) if dimension == Alarm.Dimension.PRODUCT else key or NAMELESS
        for dimension, key in keys
    }


def _comparable(day: date) -> list[date]:
    """The same weekdays of the WEEKS weeks before that have a report and are in no campaign.

    Empty if the day itself is in a campaign, or if there are fewer than LEAST_WEEKS.
    """
    earlier = [day - timedelta(weeks=week) for week in range(1, WEEKS + 1)]
    busy = campaign_days(earlier[-1], day)
    if day in busy:
        return []
    owned = set(DayOwner.objects.filter(date__in=earlier).values_list("date", flat=True))
    base = sorted(owned - busy)
    return base if len(base) >= LEAST_WEEKS else []


def _is_off(value: Decimal, usual: Sequence[Decimal]) -> Decimal | None:
    """The median of `usual` if `value` is off: by ALARM_PERCENT, and by more than days usually differ.

    The second is twice the median deviation: what sells three to ten pieces a day is no alarm with two.
    """
    middle = Decimal(median(usual))
    if middle <= 0 or max(abs(value), middle) < thresholds.ALARM_MIN_AMOUNT:
        return None
    off = abs(value - middle)
    spread = Decimal(median(abs(each - middle) for each in usual))
    return middle if off * HUNDRED > middle * thresholds.ALARM_PERCENT and off > 2 * spread else None


def _amounts(day: date, base: Sequence[date]) -> Iterator[Finding]:
    """Brands, PMs and categories whose amount is off; one that sold nothing on a day has no row, and counts as 0."""
    if not base:
        return
    rows = DayTotal.objects.filter(date__in=[day, *base], dimension__in=DIMENSIONS)
    amounts: dict[tuple[str, str], dict[date, Decimal]] = {}
    for dimension, key, at, amount in rows.values_list("dimension", "key", "date", "amount"):
        amounts.setdefault((dimension, key), {})[at] = amount
    for (dimension, key), by_day in amounts.items():
        value = by_day.get(day, Decimal(0))
        usual = _is_off(value, [by_day.get(each, Decimal(0)) for each in base])
        if usual is not None:
            yield Finding(Alarm.Kind.AMOUNT, dimension, key, value, usual, abs(value - usual))


def _margins(day: date) -> Iterator[Finding]:
    rows = DayTotal.objects.filter(date=day, dimension__in=DIMENSIONS, margin_base__gte=thresholds.ALARM_MIN_AMOUNT)
    for dimension, key, profit, base in rows.values_list("dimension", "key", "gross_profit", "margin_base"):
        yield from _low_margin(dimension, key, profit, base)


def _low_margin(dimension: str, key: str, profit: Decimal | None, base: Decimal | None) -> Iterator[Finding]:
    if profit is None or not base or base <= 0:
        return
    margin, floor = profit * HUNDRED / base, Decimal(thresholds.ALARM_MARGIN_PERCENT)
    if margin < max(floor, Decimal(0)):
        yield Finding(Alarm.Kind.MARGIN, dimension, key, round(margin, 2), floor, base)


def _products(day: date, base: Sequence[date]) -> Iterator[Finding]:
    """Products whose amount is off, and best-sellers without sales for days that all have a report."""
    silent = thresholds.ALARM_SILENT_DAYS
    until = day - timedelta(days=silent)
    before = until - timedelta(days=COST_DAYS - 1)
    first = min([before, *base])
    with connection.cursor() as cursor:
        cursor.execute(PRODUCTS, {"day": day, "base": list(base), "before": before, "until": until, "first": first})
        rows = cursor.fetchall()
    for code, value, amounts, *_ in rows if base else ():
        usual = _is_off(value, [*amounts, *[Decimal(0)] * (len(base) - len(amounts))])
        if usual is not None:
            yield Finding(Alarm.Kind.AMOUNT, Alarm.Dimension.PRODUCT, code, value, usual, abs(value - usual))
    quiet = [until + timedelta(days=number) for number in range(1, silent + 1)]
    if not silent or DayOwner.objects.filter(date__in=quiet).values("date").distinct().count() < silent:
        return
    for code, _, _, amount, days, recent in sorted(rows, key=lambda row: -row[3])[:BEST_SELLERS]:
        usual = round(amount / COST_DAYS, 2)
        if days >= SOLD_DAYS and recent <= 0 and usual >= thresholds.ALARM_MIN_AMOUNT / HUNDRED:
            yield Finding(Alarm.Kind.SILENT, Alarm.Dimension.PRODUCT, code, Decimal(silent), usual, usual * silent)


def _costs(day: date) -> Iterator[Finding]:
    """Products whose margin is low, and those whose cost of one piece jumped."""
    first = day - timedelta(days=COST_DAYS)
    with connection.cursor() as cursor:
        cursor.execute(COSTS, {"day": day, "first": first, "least": thresholds.ALARM_MIN_AMOUNT})
        rows = cursor.fetchall()
    for code, amount, profit, base, unit, known, usual in rows:
        yield from _low_margin(Alarm.Dimension.PRODUCT, code, profit, base)
        if unit is None or unit <= 0 or known < LEAST_COSTS:
            continue
        middle = Decimal(usual)
        if abs(unit - middle) * HUNDRED > middle * thresholds.ALARM_COST_PERCENT:
            yield Finding(Alarm.Kind.COST, Alarm.Dimension.PRODUCT, code, round(unit, 2), round(middle, 2), amount)
