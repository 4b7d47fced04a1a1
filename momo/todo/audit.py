"""Fields of the audit trail: who has an item, and until when it is put off. A comment is its own record."""

from __future__ import annotations

from auditlog.registry import auditlog

from momo.todo.models import TodoState


def register() -> None:
    """Register what staff decide about items."""
    auditlog.register(TodoState, include_fields=["source", "object_id", "assignee", "snoozed_until"])
