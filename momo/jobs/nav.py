"""Entries of the sidebar for imports. Apps whose reports are imported put their own entries into the same section."""

from __future__ import annotations

from momo.admin.kit.nav import Entry, Section, register

SALES = Section("銷售", 20)

register(
    Entry(SALES, 30, "匯入", "upload_file", "jobs.job"),
    Entry(SALES, 40, "欄位別名", "label", "jobs.columnalias"),
)
