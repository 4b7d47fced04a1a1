"""The clean-up: deletes what every app declares in its `retention`, in bounded batches, once at a time.

A clean-up is a row of work. What is expired is decided by its `started_at`: a worker that continues it, after a kill or
after the time of a request, deletes the same rows. What was deleted is what was counted at the beginning less what is
left, which each attempt counts again, and so stays right whatever happens in between.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial

from django.conf import settings
from django.db import DatabaseError, IntegrityError, OperationalError, connection, transaction
from django.utils import timezone

from accounts.models import User
from momo.core.errors import Conflict, Unavailable, ValidationFailed
from momo.core.retention import Amount, Expired, all_expired
from momo.core.work import TRANSIENT, Heartbeat, run_work, sweep
from momo.system.models import Cleanup

logger = logging.getLogger(__name__)

WRITE_EVERY = 1.0  # seconds between two writes of the progress
QUERY_CANCELED = "57014"
IN_USE = "仍在使用，下次再刪"
NOT_DELETED = "沒有刪完，原因在系統紀錄裡"


@dataclass
class Line:
    """One kind of expired rows or files: how many were found, and how many of them are left."""

    name: str
    table: str
    rows: int = 0
    bytes: int = 0
    left_rows: int = 0
    left_bytes: int = 0
    over: bool = False  # nothing more is tried
    problem: str = ""

    @property
    def found(self) -> Amount:
        """What was counted."""
        return Amount(self.rows, self.bytes)

    @property
    def deleted(self) -> Amount:
        """What was deleted."""
        return self.found - Amount(self.left_rows, self.left_bytes)

    def leave(self, amount: Amount) -> None:
        """Set what is left."""
        self.left_rows, self.left_bytes = max(0, amount.rows), max(0, amount.bytes)


Show = Callable[[Sequence[Line]], object]


class _TimeIsUp(Exception):
    """A request has taken as long as it may."""


def lines_of(run: Cleanup) -> list[Line]:
    """The report of a clean-up; empty until everything is counted."""
    return [Line(**line) for line in run.report]


def preview_cleanup(*, only: Sequence[str] = (), seconds: float | None = None) -> list[Line]:
    """What a clean-up would delete now. Raises ValidationFailed for an unknown name, Unavailable after `seconds`."""
    expired = _chosen(all_expired(now=timezone.now()), only)
    try:
        return _count(expired, _deadline(seconds))
    except _TimeIsUp:
        raise Unavailable("清理的預覽", "資料太多，請在主機上執行 manage.py cleanup --dry-run") from None


def start_cleanup(*, trigger: Cleanup.Trigger, user: User | None = None, only: Sequence[str] = ()) -> Cleanup:
    """Start a clean-up in a worker. Raises Conflict while another one is unfinished, ValidationFailed."""
    run = _create(trigger=trigger, user=user, only=only)
    transaction.on_commit(run.enqueue)
    return run


def clean_up(
    *,
    trigger: Cleanup.Trigger,
    user: User | None = None,
    only: Sequence[str] = (),
    seconds: float | None = None,
    on_progress: Show | None = None,
) -> Cleanup:
    """Clean up in this process; after `seconds` a worker goes on. Goes on itself with one that no worker has yet.

    Raises Conflict while another process cleans up, ValidationFailed for an unknown name.
    """
    waiting = Cleanup.objects.filter(status__in=Cleanup.UNFINISHED, only=list(only)).first()
    run = waiting or _create(trigger=trigger, user=user, only=only)
    done = run_cleanup(run.pk, seconds=seconds, on_progress=on_progress)
    if done is None:
        raise _running(run)
    if done.status == Cleanup.Status.PENDING:
        done.enqueue()
    return done


def run_cleanup(run_id: int, *, seconds: float | None = None, on_progress: Show | None = None) -> Cleanup | None:
    """Work on a clean-up, for `seconds` at most if given; it is then pending. None as `run_work`."""
    attempt = partial(_attempt, until=_deadline(seconds), on_progress=on_progress)
    return run_work(Cleanup.objects.all(), run_id, attempt=attempt, end=_give_up)


def sweep_cleanups() -> None:
    """Release the clean-ups of silent workers, then enqueue those whose task was never sent, or is lost."""
    sweep(Cleanup.objects.all(), end=_give_up)


def _create(*, trigger: Cleanup.Trigger, user: User | None, only: Sequence[str]) -> Cleanup:
    now = timezone.now()
    _chosen(all_expired(now=now), only)
    try:
        with transaction.atomic():
            return Cleanup.objects.create(trigger=trigger, requested_by=user, only=list(only), started_at=now)
    except IntegrityError:
        raise _running(Cleanup.objects.filter(status__in=Cleanup.UNFINISHED).first()) from None


def _running(run: Cleanup | None) -> Conflict:
    return Conflict(f"資料清理 {run or ''} 還在進行，請等它結束")


def _chosen(expired: Mapping[str, Expired], only: Sequence[str]) -> dict[str, Expired]:
    unknown = [name for name in only if name not in expired]
    if unknown:
        raise ValidationFailed(fields={"only": [f"沒有「{'、'.join(unknown)}」；可用：{'、'.join(expired)}"]})
    return {name: what for name, what in expired.items() if not only or name in only}


def _deadline(seconds: float | None) -> float | None:
    return None if seconds is None else time.monotonic() + seconds


def _count(expired: Mapping[str, Expired], until: float | None) -> list[Line]:
    """Raises _TimeIsUp."""
    lines = []
    for name, what in expired.items():
        amount = _amount(what, until)
        line = Line(name, what.table, amount.rows, amount.bytes, over=not amount.rows)
        line.leave(amount)
        lines.append(line)
    return lines


def _amount(what: Expired, until: float | None) -> Amount:
    """What there is; a table of a hundred million rows takes minutes. Raises _TimeIsUp."""
    with transaction.atomic(), _statements_end(until):
        return what.amount()


@contextmanager
def _statements_end(until: float | None) -> Iterator[None]:
    """Let each statement of the transaction take no longer than `until`. Raises _TimeIsUp."""
    if until is None:
        yield
        return
    left = until - time.monotonic()
    if left <= 0:
        raise _TimeIsUp
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = {max(1, round(left * 1000))}")
    try:
        yield
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) == QUERY_CANCELED:
            raise _TimeIsUp from error
        raise
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout TO DEFAULT")


def _attempt(run: Cleanup, *, until: float | None, on_progress: Show | None) -> None:
    expired = _chosen(all_expired(now=run.started_at), run.only)
    with Heartbeat(run, seconds=settings.SYSTEM_HEARTBEAT_TIMEOUT / 4):
        try:
            lines = _counted(run, expired, until)
            report = _Report(run, lines, on_progress)
            for line in lines:
                if not line.over:
                    _delete(expired[line.name], line, report, until)
        except _TimeIsUp:
            run.give_back(message="由背景程式繼續")
            return
    _finish(run, lines)


def _counted(run: Cleanup, expired: Mapping[str, Expired], until: float | None) -> list[Line]:
    """The lines as they are now: counted by the first attempt, afterwards only what is left. Raises _TimeIsUp."""
    lines = [line for line in lines_of(run) if line.name in expired]
    if not lines:
        return _count(expired, until)
    for line in lines:
        if not line.over:
            line.leave(_amount(expired[line.name], until))
    return lines


class _Report:
    """Writes the progress of a clean-up into its row, and shows it."""

    def __init__(self, run: Cleanup, lines: Sequence[Line], on_progress: Show | None) -> None:
        self.run, self.lines, self.on_progress = run, lines, on_progress
        self.write()

    def write(self) -> None:
        """Write at once. Raises TakenOver."""
        self.run.beat(report=[asdict(line) for line in self.lines])
        self.written = time.monotonic()
        self._show()

    def changed(self) -> None:
        """Show, and write where the last write is some time ago. Raises TakenOver."""
        if time.monotonic() - self.written >= WRITE_EVERY:
            self.write()
        else:
            self._show()

    def _show(self) -> None:
        if self.on_progress is not None:
            self.on_progress(self.lines)


def _delete(what: Expired, line: Line, report: _Report, until: float | None) -> None:
    """Delete the rows of one line. Raises _TimeIsUp between two batches, with the progress written."""
    try:
        for amount in what.batches():
            line.leave(Amount(line.left_rows, line.left_bytes) - amount)
            report.changed()
            if until is not None and time.monotonic() >= until:
                report.write()
                raise _TimeIsUp
    except TRANSIENT:
        raise
    except (DatabaseError, OSError):
        # One table that cannot be cleaned up does not keep the others from it.
        logger.exception("failed to clean up %s", line.table)
        line.problem = NOT_DELETED
    else:
        line.problem = IN_USE if line.left_rows else ""
    line.over = True
    report.write()


def _finish(run: Cleanup, lines: Sequence[Line]) -> None:
    deleted = sum((line.deleted for line in lines), Amount())
    failed = [line.name for line in lines if line.problem == NOT_DELETED]
    run.finish(
        status=Cleanup.Status.FAILED if failed else Cleanup.Status.DONE,
        message=f"{'、'.join(failed)}{NOT_DELETED}" if failed else f"刪除 {deleted.rows:,} 筆",
        report=[asdict(line) for line in lines],
        finished_at=timezone.now(),
    )


def _give_up(run: Cleanup, attempts: int) -> None:
    message = f"試了 {attempts} 次都沒有完成；下一次清理會刪除剩下的"
    run.finish(status=Cleanup.Status.FAILED, message=message, finished_at=timezone.now())
