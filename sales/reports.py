"""Sections of reports about sales. Their figures are those of the selectors of pages, API and bot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from momo.admin.kit.figures import Column, FigureTable
from momo.admin.kit.sections import Filters, Section, register
from momo.core.days import each_day
from momo.core.formats import percent_of
from momo.core.periods import Period, day_label, month_of
from sales.addresses import address_of_lines
from sales.figures import NAMELESS, OTHERS, Figures, exact_dollars, total
from sales.models import DayTotal
from sales.selectors.days import days_without_data
from sales.selectors.filtered import Names, days_of, sums_of, whole_of
from sales.selectors.lines import latest_date
from sales.selectors.targets import SHAPES, Attained, attainment

KEYS = 15  # of a dimension; the others are one row
MOVERS = 5  # brands that rose, and brands that fell
CHART_DAYS = 14  # up to the day of a daily report
MISSING_DAYS = 30  # up to the end of the period
FIGURES = (
    Column("amount", "業績", "money"),
    Column("change", "增減", "change"),
    Column("rate", "增減率", "rate"),
    Column("profit", "毛利", "money"),
    Column("margin", "毛利率", "percent"),
    Column("quantity", "銷量", "number"),
)


def summary(period: Period, filters: Filters) -> FigureTable:
    """The period beside the earlier ones, and for a day also the month to date."""
    last = _last(period)
    spans = [period] if period.kind != "day" else [period, month_of(last)]
    rows: list[dict[str, Any]] = []
    for span in spans:
        label = "本月累計" if span is not period else "本期"
        now = _whole(span.until(last), filters)
        rows.append(_row(label, span.until(last), now, filters))
        for than, earlier in span.compared(last):
            then = _whole(earlier, filters)
            rows.append(_row(than, earlier, then, filters) | _change(now, then, filters))
    return FigureTable(
        "sales_summary",
        "銷售概況",
        (Column("name", "期間"), Column("days", "日期"), *FIGURES),
        rows,
        chart=_chart(period, last, filters),
        note=f"增減與增減率是本期（或本月累計）與該期間相比。{_left_out(period, last)}",
        facts=_facts(period, last),
    )


def by_key(dimension: str, period: Period, filters: Filters) -> FigureTable:
    """The keys of a dimension with the largest amounts, compared with the earlier period."""
    last = _last(period)
    (than, earlier), _ = period.compared(last)
    span = period.until(last)
    now, then = (_keys(dimension, one, filters) for one in (span, earlier))
    whole, before = total(now.values()), total(then.values())
    keys = sorted(now.items(), key=lambda pair: (-pair[1].amount, pair[0]))
    shown, others = keys[:KEYS], keys[KEYS:]

    def line(name: str, one: Figures, old: Figures, **more: Any) -> dict[str, Any]:
        share = _percent(percent_of(one.amount, whole.amount))
        return {"name": name, **_figures(one), **_moved(one, old), "share": share, **more}

    rows = [
        line(
            key or NAMELESS,
            one,
            then.get(key, Figures()),
            name_url=address_of_lines(span.first, span.last, **{dimension: key}),
        )
        for key, one in shown
    ]
    if others:
        known = {key for key, _ in shown}
        rows.append(
            line(
                OTHERS,
                total(one for _, one in others),
                total(one for key, one in then.items() if key not in known),
            )
        )
    amount, *figures = FIGURES
    label = DayTotal.Dimension(dimension).label
    return FigureTable(
        f"sales_by_{dimension}",
        f"依{label}" if dimension != "pm" else "依 PM",
        (Column("name", label), amount, Column("share", "占比", "percent"), *figures),
        rows,
        chart=_bars([(row["name"], row["amount"]) for row in rows if row["amount"] > 0]),
        totals=line("合計", whole, before) if rows else None,
        note=f"增減與增減率是與{than}相比。{_left_out(period, last)}",
        facts=_facts(period, last),
    )


def movers(period: Period, filters: Filters) -> FigureTable:
    """The brands whose amounts rose and fell the most."""
    last = _last(period)
    (than, earlier), _ = period.compared(last)
    span = period.until(last)
    now, then = (_keys("brand", one, filters) for one in (span, earlier))
    keys = {*now, *then} if now and then else ()
    moved = {key: now.get(key, Figures()).amount - then.get(key, Figures()).amount for key in keys}
    order = sorted(moved, key=lambda key: (-moved[key], key))
    rises = [key for key in order if moved[key] > 0][:MOVERS]
    falls = [key for key in order[::-1] if moved[key] < 0][:MOVERS]
    rows = []
    for key in rises + falls:
        one, old = now.get(key, Figures()), then.get(key, Figures())
        link = address_of_lines(span.first, span.last, brand=key)
        rows.append({"name": key or NAMELESS, "name_url": link, **_moved(one, old)})
        rows[-1] |= {"amount": exact_dollars(one.amount), "before": exact_dollars(old.amount)}
    return FigureTable(
        "sales_movers",
        "變化最大的品牌",
        (
            Column("name", "品牌"),
            Column("change", "增減", "change"),
            Column("rate", "增減率", "rate"),
            Column("amount", "業績", "money"),
            Column("before", f"業績（{than}）", "money"),
        ),
        rows,
        note=f"與{than}相比，漲跌各最多 {MOVERS} 個品牌。{_left_out(period, last)}",
        facts=_facts(period, last),
    )


def targets(period: Period, filters: Filters) -> FigureTable:
    """The month's targets up to the end of the period: of all sales and each PM, or of the names of the filters."""
    last = _last(period)
    chosen: list[tuple[str, Any]] = [(dimension, names) for dimension, names in _names(filters).items() if names]
    found = [attainment(last, dimension, names, today=last) for dimension, names in chosen or [("pm", None)]]
    lines = [] if chosen else [found[0].whole]
    lines += [one for each in found for one in each.rows if one.amount.target is not None][:KEYS]
    return FigureTable(
        "sales_targets",
        "目標達成",
        (
            Column("name", "名稱"),
            Column("actual", "業績", "money"),
            Column("rate", "達成率", "percent"),
            Column("ahead", "與應達成相比", "change"),
            Column("target", "目標", "money"),
            Column("projected", "推估月底", "money"),
            Column("needed", "每天還需", "money"),
        ),
        [_target(one) for one in lines if one.amount.target is not None],
        note=f"{month_of(last).label}到 {day_label(last)}，{SHAPES[found[0].shape]}。",
        facts=_facts(month_of(last), last),
    )


