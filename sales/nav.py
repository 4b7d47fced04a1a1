"""Entries of the sidebar for sales."""

from __future__ import annotations

from momo.admin.kit.nav import Entry, register
from momo.jobs.nav import FIRST_UPLOAD, SALES

EMPTY = "匯入每日銷售報表之後，資料會出現在這裡。"

register(
    Entry(SALES, 10, "銷售日", "calendar_month", "sales.dayowner", empty=EMPTY, step=FIRST_UPLOAD),
    Entry(SALES, 20, "銷售明細", "receipt_long", "sales.salesline", empty=EMPTY, step=FIRST_UPLOAD),
)
