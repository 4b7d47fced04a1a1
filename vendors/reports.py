"""The section of reports about stockouts: as they are when the report is made, since no past state is stored."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from momo.admin.kit.figures import Column, FigureTable
from momo.admin.kit.sections import Filters, Section, register
from momo.core.periods import Period
from vendors.selectors.board import WAITS, Group, board
from vendors.selectors.stockouts import UNNAMED

VENDORS = 15  # with the most rows


def open_stockouts(period: Period, filters: Filters) -> FigureTable:
    """Open stockouts of the vendors that have most, by whom they wait for."""
    now = timezone.now()
    found = board(pms=filters.pms or None, now=now)
    vendors = found.groups["vendor"]
    total = found.total
    notes = [
        f"{timezone.localtime(now):%Y-%m-%d %H:%M} 的狀態。",
        f"列出最多的 {VENDORS} 家，共 {len(vendors):,} 家廠商。" if len(vendors) > VENDORS else "",
        f"損失估計不含 {total.unknown:,} 筆沒有月銷量或售價的缺貨。" if total.unknown else "",
        "缺貨報表沒有品牌與分類，不依它們篩選。" if filters.brands or filters.categories else "",
    ]
    return FigureTable(
        "open_stockouts",
        "未結案的缺貨",
        (
            Column("name", "廠商"),
            *(Column(who, label, "number") for who, (label, _) in WAITS.items()),
            Column("rows", "合計", "number"),
            Column("lost", "損失估計", "money"),
        ),
        [_row(group.label or UNNAMED, group) for group in vendors[:VENDORS]],
        totals=_row("全部廠商", total) if vendors else None,
        note="".join(notes),
        facts=(("時間", f"{timezone.localtime(now):%Y-%m-%d %H:%M}"), ("來源", "缺貨報表")),
    )


def _row(name: str, group: Group) -> dict[str, Any]:
    rows = reverse("admin:vendors_stockout_changelist")
    link = f"{rows}?{urlencode({'q': group.key, 'waits': 'open'} if group.key else {'waits': 'open'})}"
    return {"name": name, "name_url": link, **group.counts, "rows": group.rows, "lost": group.lost}


register(Section("open_stockouts", "未結案的缺貨", 50, open_stockouts))
