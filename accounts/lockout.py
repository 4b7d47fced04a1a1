"""Lock-out after repeated failures for one name from one address; django-axes counts in the database.

The database, because counters in Redis would be gone, or the door shut, whenever Redis is away.
"""

from __future__ import annotations

from typing import Any

from axes.conf import settings as axes_settings
from axes.models import AccessAttempt
from django.db import connection
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from momo.rest.errors import RateLimited
from momo.rest.middleware import failure_envelope


def take_turn(*, username: str, address: str) -> None:
    """Wait until no other try of this pair is being looked at; ends with the transaction that this is called in.

    Many at once would otherwise all be looked at before the first of them is counted.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"login {address} {username}"])


def was_refused(request: HttpRequest) -> bool:
    """Whether the login of this request was refused before the password was looked at.

    axes marks the request that made the last allowed failure as locked out too; only that one has a count.
    """
    return bool(
        getattr(request, "axes_locked_out", False) and getattr(request, "axes_failures_since_start", None) is None
    )


def seconds_left(*, username: str, address: str) -> float:
    """Until the pair may try again."""
    last = AccessAttempt.objects.filter(username=username, ip_address=address).aggregate(last=Max("attempt_time"))
    cool_off = axes_settings.AXES_COOLOFF_TIME
    if last["last"] is None:
        return cool_off.total_seconds()
    return max(1.0, (last["last"] + cool_off - timezone.now()).total_seconds())


def locked_out(*, username: str, address: str) -> RateLimited:
    """The failure to raise for a refused login."""
    wait = seconds_left(username=username, address=address)
    return RateLimited(f"登入失敗次數過多，請於 {-int(-wait // 60)} 分鐘後再試", retry_after=wait)


def lockout_response(request: HttpRequest, response: HttpResponse | None, credentials: dict[str, Any]) -> HttpResponse:
    """What axes' middleware answers instead of `response`: our login answers itself, other doors get 429."""
    if response is not None and (request.path_info == "/login" or not was_refused(request)):
        return response
    username = str(credentials.get("username") or "")
    return failure_envelope(locked_out(username=username, address=request.axes_ip_address))  # type: ignore[attr-defined]
