"""Examples of bodies in the OpenAPI document."""

from __future__ import annotations

from typing import Any

USER: dict[str, Any] = {
    "id": 7,
    "username": "amy.chen",
    "email": "amy.chen@example.com",
    "display_name": "陳艾咪",
    "role": "manager",
    "is_active": True,
    "must_change_password": False,
    "last_login": "2026-01-29T09:12:00+08:00",
    "date_joined": "2026-01-02T10:00:00+08:00",
    "password_changed_at": "2026-01-02T10:00:00+08:00",
}
NEW_USER = {
    "username": "amy.chen",
    "email": "amy.chen@example.com",
    "password": "Kopi-luwak-2026",
    "role": "user",
    "display_name": "陳艾咪",
}
ATTEMPT = {
    "id": 4711,
    "time": "2026-01-29T09:12:00+08:00",
    "username": "amy.chen",
    "user_id": 7,
    "address": "203.0.113.7",
    "user_agent": "Mozilla/5.0",
    "success": False,
    "outcome": "failure",
    "reason": "wrong_password",
    "reason_text": "密碼錯誤",
}
