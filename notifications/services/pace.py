"""What all processes that send share: the pace of a channel, and its pauses."""

from __future__ import annotations

import math
import random
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Case, F, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from notifications.models import OutboxMessage, Pace

LONGEST_PAUSE = 300.0  # seconds, unless a server asks for more
LONGEST_WAIT = 24 * 3600.0  # seconds, whatever a server asks for


def backoff(tries: int, *, longest: float = 3600) -> float:
    """Seconds to wait after so many attempts: doubled each time, never quite the same for two messages."""
    seconds = settings.OUTBOX_BACKOFF * 2.0 ** min(max(tries, 1) - 1, 30)
    return min(longest, seconds) * random.uniform(0.8, 1)  # noqa: S311 - no secret


def tries(message: OutboxMessage, now: datetime) -> int:
    """How many attempts count for the wait after the one that is under way: those since it is due (again).

    `attempts` are all that there ever were. Waits double, so the time since it is due tells how many of them fit in
    there; that is set anew when a person sends it again.
    """
    every = message.attempts + 1
    if not settings.OUTBOX_BACKOFF:
        return every
    waited = max(0.0, (now - message.due_at).total_seconds())
    return min(every, 1 + round(math.log2(1 + waited / settings.OUTBOX_BACKOFF)))


def open_slot(channel: str, now: datetime) -> datetime | None:
    """Lock the channel's pace until the transaction ends. Returns the first free moment; None while it is paused."""
    Pace.objects.bulk_create([Pace(channel=channel, next_at=now)], ignore_conflicts=True)
    pace = Pace.objects.select_for_update(no_key=True).get(channel=channel)
    if pace.paused_until is not None and pace.paused_until > now:
        return None
    return max(pace.next_at, now)


def take_slots(channel: str, until: datetime) -> None:
    """The next one may leave at `until`."""
    Pace.objects.filter(channel=channel).update(next_at=until)


def pause(channel: str, reason: str, *, wait: float | None = None, now: datetime | None = None) -> datetime:
    """Let nobody try the channel for a while, longer with each trouble in a row. Returns until when.

    Several processes that run into the same trouble at once count as one.
    """
    now = now or timezone.now()
    pace, _ = Pace.objects.get_or_create(channel=channel, defaults={"next_at": now})
    running = pace.paused_until is not None and pace.paused_until > now
    seconds = max(backoff(pace.troubles + (not running), longest=LONGEST_PAUSE), min(wait or 0, LONGEST_WAIT))
    until = now + timedelta(seconds=seconds)
    if running and pace.paused_until is not None:
        until = max(until, pace.paused_until) if wait else pace.paused_until
    Pace.objects.filter(pk=channel).update(
        troubles=Case(When(paused_until__gt=now, then=F("troubles")), default=F("troubles") + 1),
        troubled_since=Coalesce("troubled_since", now),
        paused_until=until,
        reason=reason,
    )
    return until


def resume(channel: str, *, over: bool = True) -> None:
    """The channel works (again). `over`: its trouble has ended, and what comes next is another one.

    A server that only puts a message off is there, but may be gone again before anything got through.
    """
    ended = {"troubled_since": None} if over else {}
    Pace.objects.filter(pk=channel, troubled_since__isnull=False).update(
        troubles=0, paused_until=None, reason="", **ended
    )


def is_troubled(channel: str) -> bool:
    """Whether its trouble goes on: attempts as a channel failed, and nothing got through since."""
    return Pace.objects.filter(pk=channel, troubled_since__isnull=False).exists()
