"""Notifies of schedules whose run did not start. Workers ask for it, since beat, which may be what stopped, cannot."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from momo.core.work import start_task
from momo.system.selectors.schedules import Overdue, missed_runs
from notifications.events import ALERT_EVENT
from notifications.services.notify import notify

CHECK_TASK = "system.check_schedules"
CHECK_SECONDS = 300
CHECKED_KEY = "system:schedules_checked"


def start_check(**kwargs: Any) -> None:
    """Receiver of `heartbeat_sent`: start the check every CHECK_SECONDS, whichever worker beats first."""
    if cache.add(CHECKED_KEY, 1, CHECK_SECONDS):
        start_task(CHECK_TASK)


def alert_overdue(*, now: datetime | None = None) -> int:
    """Enqueue an alert for each run that did not start, one for all where beat itself stopped.

    Each is notified once: its key is the moment at which the run was due. Returns how many messages were enqueued.
    """
    now = now or timezone.now()
    with transaction.atomic():
        missed = missed_runs(now=now)
        if missed.beat_stopped:
            return _alert("beat", missed.runs[0], "排程沒有在執行", _stopped_message(missed.runs))
        return sum(
            _alert(str(one.task.pk), one, f"排程沒有執行：{one.task.name}", _missed_message(one)) for one in missed.runs
        )


def _stopped_message(missed: list[Overdue]) -> str:
    names = "、".join(one.task.name for one in missed[:5]) + (f" 等 {len(missed)} 個" if len(missed) > 5 else "")
    return f"從 {_clock(missed[0].due)} 起沒有任何排程開始：{names}。請確認排程程式（celery beat）有在執行。"


def _missed_message(one: Overdue) -> str:
    return f"「{one.task.name}」應該在 {_clock(one.due)} 開始，到現在還沒有。請到「排程」查看設定，再看排程程式的紀錄。"


def _clock(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M}"


def _alert(what: str, one: Overdue, title: str, message: str) -> int:
    key = f"schedule:{what}:{one.due.astimezone(UTC):%Y%m%dT%H%M}"
    return notify(ALERT_EVENT, key=key, variables={"title": title, "message": message, "severity": "critical"})
