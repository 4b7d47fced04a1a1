"""The price board: what changed in a period, the largest moves, new lows, and what went or came back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.http import urlencode

from momo.admin.kit import mine, nav
from momo.admin.kit.display import NO_VALUE, full_time
from momo.admin.kit.figures import Column, FigureTable, export_response, page_address
from momo.admin.kit.periods import usual_periods
from momo.core.days import EARLIEST, LATEST
from momo.core.periods import Period
from products.models import Category, PriceEvent
from products.selectors.prices import (
    FALLS_LOOKED_AT,
    LOWS,
    MAX_DAYS,
    MOVES,
    SUPPLY_SHOWN,
    Counted,
    Goods,
    Move,
    biggest_moves,
    brands_with_moves,
    counts_by_category,
    lowest_now,
    supply_events,
)
from products.selectors.products import category_choices

Kind = PriceEvent.Kind
SHOWN = (
    Kind.INCREASE,
    Kind.DECREASE,
    Kind.NEW,
    Kind.OUT_OF_STOCK,
    Kind.BACK_IN_STOCK,
    Kind.DELISTED,
    Kind.RELISTED,
)
LOWEST_OF = (30, 90)  # days
BY_CHOICES = (("percent", "幅度"), ("amount", "金額"))
DAY = ["%Y-%m-%d"]
TONES = {Kind.INCREASE: "up", Kind.DECREASE: "down"}


class BoardForm(forms.Form):
    """What the page's address asks for; all of it may be left out."""

    first = forms.DateField(required=False, input_formats=DAY, error_messages={"invalid": "起日請寫成 YYYY-MM-DD"})
    last = forms.DateField(required=False, input_formats=DAY, error_messages={"invalid": "迄日請寫成 YYYY-MM-DD"})
    category = forms.CharField(required=False, max_length=10)
    brand = forms.CharField(required=False, max_length=120)
    by = forms.ChoiceField(required=False, choices=BY_CHOICES)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        today = timezone.localdate()
        first = cleaned.get("first") or cleaned.get("last") or today
        last = cleaned.get("last") or first
        code = cleaned.get("category")
        category = Category.objects.filter(code=code).first() if code else None
        if first > last:
            self.add_error(None, "起日不可晚於迄日")
        elif not EARLIEST <= first <= last <= LATEST:
            self.add_error(None, "日期超出可用範圍")
        elif (last - first).days >= MAX_DAYS:
            self.add_error(None, f"期間最長 {MAX_DAYS} 天，請縮短範圍")
        if code and category is None:
            self.add_error(None, f"沒有這個分類：{code}")
        return {**cleaned, "first": first, "last": last, "category": category}


