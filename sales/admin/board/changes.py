"""Tables of what changed between two periods; their parts add up to the cent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.http import HttpRequest

from momo.admin.kit.display import money, thousands
from momo.admin.kit.figures import Column, FigureTable, signed, signed_rate
from momo.core.formats import amount, percent_of
from sales.admin.board.frame import BARS, KINDS, MEASURES, Periods, facts_of, in_dollars, lines_url
from sales.figures import NAMELESS
from sales.selectors.changes import Part, measured, share_of, summed

Keys = dict[str, str]  # values of a part by column, for its lines
NAME = 14  # characters of a name in a chart


class ChangesTable:
    """Makes tables of parts: columns of their keys, before, after, difference, rate and share of the difference."""

    def __init__(self, request: HttpRequest, periods: Periods, measure: str) -> None:
        self.request, self.periods, self.measure = request, periods, measure
        self.kind = KINDS[measure]

    def make(
        self,
        *,
        key: str,
        title: str,
        columns: Sequence[Column],
        parts: Sequence[Part],
        whole: Part,
        shown: int,
        keys_of: Callable[[Part], Keys],
        name: Callable[[Part], dict[str, Any]],
        inside: Keys | None,
        note: str = "",
        share: bool = True,
    ) -> FigureTable:
        """A table of the first `shown` parts; the others are one row more, and `whole` the last.

        `keys_of` a part are the filters of its lines, `inside` those of the whole (None if no filters find its lines),
        and `name` the cells of the part's keys.
        """
        first = columns[0].name
        rows = [{**name(part), **self._cells(part, whole, keys_of(part))} for part in parts[:shown]]
        if others := parts[shown:]:
            rest = summed(others, ())
            rows.append({first: f"其他 {len(others):,} 個", **self._cells(rest, whole, None)})
            note = f"列出增減最大的 {shown} 個，其餘合計為一列；匯出的檔案有全部。{note}"
        bars = parts[: min(BARS, shown)]
        return FigureTable(
            key=key,
            title=title,
            columns=[*columns, *self._columns(share=share)],
            rows=rows,
            chart={
                "kind": "series",
                "unit": "number" if self.measure == "quantity" else "money",
                "across": True,
                "open": True,  # its names lead further down
                "labels": [_short("・".join(one or NAMELESS for one in part.keys)) for part in bars],
                "series": [
                    {"label": "增減", "signed": True, "data": [self._value(part.change(self.measure)) for part in bars]}
                ],
            },
            totals=self._cells(whole, whole, inside),
            note=note,
            facts=facts_of(
                self.request,
                ("期間", self.periods.after.label),
                ("比較期間", self.periods.before.label),
                ("數字", MEASURES[self.measure]),
            ),
        )

    def cards(self, whole: Part) -> list[tuple[str, str, list[tuple[str, str]]]]:
        """Name, value and notes of both periods and of their difference."""
        show = thousands if self.measure == "quantity" else money
        change, before = whole.change(self.measure), measured(whole.before, self.measure)
        rate = percent_of(change, abs(before))
        told = [] if rate is None else [("", signed_rate(rate))]
        name, size = MEASURES[self.measure], self._value(abs(change))
        return [
            (name, show(self._value(measured(whole.after, self.measure))), [("", self.periods.after.label)]),
            (f"{name}（比較期間）", show(self._value(before)), [("", self.periods.before.label)]),
            ("增減", signed(change, amount(size)), told),
        ]

    def unknown_note(self, whole: Part) -> str:
        """What is to be known of gross profits; empty if those of all lines are known."""
        if self.measure != "gross_profit":
            return ""
        missing = sum(one.amount - (one.margin_base or 0) for one in (whole.before, whole.after))
        return f"有業績 {money(in_dollars(missing))} 的明細沒有成本，毛利以 0 計。" if missing else ""

    def _columns(self, *, share: bool) -> list[Column]:
        found = [
            Column("before", "比較期間", self.kind),
            Column("after", "本期", self.kind),
            Column("change", "增減", "change"),
            Column("rate", "增減率", "rate"),
        ]
        return [*found, Column("share", "占增減", "percent")] if share else found

    def _cells(self, part: Part, whole: Part, keys: Keys | None) -> dict[str, Any]:
        before, after = measured(part.before, self.measure), measured(part.after, self.measure)
        cells: dict[str, Any] = {
            "before": self._value(before),
            "after": self._value(after),
            "change": self._value(after - before),
            "rate": percent_of(after - before, abs(before)),
            "share": share_of(part, whole, self.measure),
        }
        if keys is not None:
            for name, figures, days in (
                ("before", part.before, self.periods.before),
                ("after", part.after, self.periods.after),
            ):
                if figures.lines:
                    cells[f"{name}_url"] = lines_url(self.request, days, **keys)
        return cells

    def _value(self, value: int) -> Any:
        return in_dollars(value, self.measure)


def _short(name: str) -> str:
    return name if len(name) <= NAME else f"{name[: NAME - 1]}…"
