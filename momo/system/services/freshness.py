"""Alerts about data that are older than their objective."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from momo.system.selectors.freshness import Freshness, stale
from notifications.events import ALERT_EVENT
from notifications.services.notify import notify


def alert_stale() -> int:
    """Enqueue an alert about each kind of data that is stale, once: the key names the moment of its newest data.

    Returns how many messages were enqueued.
    """
    with transaction.atomic():
        return sum(
            notify(
                ALERT_EVENT,
                key=f"{ALERT_EVENT}:stale:{kind.kind}:{kind.at:%Y%m%dT%H%M%S%z}",
                variables={"title": f"{kind.label}太久沒有更新", "message": _message(kind), "severity": "warning"},
            )
            for kind in stale()
        )


def _message(kind: Freshness) -> str:
    assert kind.at is not None
    at = timezone.localtime(kind.at)
    page = f"{settings.PUBLIC_URL}{reverse('admin:system_status')}"
    return f"最新的資料到 {at:%Y-%m-%d %H:%M} 為止，已超過 {kind.hours} 小時。{kind.note}\n{page}"
