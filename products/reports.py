"""The section of reports about prices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode

from momo.admin.kit.figures import Column, FigureTable
from momo.admin.kit.sections import Filters, Section, register
from momo.core.days import start_of_day
from momo.core.periods import Period, day_label
from products.selectors.changes import EVENTS, news_between
from products.selectors.crawls import last_applied_at
from products.selectors.news import Kind, News

SHOWN = 10  # products whose price rose, and those whose price fell


def price_changes(period: Period, filters: Filters) -> FigureTable:
    """The largest rises and falls of the period; its note counts all that happened."""
    news, is_cut = news_between(
        first=period.first, last=period.last, brands=filters.brands, categories=filters.categories
    )
    shown = [one for kind in (Kind.INCREASE, Kind.DECREASE) for one in [n for n in news if n.kind == kind][:SHOWN]]
    counts = Counter(one.kind for one in news)
    counted = "、".join(f"{kind.label} {counts[kind]:,} 件" for kind in Kind if counts[kind])
    notes = [
        f"這段期間：{counted}。" if counted else "這段期間沒有價格異動。",
        f"漲價與降價各列出幅度最大的 {SHOWN} 件。" if shown else "",
        f"異動很多，只計入最近的 {EVENTS:,} 筆。" if is_cut else "",
        "商品價格沒有 PM，不依 PM 篩選。" if filters.pms else "",
    ]
    return FigureTable(
        "price_changes",
        "價格異動",
        (
            Column("name", "商品"),
            Column("kind", "異動"),
            Column("price", "售價", "money"),
            Column("change", "增減", "change"),
            Column("rate", "增減率", "rate"),
            Column("before", "原售價", "money"),
        ),
        [_row(one) for one in shown],
        note="".join(notes),
        facts=(("期間", period.label), ("來源", "momo 商品頁的價格")),
    )


def not_crawled(period: Period) -> Sequence[str]:
    """What to wait for: prices seen since the last day of the period began. Nothing where no prices are crawled."""
    at = last_applied_at()
    if at is None or at >= start_of_day(period.last):
        return ()
    return (f"{day_label(period.last)}起還沒有完成的價格更新",)


def _row(one: News) -> dict[str, Any]:
    found = f"{reverse('admin:products_product_changelist')}?{urlencode({'q': one.goods.product_id})}"
    return {
        "name": one.goods.name,
        "name_url": found,
        "kind": str(Kind(one.kind).label),
        "price": one.new_price,
        "change": one.change,
        "rate": one.percent,
        "before": one.old_price,
    }


register(Section("price_changes", "價格異動", 40, price_changes, not_crawled))
