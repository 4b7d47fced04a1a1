"""The three workbooks of products (all, changed within the window, delisted), and the one of a price digest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, BinaryIO

from django.conf import settings
from django.db.models import Case, CharField, Q, QuerySet, Value, When
from django.utils import timezone

from momo.sheets.write import MAX_SHEET_ROWS, XLSX, Column, as_records, query_records, xlsx_file
from notifications.services.drafts import MAX_FILES_BYTES, File
from products.models import PriceEvent, Product
from products.selectors.digest import Digest
from products.selectors.lowest import lowest_price
from products.selectors.news import News
from products.selectors.products import NOT_UPDATED, changed_products, held_price

NEWS_MAX_ROWS = 50_000  # of a digest's workbook, which must fit into a message
SIGNED = "+#,##0;-#,##0;0"
SIGNED_PERCENT = '+0.00"%";-0.00"%";0.00"%"'
KINDS = {"all": "全部商品", "changes": "價格變動", "delisted": "已下架商品"}


def _status_text() -> Case:
    return Case(
        When(~Q(status=Product.Status.DELISTED), category__enabled=False, then=Value(NOT_UPDATED)),
        *(When(status=value, then=Value(label)) for value, label in Product.Status.choices),
        output_field=CharField(),
    )


def columns_for(kind: str) -> list[Column]:
    """Columns of a workbook; times are Taipei's, prices New Taiwan dollars."""
    columns = [
        Column("品號", width=18, source="product_id"),
        Column("品名", width=56, source="name"),
        Column("品牌", width=18, source="brand"),
        Column("分類", width=18, source="category__name"),
        Column("狀態", width=9, source=_status_text()),
        Column("售價", "integer", 10, source="price"),
        Column("前次售價", "integer", 10, source="previous_price"),
        Column("漲跌", "integer", 9, source="change", number_format=SIGNED),
        Column("漲跌幅", "decimal", 10, source="change_percent", number_format=SIGNED_PERCENT),
        Column("30天最低價", "integer", 12, source=lowest_price()),
        Column("變價時間", "datetime", 17, source="price_changed_at"),
        Column("首次看到", "datetime", 17, source="first_seen_at"),
        Column("最近看到", "datetime", 17, source="last_seen_at"),
        Column("連結", width=46, source="url"),
        # At the end, where they shift no column that a reader's formulas name.
        Column("售價讀不到，自", "datetime", 17, source="price_unread_since"),
        Column("待確認售價", "integer", 12, source=held_price()),
    ]
    if kind == "delisted":
        columns.insert(5, Column("下架時間", "datetime", 17, source="delisted_at"))
    return columns


def products_of(kind: str) -> QuerySet[Product]:
    """Products of a workbook (one of KINDS), in its order."""
    if kind == "changes":
        return changed_products(Product.objects.all()).order_by("-price_changed_at", "-id")
    if kind == "delisted":
        return Product.objects.filter(status=Product.Status.DELISTED).order_by("-delisted_at", "-id")
    return Product.objects.order_by("product_id")


def workbook(kind: str) -> tuple[str, BinaryIO]:
    """File name (with today's date in Taipei) and open file of a workbook (one of KINDS)."""
    columns = columns_for(kind)
    limit = min(settings.EXPORT_MAX_ROWS, MAX_SHEET_ROWS)
    records = query_records(products_of(kind)[:limit], columns)
    name = f"momo_{KINDS[kind]}_{timezone.localdate():%Y%m%d}.xlsx"
    return name, xlsx_file(sheet=KINDS[kind], columns=columns, records=records)


NEWS_COLUMNS = (
    Column("事件", width=10),
    Column("品號", width=18),
    Column("品名", width=56),
    Column("品牌", width=18),
    Column("分類", width=18),
    Column("原售價", "integer", 10),
    Column("新售價", "integer", 10),
    Column("漲跌", "integer", 9, number_format=SIGNED),
    Column("漲跌幅", "decimal", 10, number_format=SIGNED_PERCENT),
    Column("時間", "datetime", 17),
    Column("連結", width=46),
)


def digest_files(digest: Digest) -> list[File]:
    """The workbook of a digest whose text is cut: all its news, or as many of the first as a message can carry."""
    if not digest.is_cut:
        return []
    rows = min(len(digest.news), NEWS_MAX_ROWS)
    while len(content := _news_workbook(digest.news[:rows])) > MAX_FILES_BYTES:
        rows //= 2
    part = f"_前{rows}筆" if rows < len(digest.news) else ""
    return [File(f"momo_價格通知_{timezone.localtime(digest.at):%Y%m%d_%H%M}{part}.xlsx", content, XLSX)]


def _news_workbook(news: Sequence[News]) -> bytes:
    rows = map(_news_row, news)
    with xlsx_file(sheet="商品事件", columns=NEWS_COLUMNS, records=as_records(NEWS_COLUMNS, rows)) as handle:
        return handle.read()


def _news_row(news: News) -> tuple[Any, ...]:
    """Values in the order of NEWS_COLUMNS."""
    goods = news.goods
    return (
        str(PriceEvent.Kind(news.kind).label),
        goods.product_id,
        goods.name,
        goods.brand,
        goods.category,
        news.old_price,
        news.new_price,
        news.change,
        news.percent,
        news.at,
        goods.url,
    )
