"""Durable work: rows that are worked off once, although workers, the broker and the database come and go.

A row is claimed by one worker, kept alive by heartbeats and finished only by the worker that still has it. Each claim
raises `attempt`, and every write of a worker asks for the `attempt` of its own claim. So a worker that was only slow,
and whose row another worker has claimed since, writes nothing any more (TakenOver). A task only makes work begin
sooner: the periodic sweep of its kind starts the task again when the broker was away or lost it.

`docs/work.md` shows how a new kind of work is added.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self, TypeVar

import psycopg
from celery import current_app
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError, connection, models, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError

import momo.celery  # noqa: F401 - creates the application that `current_app` is
from momo.core.errors import Unavailable
from momo.core.waits import backoff

logger = logging.getLogger(__name__)

# --- The database and the broker, which come and go -----------------------------------------------------------------

# The server is away, or chose this transaction as the victim of a deadlock. COPY raises psycopg's own classes.
TRANSIENT = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)

Result = TypeVar("Result")


def reconnect() -> None:
    """Close the connection, so that the next query opens a new one. Does nothing inside a transaction."""
    if not connection.in_atomic_block:
        connection.close()


def retry_transient(work: Callable[[], Result], *, seconds: float) -> Result:
    """Repeat `work` until the database takes it; `work` must be safe to repeat.

    Raises the last error of TRANSIENT after `seconds`, and at once inside a transaction, which cannot go on.
    """
    deadline = time.monotonic() + seconds
    attempts = 0
    while True:
        try:
            return work()
        except TRANSIENT:
            attempts += 1
            if time.monotonic() >= deadline or connection.in_atomic_block:
                raise
            reconnect()
            wait = backoff(attempts, base=0.1, longest=2)
            time.sleep(min(wait, max(0.0, deadline - time.monotonic())))


SILENT = 2.0  # seconds after which a broker counts as one that does not answer; one that is gone refuses at once
SILENCE_PAUSE = 5.0  # seconds for which such a broker is not asked again, by this process
_silent_until = 0.0


def require_task(name: str, *args: Any, advice: str = "請確認 REDIS_URL 的服務後再試", **options: Any) -> None:
    """Send a task for callers that must know. Raises Unavailable, with `advice`, when the broker is away.

    `options` are those of Celery's `send_task`: task_id, countdown, ...
    """
    global _silent_until
    begun = time.monotonic()
    try:
        if begun < _silent_until:
            raise BrokerError("it did not answer a moment ago")
        current_app.send_task(name, args=list(args), **options)
    except (BrokerError, RedisError, OSError) as error:
        if time.monotonic() - begun > SILENT:
            _silent_until = time.monotonic() + SILENCE_PAUSE
        logger.warning("task %s%r is not started, the broker is away: %s", name, args, error)
        raise Unavailable("訊息佇列", advice, retry_after=5) from error


def start_task(name: str, *args: Any, **options: Any) -> bool:
    """Send a task. False, and a line in the log, when the broker is away: the periodic sweep starts the task later."""
    try:
        require_task(name, *args, **options)
    except Unavailable:
        return False
    return True


@dataclass(frozen=True)
class _Start:
    """A start that is due at the commit; equal starts are one."""

    name: str
    args: tuple[Any, ...]
    options: tuple[tuple[str, Any], ...]

    def __call__(self) -> None:
        start_task(self.name, *self.args, **dict(self.options))


def start_task_on_commit(name: str, *args: Any, **options: Any) -> None:
    """Send a task when the transaction commits: once, however often the same start is asked for within it."""
    start = _Start(name, args, tuple(sorted(options.items())))
    # Django drops the starts of a savepoint that is rolled back, so that such a start is registered anew.
    if not any(entry[1] == start for entry in connection.run_on_commit):
        transaction.on_commit(start)


# --- Rows ------------------------------------------------------------------------------------------------------------


class TakenOver(RuntimeError):
    """Another worker claimed the row while this one was silent, or the row ended; what this one did is dropped."""


class AttemptFailed(RuntimeError):
    """This attempt failed and another may succeed. The text is kept in the row's `message`."""


