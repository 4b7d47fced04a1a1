"""Old clean-ups and restarts, which the clean-up counts and deletes."""

from __future__ import annotations

import datetime as dt

from django.conf import settings

from momo.core.retention import Expired, OldRows, register
from momo.system.models import Cleanup, Rollout


@register
def expired(*, now: dt.datetime) -> dict[str, Expired]:
    """Those that ended before AUDIT_KEEP_DAYS, by a name in Chinese."""
    before = now - dt.timedelta(days=settings.AUDIT_KEEP_DAYS)
    return {
        "資料清理": OldRows(Cleanup.objects.filter(finished_at__lt=before)),
        "重新啟動": OldRows(Rollout.objects.filter(finished_at__lt=before)),
    }
