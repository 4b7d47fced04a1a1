"""Fields of the audit trail: those that users edit. Rows of reports and mails have records of their own."""

from __future__ import annotations

from auditlog.registry import auditlog

from vendors.models import Vendor, VendorAddress


def register() -> None:
    """Register the fields that users edit."""
    vendor = ["code", "name", "contact", "phone", "escalation_email", "note", "is_active", "merged_into"]
    auditlog.register(Vendor, include_fields=vendor)
    auditlog.register(VendorAddress, include_fields=["vendor", "email", "kind", "name", "is_active"])
