"""Lines in force as a workbook or as CSV: those of one day, or those that a list shows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, BinaryIO

from django.db.models import DecimalField, ExpressionWrapper, F, QuerySet, Value
from django.db.models.functions import Greatest, NullIf, Round

from momo.sheets.write import Column, rows_file
from sales.models import SalesLine
from sales.selectors.lines import lines_of

SHEET = "每日銷售"
FORMATS = {"excel": "xlsx", "csv": "csv"}
_PERCENT: DecimalField[Any, Any] = DecimalField(max_digits=20, decimal_places=2)


def _columns() -> list[Column]:
    """Amounts are New Taiwan dollars, the margin a percentage of the amount."""
    # As `margin_of`: NULL unless the amount is positive.
    ratio = F("gross_profit") * Decimal(100) / NullIf(Greatest(F("amount"), Value(Decimal(0))), Value(Decimal(0)))
    margin = Round(ExpressionWrapper(ratio, _PERCENT), precision=2)
    return [
        Column("日期", "date", 12, source="date"),
        Column("品號", width=18, source="product_code"),
        Column("品名", width=56, source="product_name"),
        Column("品牌", width=18, source="brand"),
        Column("分類", width=18, source="category"),
        Column("PM", width=12, source="pm"),
        Column("廠商代號", width=12, source="vendor_code"),
        Column("廠商名稱", width=24, source="vendor_name"),
        Column("數量", "integer", 9, source="quantity"),
        Column("業績", "decimal", 14, source="amount"),
        Column("成本", "decimal", 14, source="cost"),
        Column("毛利", "decimal", 14, source="gross_profit"),
        Column("毛利率", "decimal", 10, source=margin, number_format='0.00"%"'),
    ]


def export(*, day: date, format: str) -> tuple[str, BinaryIO]:
    """File name and the open file (`excel` or `csv`) of the lines in force."""
    kind = FORMATS[format]
    return f"momo_{SHEET}_{day:%Y%m%d}.{kind}", lines_file(lines_of(day), kind=kind)


def lines_file(lines: QuerySet[SalesLine], *, kind: str, about: Sequence[tuple[str, str]] = ()) -> BinaryIO:
    """The open file (xlsx or csv) of any lines, as many as it holds; `about` as in `momo.sheets.write.records_file`."""
    return rows_file(lines, kind=kind, sheet=SHEET, columns=_columns(), about=about)
