"""Files of stockouts: the workbook that a mail to a vendor carries, and the rows of a list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, BinaryIO

from django.db.models import Case, CharField, QuerySet, Value, When

from momo.core.texts import one_line
from momo.sheets.write import XLSX, Column, as_records, rows_file, xlsx_file
from notifications.services.drafts import File
from vendors.models import AnswerKind, Stockout, Vendor

SHEET = "缺貨商品"
NAME = 60  # characters of a vendor's name in the name of a file
COLUMNS = (
    Column("品號", width=18),
    Column("品名", width=56),
    Column("近月銷量", "integer", 12),
    Column("目前庫存", "integer", 12),
    Column("PM", width=12),
)


def mail_workbook(vendor: Vendor, rows: Sequence[Stockout], *, day: date) -> File:
    """The workbook of `rows`, named after the vendor and the day, without what a file's name must not hold."""
    values = ((row.product_code, row.product_name, row.monthly_sales, row.stock, row.pm) for row in rows)
    with xlsx_file(sheet=SHEET, columns=COLUMNS, records=as_records(COLUMNS, values)) as handle:
        content = handle.read()
    name = "".join(sign if sign.isprintable() and sign not in '<>:"/\\|?*' else "_" for sign in one_line(vendor.name))
    return File(f"缺貨_{name[:NAME]}_{day:%Y%m%d}.xlsx", content, XLSX)


def stockouts_file(rows: QuerySet[Stockout], *, kind: str, about: Sequence[tuple[str, str]] = ()) -> BinaryIO:
    """The open file (xlsx or csv) of `rows`, as many as it holds; `about` as in `momo.sheets.write.records_file`."""
    return rows_file(rows, kind=kind, sheet="缺貨", columns=_columns(), about=about)


def _columns() -> list[Column]:
    return [
        Column("批次", "integer", 8, source="batch_id", number_format="0"),
        Column("列", "integer", 8, source="row", number_format="0"),
        Column("部門", width=12, source="department"),
        Column("科別", width=12, source="section"),
        Column("PM", width=12, source="pm"),
        Column("品號", width=18, source="product_code"),
        Column("品名", width=56, source="product_name"),
        Column("廠商代號", width=12, source="vendor__code"),
        Column("廠商名稱", width=28, source="vendor__name"),
        Column("月銷量", "integer", 9, source="monthly_sales"),
        Column("目前庫存", "integer", 9, source="stock"),
        Column("售價", "integer", 10, source="price"),
        Column("狀態", width=10, source=_label("status", Stockout.Status.choices)),
        Column("重複於", "integer", 10, source="duplicate_of_id", number_format="0"),
        Column("首次通知", "datetime", 18, source="notified_at"),
        Column("回覆", width=10, source=_label("answer", AnswerKind.choices)),
        Column("預計到貨日", "date", 12, source="restock_date"),
        Column("到貨數量", "integer", 10, source="restock_quantity"),
        Column("替代商品", width=24, source="substitute"),
        Column("首次回覆", "datetime", 18, source="answered_at"),
        Column("建立時間", "datetime", 18, source="created_at"),
        Column("結案時間", "datetime", 18, source="resolved_at"),
        Column("結案原因", width=16, source=_label("resolved_reason", Stockout.Reason.choices)),
    ]


def _label(field: str, choices: Iterable[tuple[Any, Any]]) -> Case:
    """The label of a choice, in SQL."""
    found = [When(**{field: value}, then=Value(str(label))) for value, label in choices]
    return Case(*found, default=Value(""), output_field=CharField())
