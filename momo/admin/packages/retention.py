"""Old entries of the audit trail and of Django's log of admin actions, which the clean-up counts and deletes."""

from __future__ import annotations

import datetime as dt

from auditlog.models import LogEntry
from django.conf import settings
from django.contrib.admin.models import LogEntry as AdminAction

from momo.core.retention import Expired, OldRows, register


@register
def expired(*, now: dt.datetime) -> dict[str, Expired]:
    """Entries from before AUDIT_KEEP_DAYS, by a name in Chinese."""
    before = now - dt.timedelta(days=settings.AUDIT_KEEP_DAYS)
    return {
        "異動紀錄": OldRows(LogEntry.objects.filter(timestamp__lt=before)),
        "後台操作紀錄": OldRows(AdminAction.objects.filter(action_time__lt=before)),
    }
