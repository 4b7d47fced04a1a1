"""Registers models of imports with the audit trail. Jobs are not: a job is its own record."""

from __future__ import annotations

from auditlog.registry import auditlog

from momo.jobs.models import ColumnAlias


def register() -> None:
    """Register the models that staff edit."""
    auditlog.register(ColumnAlias, include_fields=["job_type", "field", "alias"])
