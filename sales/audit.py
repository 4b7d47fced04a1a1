"""Fields of the audit trail: those that users edit. Lines and totals have records of their own, the imports."""

from __future__ import annotations

from auditlog.registry import auditlog

from sales.models import Alarm, Campaign, DayNote, Target


def register() -> None:
    """Register the fields that users edit."""
    campaign = ["kind", "name", "first", "last", "warm_up_days", "brands", "products", "note"]
    auditlog.register(Campaign, include_fields=campaign)
    auditlog.register(Alarm, include_fields=["acknowledged_at", "acknowledged_by"])
    auditlog.register(Target, include_fields=["month", "dimension", "key", "amount", "gross_profit"])
    auditlog.register(DayNote, include_fields=["date", "text"])
