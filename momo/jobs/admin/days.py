"""Rows of the table of days: what an import does to each, beside the figures in force before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from momo.admin.kit.display import BAD, GOOD, NO_VALUE, QUIET, WARN, badge, difference, money, thousands
from momo.jobs.importers import DAY_LABELS

TONES = {"new": GOOD, "changed": WARN, "unchanged": QUIET, "superseded": QUIET}


def day_row(day: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of the table from a day of an outcome, see `Importer.changes`."""
    status, before = day.get("status", ""), day.get("before") or {}
    lines, amount = day.get("lines", 0), day.get("amount")
    old_lines, old_amount = before.get("lines"), before.get("amount")
    loss = bool(day.get("loss"))
    return {
        "date": day.get("date", ""),
        "loss": loss,
        "status": badge("減少", BAD) if loss else badge(DAY_LABELS.get(status, status), TONES.get(status, QUIET)),
        "lines_before": NO_VALUE if old_lines is None else thousands(old_lines),
        "lines": thousands(lines),
        "lines_difference": difference(lines, old_lines),
        "quantity": thousands(day.get("quantity", 0)),
        "before": money(old_amount),
        "amount": money(amount),
        "difference": difference(amount, old_amount),
    }