class Work(models.Model):
    """Base of models whose rows are worked off once although workers die.

    Subclasses declare `status` with all its choices, "pending" and "running" among them, and `message`. A pending row
    has in `heartbeat_at` when its task was last sent, None if it must be sent; a running row when its worker was last
    heard of.
    """

    PENDING: ClassVar[str] = "pending"
    RUNNING: ClassVar[str] = "running"
    UNFINISHED: ClassVar[tuple[str, ...]] = (PENDING, RUNNING)

    task: ClassVar[str]  # Celery task that takes a row's id
    timeout_setting: ClassVar[str]  # setting: seconds without heartbeat after which a worker counts as dead
    attempts_setting: ClassVar[str]  # setting: attempts before a row is given up

    status = models.CharField("狀態", max_length=10, default=PENDING)  # subclasses add their choices
    attempt = models.PositiveSmallIntegerField("嘗試次數", default=0)
    heartbeat_at = models.DateTimeField("最近回報", null=True, blank=True)

    class Meta:
        abstract = True

    @classmethod
    def attempts_allowed(cls) -> int:
        """Return how many attempts a row has."""
        allowed: int = getattr(settings, cls.attempts_setting)
        return allowed

    @classmethod
    def is_silent(cls, now: datetime) -> Q:
        """Condition: nothing was heard of the row for the time-out, whatever its status."""
        return Q(heartbeat_at__lt=now - timedelta(seconds=getattr(settings, cls.timeout_setting)))

    @property
    def task_id(self) -> str:
        """Id of the task of the next attempt: sent twice, it asks for the same thing."""
        return f"{self.task}-{self.pk}-{self.attempt + 1}"

    @property
    def is_unwanted(self) -> bool:
        """Whether the sweep is to end the row instead of having it tried again."""
        return False

    def claim_values(self) -> Mapping[str, Any]:
        """Return the columns that a claim sets beside status, attempt and heartbeat."""
        return {}

    def release_values(self) -> Mapping[str, Any]:
        """Return the columns that giving back sets beside status and heartbeat."""
        return {}

    def mine(self) -> QuerySet[Self]:
        """Return this row, if the claim that this object holds is still in force; else no row."""
        return type(self)._base_manager.filter(pk=self.pk, attempt=self.attempt, status=self.RUNNING)

    def beat(self, **values: Any) -> None:
        """Write a heartbeat, and progress with it. Raises TakenOver."""
        if not self.mine().update(heartbeat_at=timezone.now(), **values):
            raise TakenOver

    def finish(self, *, status: str, **values: Any) -> None:
        """End the row; in the transaction that makes its results count. Raises TakenOver."""
        self.beat(status=status, **values)

    def give_back(self, **values: Any) -> bool:
        """Leave the row, if it is still ours, to the next worker.

        False when the database is away; the sweep then releases the row after the time-out.
        """
        try:
            self.mine().update(status=self.PENDING, heartbeat_at=None, **self.release_values(), **values)
        except TRANSIENT:
            reconnect()
            return False
        return True

    def enqueue(self) -> bool:
        """Start the task of a pending row and record when. False when the broker is away; the sweep starts it later."""
        if not start_task(self.task, self.pk, task_id=self.task_id):
            return False
        type(self)._base_manager.filter(pk=self.pk, status=self.PENDING).update(heartbeat_at=timezone.now())
        return True


Row = TypeVar("Row", bound=Work)
# Ends a row that is claimed, and of which so many attempts were made in vain. May raise TakenOver.
End = Callable[[Row, int], object]


def claim(rows: QuerySet[Row], row_id: int) -> Row | None:
    """Claim a row that is pending or whose worker is silent; None if it is neither, or not among `rows`."""
    now = timezone.now()
    free = Q(status=Work.PENDING) | Q(rows.model.is_silent(now), status=Work.RUNNING)
    row = rows.filter(free, pk=row_id).first()
    if row is None:
        return None
    values = {"status": Work.RUNNING, "attempt": row.attempt + 1, "heartbeat_at": now, **row.claim_values()}
    # Compared with the attempt that was read, and without the joins that `rows` may have: with a join PostgreSQL
    # decides by the state before it waited for the other claim, and both would succeed.
    if not rows.model._base_manager.filter(free, pk=row_id, attempt=row.attempt).update(**values):
        return None
    for name, value in values.items():
        setattr(row, name, value)
    return row


