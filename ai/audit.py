"""Fields of the audit trail: those that users edit. Calls and generated texts are records themselves."""

from __future__ import annotations

from auditlog.registry import auditlog

from ai.models import Budget, FactSheet, ModelPrice, Phrase, Style, TrendCategory


def register() -> None:
    """Register the models that users edit."""
    for model in (Style, ModelPrice, Budget, Phrase):
        auditlog.register(model)
    # A refresh writes the other fields each day.
    auditlog.register(TrendCategory, exclude_fields=["attempted_at", "error"])
    auditlog.register(FactSheet, exclude_fields=["priced_at", "updated_at", "updated_by"])
