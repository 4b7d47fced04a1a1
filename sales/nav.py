"""Entries of the sidebar for sales."""

from __future__ import annotations

from momo.admin.kit.nav import Entry, register
from momo.jobs.nav import SALES

register(
    Entry(SALES, 10, "銷售日", "calendar_month", "sales.dayowner"),
    Entry(SALES, 20, "銷售明細", "receipt_long", "sales.salesline"),
)
