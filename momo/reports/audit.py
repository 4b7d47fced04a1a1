"""Fields of the audit trail: those that users edit. Runs are their own record."""

from __future__ import annotations

from auditlog.registry import auditlog

from momo.reports.models import Report


def register() -> None:
    """Register the fields that users edit."""
    fields = ["name", "kind", "at", "wait_until", "sections", "pms", "brands", "categories", "addresses"]
    fields += ["with_workbook", "with_slides", "is_active"]
    auditlog.register(Report, include_fields=fields, m2m_fields={"users", "chats"})
