"""Fields of the audit trail: settings that admins change, and who restarted what. A clean-up is its own record."""

from __future__ import annotations

from auditlog.registry import auditlog

from momo.system.models import Rollout, Setting


def register() -> None:
    """Register settings, and restarts of deployments."""
    auditlog.register(Rollout, include_fields=["namespace", "deployment"])
    auditlog.register(Setting, include_fields=["value"])
