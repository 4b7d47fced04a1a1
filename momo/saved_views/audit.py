"""Registers saved views with the audit trail: who made or revoked an address that needs no login."""

from __future__ import annotations

from auditlog.registry import auditlog

from momo.saved_views.models import SavedView


def register() -> None:
    """Record changes, without the digest and the last use."""
    auditlog.register(SavedView, include_fields=["user", "model", "name", "query", "shared", "prefix", "issued_at"])
