"""Rows that the clean-up of the whole system may count or delete."""

from __future__ import annotations

import datetime as dt

from axes.models import AccessAttempt
from django.conf import settings

from accounts.idempotency import KEEP
from accounts.models import IdempotencyRecord, LoginAttempt, LoginSession
from momo.core.retention import Expired, OldRows, register


@register
def expired(*, now: dt.datetime) -> dict[str, Expired]:
    """Expired rows at `now`, by a name in Chinese. Tokens stay: the audit trail refers to them."""
    history = now - dt.timedelta(days=settings.LOGIN_HISTORY_DAYS)
    return {
        "登入紀錄": OldRows(LoginAttempt.objects.filter(time__lt=history)),
        "登入失敗計數": OldRows(AccessAttempt.objects.filter(attempt_time__lt=now - settings.AXES_COOLOFF_TIME)),
        "重複請求紀錄": OldRows(IdempotencyRecord.objects.filter(created_at__lt=now - KEEP)),
        "過期的登入": OldRows(LoginSession.objects.filter(expire_date__lt=now)),
    }
