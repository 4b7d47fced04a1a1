"""Tables of targets against sales: the same for the page, its files and reports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from momo.admin.kit.display import with_weekday
from momo.admin.kit.figures import Column, FigureTable
from momo.core.formats import money
from momo.core.periods import month_of
from sales.addresses import address_of_lines
from sales.models import Target
from sales.selectors.targets import MEASURES, SHAPES, Attained, Attainment, Progress, TargetDay

LABELS = {value: str(label) for value, label in Target.DIMENSIONS}
_PROGRESS = (
    ("target", "目標", "money"),
    ("actual", "實績", "money"),
    ("attainment", "達成率", "percent"),
    ("expected", "至今應達", "money"),
    ("ahead", "超前／落後", "change"),
    ("projected", "月底預估", "money"),
    ("needed", "之後每天要", "money"),
)
# Of gross profit beside the amount: a row with both would be too wide.
_OF_PROFIT = ("target", "actual", "attainment", "projected")
# What follows from others, so that the card of a row stays low on a phone.
_WIDE = ("expected", "profit_target", "profit_projected")


def whole_table(found: Attainment, backdrop: Mapping[str, Any]) -> FigureTable:
    """All sales against their target, with the month so far as a chart; `backdrop` shades its days."""
    url = address_of_lines(found.month, month_of(found.month).last)
    rows = [
        {"measure": label, **_values(getattr(found.whole, name)), "actual_url": url} for name, label in MEASURES.items()
    ]
    return FigureTable(
        key="whole",
        title=f"{found.month:%Y-%m} 合計",
        columns=[Column("measure", "項目"), *(Column(*one) for one in _PROGRESS)],
        rows=rows,
        chart={"kind": "series", "unit": "money", **_lines(found.days), **backdrop},
        note=note_of(found),
        facts=facts_of(found),
    )


def keys_table(found: Attainment) -> FigureTable:
    """Each key of the dimension against its target; the totals are the sums of the rows."""
    label = LABELS[found.dimension]
    last = month_of(found.month).last
    figures = [
        *_PROGRESS,
        *((f"profit_{name}", f"毛利{title}", kind) for name, title, kind in _PROGRESS if name in _OF_PROFIT),
    ]
    columns = [Column("label", label), *(Column(*one, wide=one[0] in _WIDE) for one in figures)]
    rows = [
        {**_row(one), "label_url": address_of_lines(found.month, last, **{found.dimension: one.key})}
        for one in found.rows
    ]
    return FigureTable(
        key="keys",
        title=f"{found.month:%Y-%m} {worded('依', found.dimension)}",
        columns=columns,
        rows=rows,
        totals=_row(found.together) if rows else None,
        note=difference_of(found),
        facts=facts_of(found),
    )


def worded(before: str, dimension: str, after: str = "") -> str:
    """A dimension between Chinese words: Latin letters stand apart from them."""
    label = LABELS[dimension]
    return f"{before} {label} {after}".strip() if label.isascii() else f"{before}{label}{after}"


def facts_of(found: Attainment) -> list[tuple[str, str]]:
    """Month, dimension and last day, for the second sheet of a workbook."""
    until = "還沒有銷售資料" if found.until is None else f"{found.until}"
    return [("月份", f"{found.month:%Y-%m}"), ("維度", LABELS[found.dimension]), ("計算到", until)]


def note_of(found: Attainment) -> str:
    """How far the figures go, and how the target is spread over the days."""
    until = "還沒有銷售資料" if found.until is None else f"計算到 {with_weekday(found.until)}"
    left = f"，還有 {found.days_left} 天" if found.days_left else ""
    return f"{until}{left}。目標{SHAPES[found.shape]}；月底預估假設之後的日子和至今一樣好。"


def difference_of(found: Attainment) -> str:
    """By how much the targets of the dimension differ from that of the whole; empty where none can be compared."""
    parts = []
    for name, label in MEASURES.items():
        difference = found.difference[name]
        if difference is not None:
            parts.append(f"{label}{_compared(difference)}")
    return f"{worded('各', found.dimension, '目標相加')}，{'；'.join(parts)}。" if parts else ""


def _compared(difference: Decimal) -> str:
    if not difference:
        return "等於合計目標"
    return f"比合計目標{'多' if difference > 0 else '少'} {money(abs(difference))}"


def _row(one: Attained) -> dict[str, Any]:
    profit = _values(one.gross_profit)
    return {"label": one.label, **_values(one.amount), **{f"profit_{name}": profit[name] for name in _OF_PROFIT}}


def _values(progress: Progress) -> dict[str, Any]:
    return {name: getattr(progress, name) for name, _, _ in _PROGRESS}


def _lines(days: tuple[TargetDay, ...]) -> dict[str, Any]:
    """Labels and cumulative series of the days; without a target only that of the sales."""
    series: list[dict[str, Any]] = [{"label": "累計業績", "data": list(running(day.actual for day in days))}]
    if any(day.target is not None for day in days):
        series.append({"label": "應達", "data": list(running(day.target for day in days)), "dashed": True})
    return {"labels": [day.date for day in days], "series": series}


def running(amounts: Iterable[Decimal | None]) -> Iterator[Decimal | None]:
    """Sums so far; None where the amount is."""
    so_far = Decimal(0)
    for amount in amounts:
        so_far += amount or 0
        yield None if amount is None else so_far
