"""Tables of a campaign's report: the same for the page, its files and reports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.functional import cached_property

from momo.admin.kit.display import with_weekday
from momo.admin.kit.figures import Column, FigureTable
from momo.core.formats import percent_of
from sales.addresses import address_of_lines
from sales.admin.marks import marks_of_chart, words_of
from sales.admin.target_tables import LABELS, running, worded
from sales.figures import OTHERS, Figures, exact_dollars, total
from sales.models import Campaign
from sales.selectors.campaign_report import BASE_DAYS, CampaignReport, Compared, ReportDay
from sales.selectors.campaigns import CAMPAIGN, WARM_UP, days_marked

KEYS_SHOWN = 100  # of a dimension; the others are one row
_COMPARED = (
    Column("now", "本檔期", "money"),
    Column("then", "去年同檔期", "money"),
    Column("change", "增減", "change"),
    Column("rate", "增減率", "rate"),
    Column("per_day", "每天", "money"),
    Column("base", f"前 {BASE_DAYS} 天每天", "money"),
    Column("lift", "比前 28 天", "rate"),
)


class CampaignTables:
    """The tables of one report."""

    def __init__(self, report: CampaignReport) -> None:
        self.report = report

    def tables(self) -> list[FigureTable]:
        """All tables, in the order of the page."""
        groups = [self._of_dimension(dimension, found) for dimension, found in self.report.groups.items()]
        return [self._whole(), self._days(), *groups]

    @cached_property
    def note(self) -> str:
        """How far the figures go, with what they are compared, and what is left out."""
        report, campaign = self.report, self.report.campaign
        before = report.last_year
        parts = [
            f"計算到 {with_weekday(report.until)}，檔期第 {report.elapsed} 天"
            if report.until is not None and report.elapsed
            else "檔期還沒有銷售資料"
        ]
        if before is None:
            parts.append("去年沒有同類的檔期可以比較；在檔期清單補上去年的日期，就會比較")
        else:
            parts.append(f"去年是 {before}，從首日起逐日對齊，比較同樣的天數")
            if (before.last - before.first) != (campaign.last - campaign.first):
                parts.append(f"去年的檔期有 {(before.last - before.first).days + 1} 天，與今年不同")
        base = report.base
        parts.append(f"前 {BASE_DAYS} 天是預熱之前的 {base.first} 到 {base.last}，有資料的 {report.base_days} 天平均")
        if campaign.is_limited:
            parts.append("只計算限定的品牌或商品的銷售")
        return "；".join(parts) + "。"

    @cached_property
    def facts(self) -> list[tuple[str, str]]:
        """The campaign, for the second sheet of a workbook."""
        campaign = self.report.campaign
        return [
            ("檔期", campaign.name),
            ("期間", f"{campaign.first} 到 {campaign.last}，預熱 {campaign.warm_up_days} 天"),
            ("限定", limits_of(campaign)),
            ("說明", self.note),
        ]

    def _whole(self) -> FigureTable:
        names = {"業績": "amount", "毛利": "gross_profit"}
        rows = [{"name": label, **self._compare(self.report.whole, name)} for label, name in names.items()]
        return FigureTable(
            "whole", "檔期合計", [Column("name", "項目"), *_COMPARED], rows, note=self.note, facts=self.facts
        )

    def _of_dimension(self, dimension: str, found: Sequence[Compared]) -> FigureTable:
        shown, others = found[:KEYS_SHOWN], found[KEYS_SHOWN:]
        first, last = self.report.campaign.first, self.report.until or self.report.campaign.last
        rows = [{**self._row(one), "name_url": address_of_lines(first, last, **{dimension: one.key})} for one in shown]
        if others:
            rows.append(self._row(_together(others)))
        columns = [Column("name", LABELS[dimension]), *_COMPARED]
        columns += [Column("profit", "毛利", "money"), Column("margin", "毛利率", "percent")]
        totals = self._row(self.report.whole) if rows else None
        note = f"「{OTHERS}」是其餘 {len(others)} 個。" if others else ""
        return FigureTable(
            dimension, worded("依", dimension), columns, rows, totals=totals, note=note, facts=self.facts
        )

    def _row(self, one: Compared) -> dict[str, Any]:
        profit = one.now.gross_profit if one.now.lines else 0
        return {
            "name": one.label,
            **self._compare(one, "amount"),
            "profit": exact_dollars(profit),
            "margin": one.now.margin,
        }

    def _compare(self, one: Compared, measure: str) -> dict[str, Any]:
        """One measure of the campaign so far, of the year before, and a day of each against the days before."""
        elapsed = self.report.elapsed
        now, then = _cents(one.now, measure), None if one.then is None else _cents(one.then, measure)
        per_day = round(now / elapsed) if now is not None and elapsed else None
        base = self.report.base_per_day(_cents(one.base, measure))
        return {
            "now": exact_dollars(now),
            "then": exact_dollars(then),
            "change": None if now is None or then is None else exact_dollars(now - then),
            "rate": _rate(now, then),
            "per_day": exact_dollars(per_day),
            "base": exact_dollars(base),
            "lift": _rate(per_day, base),
        }

    def _days(self) -> FigureTable:
        report = self.report
        first, last = report.campaign.begins, report.campaign.last
        marked = days_marked(first, last)
        base = report.base_per_day(report.whole.base.amount)
        rows = [
            {
                "number": f"第 {day.number} 天" if day.number > 0 else f"預熱（首日前 {1 - day.number} 天）",
                "date": day.date,
                "now": exact_dollars(_cents(day.now, "amount")),
                "now_url": address_of_lines(day.date, day.date) if day.now is not None else "",
                "now_sum": exact_dollars(_cents(day.now_sum, "amount")),
                "then_date": day.then_date,
                "then": exact_dollars(_cents(day.then, "amount")),
                "then_sum": exact_dollars(_cents(day.then_sum, "amount")),
                "change": exact_dollars(_minus(day)),
                "lift": _rate(_cents(day.now, "amount"), base),
                "notes": "、".join(
                    words_of(mark) for mark in marked.get(day.date, []) if mark.kind not in (CAMPAIGN, WARM_UP)
                ),
            }
            for day in report.days
        ]
        columns = [
            Column("number", "天"),
            Column("date", "日期", "date"),
            Column("now", "業績", "money"),
            Column("now_sum", "累計", "money"),
            Column("then_date", "去年日期", "date"),
            Column("then", "去年業績", "money"),
            Column("then_sum", "去年累計", "money"),
            Column("change", "累計增減", "change"),
            Column("lift", "比前 28 天每天", "rate"),
            Column("notes", "假日與註記"),
        ]
        return FigureTable(
            "days",
            "逐日與累計",
            columns,
            rows,
            chart={"kind": "series", "unit": "money", **self._lines(base), **marks_of_chart(first, last)},
            note="累計從首日起算，不含預熱；沒有匯入的日子不計。",
            facts=self.facts,
        )

    def _lines(self, base: int | None) -> dict[str, Any]:
        """Labels and cumulative series: this year, the year before, and as many average days of the 28 before."""
        days = self.report.days
        series: list[dict[str, Any]] = [
            {"label": "累計業績", "data": [exact_dollars(_cents(day.now_sum, "amount")) for day in days]}
        ]
        if self.report.last_year is not None:
            then = (exact_dollars(_cents(day.then, "amount")) if day.number > 0 else None for day in days)
            series.append({"label": "去年累計", "data": list(running(then)), "dashed": True})
        if base is not None:
            usual = [exact_dollars(base * day.number) if day.number > 0 else None for day in days]
            series.append({"label": f"前 {BASE_DAYS} 天的水準", "data": usual, "dashed": True, "tone": "#9ca3af"})
        return {"labels": [day.date for day in days], "series": series}


def limits_of(campaign: Campaign) -> str:
    """What a campaign is about."""
    parts = [
        f"{title} {'、'.join(names)}"
        for title, names in (("品牌", campaign.brands), ("品號", campaign.products))
        if names
    ]
    return "；".join(parts) or "全部銷售"


def _together(rows: Sequence[Compared]) -> Compared:
    has_then = rows[0].then is not None
    return Compared(
        "",
        OTHERS,
        total(one.now for one in rows),
        total(one.then or Figures() for one in rows) if has_then else None,
        total(one.base for one in rows),
    )


def _cents(figures: Figures | None, measure: str) -> int | None:
    """Cents; without lines a gross profit is 0, not unknown."""
    if figures is None:
        return None
    cents: int | None = getattr(figures, measure)
    return cents if figures.lines else 0


def _minus(day: ReportDay) -> int | None:
    return None if day.now_sum is None or day.then_sum is None else day.now_sum.amount - day.then_sum.amount


def _rate(now: int | None, then: int | None) -> float | None:
    """The change in percent; None if either is unknown or there was nothing before."""
    return None if now is None or not then else percent_of(now - then, abs(then))