def missing_days(period: Period, filters: Filters) -> FigureTable:
    """Days that no report brought, in the period and in the last days up to its end."""
    first = min(period.first, period.last - timedelta(days=MISSING_DAYS - 1))
    return FigureTable(
        "sales_missing_days",
        "沒有資料的日子",
        (Column("date", "日期", "date"),),
        [{"date": day} for day in days_without_data(first=first, last=period.last)],
        note=f"{day_label(first)}到{day_label(period.last)}之間沒有匯入銷售日報的日子，不受報表的條件影響。",
        facts=_facts(period, period.last),
    )


def not_arrived(period: Period) -> Sequence[str]:
    """What to wait for: the report of the last day of the period."""
    known = DayTotal.objects.filter(dimension=DayTotal.Dimension.ALL, key="", date=period.last).exists()
    return () if known else (f"{day_label(period.last)}的銷售日報還沒有匯入",)


def _last(period: Period) -> date:
    """The last day of the period that counts: data of a period that goes on, or came in part, end before its end."""
    latest = latest_date()
    return period.last if latest is None or latest < period.first else min(period.last, latest)


def _names(filters: Filters) -> Names:
    return {"pm": filters.pms, "brand": filters.brands, "category": filters.categories}


def _whole(span: Period, filters: Filters) -> Figures:
    return whole_of(first=span.first, last=span.last, names=_names(filters))