@dataclass(frozen=True)
class Board:
    """The chosen period and products, and the tables made of them."""

    first: date
    last: date
    goods: Goods
    by: str
    category: Category | None
    mine: bool

    @property
    def period(self) -> str:
        """The period in words."""
        return Period(self.first, self.last).label

    @property
    def facts(self) -> list[tuple[str, str]]:
        """What the tables are of, for their workbooks."""
        chosen = [("期間", self.period), ("分類", str(self.category or "全部")), ("品牌", self.goods.brand or "全部")]
        return [*chosen, ("範圍", "我的品牌" if self.mine else "全部"), ("來源", "價格更新找到的商品事件與價格紀錄")]

    @cached_property
    def counted(self) -> list[Counted]:
        """Events by category and kind."""
        return counts_by_category(first=self.first, last=self.last, goods=self.goods)

    def rows_url(self, kind: str = "", category: int | None = None) -> str:
        """The list of the events that a figure counts."""
        category = category if category is not None else self.goods.category
        asked: dict[str, object] = {
            "kind__exact": kind,
            "created_at_from": self.first,
            "created_at_to": self.last,
            "product__category__id__exact": category,
            "product__brand__exact": self.goods.brand,
            "mine": 1 if self.mine else None,
        }
        given = [(name, str(value)) for name, value in asked.items() if value not in (None, "")]
        return f"{reverse('admin:products_priceevent_changelist')}?{urlencode(given)}"

    def cards(self) -> list[dict[str, Any]]:
        """The number of events of each kind, with their rows."""
        return [
            {
                "name": kind.label,
                "figure": sum(one.kinds[kind] for one in self.counted),
                "url": self.rows_url(kind),
                "tone": TONES.get(kind, ""),
            }
            for kind in SHOWN
        ]

    def tables(self) -> list[FigureTable]:
        """All tables of the page, in its order."""
        rises, falls = biggest_moves(first=self.first, last=self.last, goods=self.goods, by=self.by)
        return [
            self._moves("falls", "降幅最大", falls),
            self._moves("rises", "漲幅最大", rises),
            *(self._lows(days) for days in LOWEST_OF),
            self._supply(),
            self._categories(),
        ]

    def _moves(self, key: str, title: str, moves: Iterable[Move]) -> FigureTable:
        return FigureTable(
            key,
            title,
            (
                *GOODS,
                Column("old", "原售價", "money"),
                Column("new", "新售價", "money"),
                Column("change", "漲跌", "change"),
                Column("percent", "幅度", "rate"),
                Column("at", "時間", "code"),
            ),
            [
                {
                    **_goods(move.pk, move.name, move.code, move.brand, move.category),
                    "old": move.old,
                    "new": move.new,
                    "change": move.change,
                    "percent": move.percent,
                    "at": _time(move.at),
                }
                for move in moves
            ],
            note=f"期間第一次變價前與最後一次變價後的售價相比，依{dict(BY_CHOICES)[self.by]}，最多 {MOVES} 件；"
            "變回原價的不列，待確認的價格不算。",
            facts=self.facts,
        )

    def _lows(self, days: int) -> FigureTable:
        rows = lowest_now(days=days, goods=self.goods)
        return FigureTable(
            f"low{days}",
            f"現在是 {days} 天最低價",
            (
                *GOODS,
                Column("price", "售價", "money"),
                Column("floor", f"{days} 天內其他最低", "money"),
                Column("change", "最近漲跌", "change"),
                Column("percent", "幅度", "rate"),
                Column("at", "變價時間", "code"),
            ),
            [
                {
                    **_goods(one.pk, one.name, one.product_id, one.brand, str(one.category)),
                    "price": one.price,
                    "floor": one.floor,  # type: ignore[attr-defined]
                    "change": one.change,
                    "percent": one.change_percent,
                    "at": _time(one.price_changed_at),
                }
                for one in rows
            ],
            note=f"在架、售價比過去 {days} 天看到的其他價格都低的商品，與上面的期間無關；"
            f"從最近 {FALLS_LOOKED_AT:,} 件降價中找，列最近的 {LOWS} 件。",
            facts=self.facts[1:],
        )

    def _supply(self) -> FigureTable:
        events = supply_events(first=self.first, last=self.last, goods=self.goods)
        return FigureTable(
            "supply",
            "下架、缺貨與恢復",
            (
                *GOODS,
                Column("kind", "事件"),
                Column("price", "售價", "money"),
                Column("at", "時間", "code"),
            ),
            [
                {
                    **_goods(
                        event.product_id,
                        event.product.name,
                        event.product.product_id,
                        event.product.brand,
                        str(event.product.category),
                    ),
                    "kind": event.get_kind_display(),
                    "price": event.new_price if event.new_price is not None else event.old_price,
                    "at": _time(event.created_at),
                }
                for event in events
            ],
            note=f"最新的 {SUPPLY_SHOWN} 筆；全部在上面的數字裡。" if len(events) == SUPPLY_SHOWN else "",
            facts=self.facts,
        )

    def _categories(self) -> FigureTable:
        def row(one: Counted) -> dict[str, Any]:
            cells: dict[str, Any] = {"category": one.name, "total": one.total, "total_url": self.rows_url("", one.pk)}
            cells |= {kind.value: one.kinds[kind] for kind in SHOWN}
            return cells | {f"{kind.value}_url": self.rows_url(kind, one.pk) for kind in SHOWN if one.kinds[kind]}

        sums: dict[str, Any] = {kind.value: sum(one.kinds[kind] for one in self.counted) for kind in SHOWN}
        sums |= {f"{kind.value}_url": self.rows_url(kind) for kind in SHOWN if sums[kind.value]}
        sums |= {"total": sum(one.total for one in self.counted), "total_url": self.rows_url()}
        return FigureTable(
            "categories",
            "各分類的事件",
            (
                Column("category", "分類"),
                *(Column(kind.value, str(kind.label), "number") for kind in SHOWN),
                Column("total", "合計", "number"),
            ),
            [row(one) for one in self.counted],
            totals=sums if self.counted else None,
            note="一次價格更新中一件商品的每種事件算一次；一件商品在期間內可能不只一次。",
            facts=self.facts,
        )


GOODS = (
    Column("name", "商品"),
    Column("code", "品號", "code"),
    Column("brand", "品牌"),
    Column("category", "分類"),
)


def _goods(pk: int, name: str, code: str, brand: str, category: str) -> dict[str, Any]:
    url = reverse("admin:products_product_change", args=[pk])
    return {"name": name, "name_url": url, "code": code, "brand": brand or NO_VALUE, "category": category}


def _time(moment: Any) -> str:
    return full_time(moment)[:16]


def price_board(request: HttpRequest) -> HttpResponseBase:
    """The page; its address names days, category, brand and what ranks the moves."""
    form = BoardForm(request.GET)
    scope = mine.chosen_scope(request)
    if scope is not None and not scope.covers(brand="brand"):
        scope = None  # goods have no PM
    board = None
    if form.is_valid():
        chosen = form.cleaned_data
        category = chosen["category"]
        goods = Goods(category and category.pk, chosen["brand"].strip(), scope)
        board = Board(
            chosen["first"], chosen["last"], goods, chosen["by"] or "percent", category, mine=scope is not None
        )
        tables = board.tables()
        if (file := export_response(request, tables)) is not None:
            return file
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "價格看板",
        "form": form,
        "board": board,
        "tables": tables if board else [],
        "presets": _presets(request, board),
        "asked": request.GET,
        "today": timezone.localdate(),
        "categories": category_choices(),
        "brands": brands_with_moves(first=board.first, last=board.last) if board else [],
        "bys": BY_CHOICES,
        **(mine.switch(request) if mine.own_scope(request).covers(brand="brand") else {}),
    }
    return TemplateResponse(request, "admin/products/prices.html", context)


def _presets(request: HttpRequest, board: Board | None) -> list[tuple[str, str, bool]]:
    """Title, address and whether it is chosen, of each usual span and of other apps'; other choices stay."""
    longest = timedelta(days=MAX_DAYS - 1)
    spans = usual_periods(timezone.localdate())
    spans |= {title: Period(first, min(last, first + longest)) for title, first, last in nav.presets()}
    return [
        (
            title,
            page_address(request, first=f"{span.first}", last=f"{span.last}"),
            board is not None and (board.first, board.last) == (span.first, span.last),
        )
        for title, span in spans.items()
    ]
