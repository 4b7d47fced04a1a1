"""Old runs of reports, which the clean-up counts and deletes."""

from __future__ import annotations

import datetime as dt

from django.conf import settings

from momo.core.retention import Expired, OldRows, register
from momo.reports.models import ReportRun


@register
def expired(*, now: dt.datetime) -> dict[str, Expired]:
    """Those that ended before AUDIT_KEEP_DAYS, by a name in Chinese."""
    before = now - dt.timedelta(days=settings.AUDIT_KEEP_DAYS)
    return {"報表紀錄": OldRows(ReportRun.objects.filter(finished_at__lt=before))}