def run_work(rows: QuerySet[Row], row_id: int, *, attempt: Callable[[Row], object], end: End[Row]) -> Row | None:
    """Claim a row and call `attempt` with it until one attempt succeeds; `end` when the attempts are used up.

    An attempt may raise AttemptFailed and errors of TRANSIENT, and is then repeated on a new claim. `attempt` and
    `end` finish the row themselves. Returns the row as it ended; None if there was nothing to do for this worker, the
    row was taken over, or the database stays away.
    """
    while (row := claim(rows, row_id)) is not None:
        try:
            if row.attempt > row.attempts_allowed():
                end(row, row.attempt - 1)
            else:
                attempt(row)
        except TakenOver:
            logger.warning("%r was taken over by another worker", row)
            return None
        except (AttemptFailed, *TRANSIENT) as error:
            logger.warning("%r, attempt %s: %s", row, row.attempt, error)
            reconnect()
            if not row.give_back(**({"message": str(error)} if isinstance(error, AttemptFailed) else {})):
                return None
        except (KeyboardInterrupt, SystemExit):
            # The next worker, often started within seconds, need not wait for the time-out.
            row.give_back()
            raise
        else:
            row.refresh_from_db()
            return row
    return None


def release_silent(rows: QuerySet[Row], *, end: End[Row]) -> list[Row]:
    """Take running rows from silent workers: pending again, or ended when unwanted or without attempts left.

    Returns the rows that changed.
    """
    now = timezone.now()
    changed = []
    for row in rows.filter(row_is_silent := rows.model.is_silent(now), status=Work.RUNNING).order_by("pk"):
        # The worker may report after all, or another sweep may be quicker.
        still = row.mine().filter(row_is_silent)
        if row.is_unwanted or row.attempt >= row.attempts_allowed():
            if not still.update(heartbeat_at=now):
                continue
            try:
                end(row, row.attempt)
            except TakenOver:
                continue
        elif not still.update(status=Work.PENDING, heartbeat_at=None, **row.release_values()):
            continue
        row.refresh_from_db()
        changed.append(row)
    return changed


def enqueue_waiting(rows: QuerySet[Row]) -> int:
    """Send the tasks of pending rows that were never sent, or so long ago that the broker lost them. Returns how many.

    Stops at the first task that the broker does not take.
    """
    unsent = Q(heartbeat_at=None) | rows.model.is_silent(timezone.now())
    sent = 0
    for row in rows.filter(unsent, status=Work.PENDING).order_by("pk"):
        if not row.enqueue():
            break
        sent += 1
    return sent


def sweep(rows: QuerySet[Row], *, end: End[Row]) -> None:
    """What the periodic task of a kind of work does: release silent rows, then enqueue what waits."""
    release_silent(rows, end=end)
    enqueue_waiting(rows)


class Heartbeat:
    """Writes the heartbeat of `row` every `seconds` while the block lasts and the row is still ours.

    The thread has a database connection of its own, so that heartbeats are seen while the worker's transaction is
    open. Subclasses override `values` to write progress with each heartbeat.
    """

    def __init__(self, row: Work, *, seconds: float) -> None:
        self.row = row
        self.seconds = seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"heartbeat-{row}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        # The thread may wait for a server that is gone; it does no harm then.
        self._thread.join(timeout=5)

    def values(self) -> Mapping[str, Any]:
        """Return the columns to write with a heartbeat; called in the thread."""
        return {}

    def _beat(self) -> None:
        try:
            while not self._stop.wait(self.seconds):
                try:
                    self.row.beat(**self.values())
                except TakenOver:
                    return
                except (DatabaseError, psycopg.Error) as error:
                    logger.warning("heartbeat of %r is not written: %s", self.row, error)
                    reconnect()
        finally:
            reconnect()
