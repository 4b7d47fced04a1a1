"""A list of trends from a workbook, for a site that refuses to be read."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from ai.models import TrendCategory, TrendList
from ai.spiders.pages import MAX_TITLE, TrendItem
from momo.core.errors import ValidationFailed
from momo.sheets import bounded
from momo.sheets.columns import Field, Kind
from momo.sheets.errors import SheetError
from momo.sheets.formats.base import MEBIBYTE, Limits
from products.spiders.pages import MAX_BRAND, MAX_NAME, MAX_URL, clean_text, web_url

LIMITS = Limits(
    bytes=2 * MEBIBYTE, unpacked_bytes=50 * MEBIBYTE, rows=500, columns=100, cells=250_000, text=16 * MEBIBYTE
)
MAX_TOLD = 20  # errors
FIELDS = (
    Field("rank", "排名", Kind.INTEGER, ("排名", "名次", "排行", "順位")),
    Field(
        "name", "名稱", Kind.TEXT, ("名稱", "品名", "商品名稱", "產品名稱", "標題"), required=True, max_length=MAX_NAME
    ),
    Field("brand", "品牌", Kind.TEXT, ("品牌", "品牌名稱", "頻道"), max_length=MAX_BRAND),
    Field("price", "價格", Kind.MONEY, ("價格", "售價", "最低價")),
    Field("score", "評分", Kind.MONEY, ("評分", "分數")),
    Field("url", "網址", Kind.TEXT, ("網址", "連結", "商品網址"), max_length=MAX_URL),
    Field("image_url", "圖片", Kind.TEXT, ("圖片", "圖片網址"), max_length=MAX_URL),
    Field("views", "觀看次數", Kind.INTEGER, ("觀看次數", "觀看數", "點閱數")),
)


def import_trend_list(*, trend: TrendCategory, path: Path, name: str) -> TrendList:
    """Replace the list of `trend` by the first TREND_ITEMS ranks of a workbook or CSV file that was called `name`.

    Raises ValidationFailed with row, column, value and reason of every bad cell (the first 20); then nothing changes.
    """
    try:
        (reading,) = bounded.read_tables(
            path, name=name, limits=LIMITS, fields=FIELDS, aliases={}, max_errors=MAX_TOLD + 1
        )
    except SheetError as error:
        raise ValidationFailed(fields={"file": [str(error)]}) from error
    converted = reading.converted
    labels = {field.name: field.label for field in FIELDS}
    told = [
        f"第 {converted.numbers[index]} 列「{labels[field]}」是「{value}」：{why}"
        for index, field, value, why in converted.errors
    ]
    items = []
    empty: list[None] = [None] * len(converted.numbers)
    columns = [converted.columns.get(field.name, empty) for field in FIELDS]
    for place, (number, *cells) in enumerate(zip(converted.numbers, *columns, strict=True), start=1):
        item, wrong = _item(place, dict(zip(labels, cells, strict=True)))
        told += [f"第 {number} 列{text}" for text in wrong]
        items.append(item)
    if told:
        more = [f"還有 {len(told) - MAX_TOLD} 個以上的錯誤"] if len(told) > MAX_TOLD else []
        raise ValidationFailed(fields={"file": [*dict.fromkeys(told[:MAX_TOLD]), *more]})
    if not items:
        raise ValidationFailed(fields={"file": ["檔案裡沒有資料列"]})
    items.sort(key=lambda item: item.rank)
    with transaction.atomic():
        # The row may be in a refresh, which stores after this.
        TrendCategory.objects.select_for_update().get(pk=trend.pk)
        stored, _ = TrendList.objects.update_or_create(
            trend=trend,
            defaults={
                "title": clean_text(f"人工匯入：{name}", MAX_TITLE),
                "items": [item.as_dict() for item in items[: settings.TREND_ITEMS]],
                "fetched_at": timezone.now(),
                "by_hand": True,
            },
        )
    return stored


def _item(place: int, cells: dict[str, object]) -> tuple[TrendItem, list[str]]:
    """The entry of a row, and what is wrong with its cells beside their kind."""
    wrong = []
    name = clean_text(cells["name"], MAX_NAME)
    if not name:
        wrong.append("沒有「名稱」")
    numbers = {field: cells[field] for field in ("rank", "price", "score", "views")}
    for field, label in (("rank", "排名"), ("price", "價格"), ("score", "評分"), ("views", "觀看次數")):
        value = numbers[field]
        if isinstance(value, int) and value < (1 if field == "rank" else 0):
            wrong.append(f"「{label}」不可以是負數或 0" if field == "rank" else f"「{label}」不可以是負數")
    for field, label in (("url", "網址"), ("image_url", "圖片")):
        if cells[field] and not web_url(cells[field]):
            wrong.append(f"「{label}」不是 http 或 https 的網址")
    cents, points = numbers["price"], numbers["score"]
    rank, views = numbers["rank"], numbers["views"]
    item = TrendItem(
        rank=rank if isinstance(rank, int) else place,
        name=name,
        brand=clean_text(cells["brand"], MAX_BRAND),
        price=round(cents / 100) if isinstance(cents, int) else None,
        score=points / 100 if isinstance(points, int) else None,
        url=web_url(cells["url"]),
        image_url=web_url(cells["image_url"]),
        views=views if isinstance(views, int) else None,
    )
    return item, wrong
