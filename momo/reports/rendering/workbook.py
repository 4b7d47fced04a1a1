"""A report as a workbook: a sheet for each table, and one that says what they are about."""

from __future__ import annotations

from momo.admin.kit import figures
from momo.reports.selectors import Edition


def workbook(edition: Edition) -> bytes:
    """The .xlsx file."""
    facts = [("報表", edition.title), *edition.filters.facts]
    facts += [("缺少的資料", sentence) for sentence in edition.missing]
    with figures.workbook(*edition.tables, facts=facts) as handle:
        return handle.read()