def _keys(dimension: str, span: Period, filters: Filters) -> dict[str, Figures]:
    return sums_of(dimension, first=span.first, last=span.last, names=_names(filters))


def _facts(period: Period, last: date) -> tuple[tuple[str, str], ...]:
    so_far = f"（資料到 {day_label(last)}）" if last < period.last else ""
    return (("期間", f"{period.label}{so_far}"), ("來源", "銷售日報"))


def _left_out(period: Period, last: date) -> str:
    days = days_without_data(first=period.first, last=last)
    if not days:
        return ""
    named = "、".join(f"{day.month}/{day.day}" for day in days[:10])
    return f"{named}{'等' if len(days) > 10 else ''} {len(days)} 天沒有銷售日報，數字不含這些日子。"


def _row(name: str, span: Period, figures: Figures, filters: Filters) -> dict[str, Any]:
    """A line of a period. Without a single line, and without filters, nothing is known of it."""
    known = figures.lines or any(filters.facts)
    return {"name": name, "days": span.label, **(_figures(figures) if known else {})}


def _target(one: Attained) -> dict[str, Any]:
    amount = one.amount
    return {
        "name": one.label,
        "actual": amount.actual,
        "rate": _percent(amount.attainment),
        "ahead": amount.ahead,
        "target": amount.target,
        "projected": amount.projected,
        "needed": amount.needed,
    }


def _figures(one: Figures) -> dict[str, Any]:
    return {
        "amount": exact_dollars(one.amount),
        "profit": exact_dollars(one.gross_profit),
        "margin": _percent(one.margin),
        "quantity": one.quantity,
    }


def _change(now: Figures, then: Figures, filters: Filters) -> dict[str, Any]:
    return _moved(now, then) if (now.lines and then.lines) or any(filters.facts) else {}


def _moved(now: Figures, then: Figures) -> dict[str, Any]:
    change = now.amount - then.amount
    return {"change": exact_dollars(change), "rate": _percent(percent_of(change, abs(then.amount)))}


def _percent(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _chart(period: Period, last: date, filters: Filters) -> Mapping[str, Any] | None:
    """Amounts and gross profits by day; of a single day with the days before it."""
    first = last - timedelta(days=CHART_DAYS - 1) if period.kind == "day" else period.first
    days = days_of(first=first, last=last, names=_names(filters))
    if len(days) < 2:
        return None
    dates = each_day(first, last)
    shown = [days.get(day) for day in dates]
    return {
        "kind": "sales",
        "dates": [day.isoformat() for day in dates],
        "amount": [None if one is None else one.amount / 100 for one in shown],
        "gross_profit": [None if one is None or one.gross_profit is None else one.gross_profit / 100 for one in shown],
    }


def _bars(amounts: Iterable[tuple[str, Decimal]]) -> Mapping[str, Any] | None:
    shown = [(name, float(amount)) for name, amount in amounts]
    if len(shown) < 2:
        return None
    series = {"label": "業績", "data": [amount for _, amount in shown], "tone": "--color-primary-500"}
    return {"kind": "bars", "labels": [name for name, _ in shown], "series": [series], "dollars": True}


register(
    Section("sales_summary", "銷售概況", 10, summary, not_arrived),
    Section("sales_targets", "目標達成", 15, targets, not_arrived),
    Section("sales_by_pm", "依 PM", 20, partial(by_key, "pm"), not_arrived),
    Section("sales_by_brand", "依品牌", 21, partial(by_key, "brand"), not_arrived),
    Section("sales_by_category", "依分類", 22, partial(by_key, "category"), not_arrived),
    Section("sales_movers", "變化最大的品牌", 30, movers, not_arrived),
    Section("sales_missing_days", "沒有資料的日子", 90, missing_days),
)
