"""What may be forgotten, and what not yet."""

from __future__ import annotations

import datetime as dt

import time_machine
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts.models import LoginAttempt, LoginSession, User
from accounts.retention import expired
from accounts.views import lockout_response
from tests.kit.users import PASSWORD


def counts(**ahead: int) -> dict[str, int]:
    rows = expired(now=timezone.now() + dt.timedelta(**ahead))
    return {name: queryset.count() for name, queryset in rows.items()}


def test_expired(user: User) -> None:
    Client().post("/login", {"username": "amy", "password": PASSWORD})
    Client().post("/login", {"username": "amy", "password": "x"})
    assert counts() == {"登入紀錄": 0, "登入失敗計數": 0, "重複請求紀錄": 0, "過期的登入": 0}
    assert counts(minutes=16)["登入失敗計數"] == 1
    assert counts(hours=9)["過期的登入"] == 1
    assert counts(days=366)["登入紀錄"] == 2
    for queryset in expired(now=timezone.now() + dt.timedelta(days=366)).values():
        queryset.delete()
    assert (LoginAttempt.objects.count(), LoginSession.objects.count()) == (0, 0)


def test_lock_out_at_another_door(user: User) -> None:
    """A login form of another package is answered by axes' middleware, through `lockout_response`."""
    request = RequestFactory().post("/other/login")
    request.axes_locked_out = True  # type: ignore[attr-defined]
    request.axes_ip_address = "1.1.1.1"  # type: ignore[attr-defined]
    with time_machine.travel("2026-01-29T06:00:00Z", tick=False):
        response = lockout_response(request, None, {"username": "amy"})
    assert response["Retry-After"] == "900"
    assert response.status_code == 429
