"""Lockout after repeated failures for one name from one address; django-axes counts in the database.

Counters in Valkey would be lost, or no login possible, while Valkey is down.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from axes.conf import settings as axes_settings
from axes.models import AccessAttempt
from django.db import connection
from django.db.models import Max
from django.http import HttpRequest
from django.utils import timezone

from momo.core.errors import RateLimited


def lock_pair(*, username: str, address: str) -> None:
    """Take the advisory lock of this pair until the end of the transaction.

    Without it, attempts sent at once would all be checked before the first of them is counted.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"login {address} {username}"])


def was_refused(request: HttpRequest) -> bool:
    """Whether the login of this request was refused before the password was checked.

    axes also marks the request with the last allowed failure as locked out; only that request has a count.
    """
    return bool(
        getattr(request, "axes_locked_out", False) and getattr(request, "axes_failures_since_start", None) is None
    )


def seconds_left(*, username: str, address: str) -> float:
    """Seconds until the pair may log in again."""
    failures = AccessAttempt.objects.filter(username=username, ip_address=address)
    cool_off: timedelta = axes_settings.AXES_COOLOFF_TIME
    last: datetime | None = failures.aggregate(last=Max("attempt_time"))["last"]
    return cool_off.total_seconds() if last is None else max(1.0, (last + cool_off - timezone.now()).total_seconds())


def locked_out(*, username: str, address: str) -> RateLimited:
    """The error of a refused login."""
    wait = seconds_left(username=username, address=address)
    return RateLimited(f"登入失敗次數過多，請於 {-int(-wait // 60)} 分鐘後再試", retry_after=wait)
