"""What staff change about imports, for the audit trail. A job is its own record."""

from __future__ import annotations

from auditlog.registry import auditlog

from momo.jobs.models import ColumnAlias


def register() -> None:
    """Watch what people edit."""
    auditlog.register(ColumnAlias, include_fields=["job_type", "field", "alias"])
