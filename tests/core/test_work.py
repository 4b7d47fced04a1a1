"""Rows of work: one worker at a time, nothing of a worker that was taken over, nothing left behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone

from momo.core.work import (
    AttemptFailed,
    Heartbeat,
    TakenOver,
    Work,
    claim,
    enqueue_waiting,
    release_silent,
    run_work,
    sweep,
)
from tests.core.pieces import Box, Piece, fall_silent, piece, pieces
from tests.kit.processes import wait_until
from tests.kit.threads import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_pieces")]
committing = pytest.mark.django_db(transaction=True)


def claimed(row: Piece) -> Piece:
    found = claim(pieces(), row.pk)
    assert found is not None
    return found


def done(row: Piece) -> None:
    row.finish(status="done")


def fail(row: Piece, attempts: int) -> None:
    row.finish(status="failed", message=f"{attempts} 次；{row.message}")


def state(row: Piece) -> tuple[str, int, str]:
    row.refresh_from_db()
    return row.status, row.attempt, row.message


# --- Claim ----------------------------------------------------------------------------------------------------------


def test_a_pending_row_is_claimed_once() -> None:
    row = claimed(piece())
    assert (row.status, row.attempt, row.stage) == ("running", 1, "claimed")
    assert row.heartbeat_at is not None
    kept = Piece.objects.get()
    assert (kept.status, kept.attempt, kept.stage, kept.heartbeat_at) == ("running", 1, "claimed", row.heartbeat_at)
    assert claim(pieces(), row.pk) is None


@pytest.mark.parametrize("values", [{"status": "done"}, {"status": "failed"}])
def test_a_row_that_has_ended_is_not_claimed(values: dict[str, Any]) -> None:
    assert claim(pieces(), piece(**values).pk) is None


def test_only_rows_of_the_query_are_claimed() -> None:
    row = piece()
    Box.objects.update(is_open=False)
    assert claim(pieces(), row.pk) is None
    assert claim(pieces(), 0) is None
    assert state(row) == ("pending", 0, "")


@committing
def test_of_eight_connections_one_claims() -> None:
    row = piece()
    answers = at_once(*[lambda: claim(pieces(), row.pk)] * 8)
    assert sum(isinstance(answer, Piece) for answer in answers) == 1
    assert answers.count(None) == 7
    assert state(row)[1] == 1


@committing
def test_a_claim_that_waited_for_another_fails() -> None:
    """With a join in the UPDATE PostgreSQL would judge by the state before the wait, and both would have the row."""
    row = piece()
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.extend(at_once(lambda: claim(pieces(), row.pk))))
    with transaction.atomic():
        claimed(row)
        thread.start()
        wait_until(_is_anybody_waiting, "the other claim to wait", every=0.02)
    thread.join(20)
    assert answers == [None]
    assert state(row)[:2] == ("running", 1)


def _is_anybody_waiting() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


def test_a_silent_row_is_claimed_by_another_worker() -> None:
    old = claimed(piece())
    fall_silent(old, 55)
    assert claim(pieces(), old.pk) is None
    fall_silent(old, 65)
    new = claimed(old)
    assert (old.attempt, new.attempt) == (1, 2)


# --- Fencing --------------------------------------------------------------------------------------------------------


def test_a_worker_that_was_taken_over_writes_nothing() -> None:
    old = claimed(piece())
    fall_silent(old)
    new = claimed(old)
    for write in (old.beat, lambda: old.beat(stage="late"), lambda: old.finish(status="done")):
        with pytest.raises(TakenOver):
            write()
    assert old.give_back()
    assert (state(new), new.stage) == (("running", 2, ""), "claimed")
    new.finish(status="done", message="fertig")
    assert state(new) == ("done", 2, "fertig")
    with pytest.raises(TakenOver):
        new.finish(status="failed")
    with pytest.raises(TakenOver):
        new.beat()


def test_a_heartbeat_carries_progress() -> None:
    row = claimed(piece())
    fall_silent(row)
    row.beat(stage="half")
    kept = Piece.objects.get()
    assert kept.stage == "half"
    assert kept.heartbeat_at is not None
    assert timezone.now() - kept.heartbeat_at < timedelta(seconds=20)
    assert claim(pieces(), row.pk) is None


def test_giving_back() -> None:
    row = claimed(piece())
    assert row.give_back(message="later")
    assert state(row) == ("pending", 1, "later")
    assert (row.heartbeat_at, row.stage) == (None, "waiting")
    assert claimed(row).attempt == 2


def test_a_database_that_is_away_leaves_giving_back_to_the_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    row = claimed(piece())

    def away(self: Piece) -> None:
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(Piece, "mine", away)
    assert not row.give_back()
    assert state(row)[0] == "running"


# --- Attempts -------------------------------------------------------------------------------------------------------


def attempts_of(*outcomes: Any) -> Callable[[Piece], None]:
    """Raises these in turn, and then succeeds."""
    left = list(outcomes)

    def attempt(row: Piece) -> None:
        outcome = left.pop(0) if left else None
        if outcome is not None:
            raise outcome
        done(row)

    return attempt


def test_an_attempt_that_succeeds() -> None:
    row = run_work(pieces(), piece().pk, attempt=done, end=fail)
    assert row is not None
    assert (row.status, row.attempt) == ("done", 1)
    assert run_work(pieces(), row.pk, attempt=done, end=fail) is None, "it has ended"


@pytest.mark.parametrize(
    "error",
    [
        AttemptFailed("the child died"),
        OperationalError("deadlock detected"),
        InterfaceError("connection already closed"),
        psycopg.OperationalError("server closed the connection"),
        psycopg.InterfaceError("the connection is closed"),
    ],
)
def test_what_may_pass_is_tried_again(error: Exception) -> None:
    row = run_work(pieces(), piece().pk, attempt=attempts_of(error, error), end=fail)
    assert row is not None
    assert (row.status, row.attempt) == ("done", 3)


def test_attempts_are_exhausted() -> None:
    outcomes = [AttemptFailed("one"), AttemptFailed("two"), AttemptFailed("three")]
    row = run_work(pieces(), piece().pk, attempt=attempts_of(*outcomes), end=fail)
    assert row is not None
    assert state(row) == ("failed", 4, "3 次；three")


def test_another_error_is_not_tried_again() -> None:
    row = piece()
    with pytest.raises(ZeroDivisionError):
        run_work(pieces(), row.pk, attempt=attempts_of(ZeroDivisionError()), end=fail)
    assert state(row)[:2] == ("running", 1), "the sweep decides, when the worker counts as dead"


def test_a_worker_that_is_taken_over_leaves_the_row_alone() -> None:
    row = piece()

    def sleep(held: Piece) -> None:
        fall_silent(held)
        claimed(held)
        done(held)

    assert run_work(pieces(), row.pk, attempt=sleep, end=fail) is None
    assert state(row)[:2] == ("running", 2)


@pytest.mark.parametrize("signal", [KeyboardInterrupt, SystemExit])
def test_a_worker_that_is_stopped_gives_the_row_back(signal: type[BaseException]) -> None:
    row = piece()
    with pytest.raises(signal):
        run_work(pieces(), row.pk, attempt=attempts_of(signal()), end=fail)
    assert state(row)[:2] == ("pending", 1)
    assert row.heartbeat_at is None


# --- Sweep ----------------------------------------------------------------------------------------------------------


def test_the_sweep_releases_silent_rows_only(sent: list[Any]) -> None:
    silent, alive, waiting = claimed(piece()), claimed(piece()), piece(heartbeat_at=timezone.now())
    fall_silent(silent)
    sweep(pieces(), end=fail)
    assert (state(silent)[:2], silent.stage) == (("pending", 1), "waiting")
    assert state(alive)[0] == "running"
    assert state(waiting)[0] == "pending"
    assert sent == [("tests.piece", [silent.pk], {"task_id": f"tests.piece-{silent.pk}-2"})]
    sweep(pieces(), end=fail)
    assert len(sent) == 1, "it was sent just now"


def test_the_sweep_ends_rows_without_attempts_left() -> None:
    row = piece()
    for _ in range(3):
        fall_silent(claimed(row))
    assert release_silent(pieces(), end=fail) == [row]
    assert state(row) == ("failed", 3, "3 次；")
    assert release_silent(pieces(), end=fail) == []


def test_the_sweep_ends_rows_that_are_unwanted() -> None:
    row = claimed(piece(cancelled=True))
    fall_silent(row)
    release_silent(pieces(), end=lambda one, _: one.finish(status="cancelled"))
    assert state(row)[:2] == ("cancelled", 1)


def test_a_worker_that_reports_in_the_last_moment_keeps_its_row(monkeypatch: pytest.MonkeyPatch) -> None:
    last, other = claimed(piece(attempt=2)), claimed(piece())
    for row in (last, other):
        fall_silent(row)
    mine = Piece.mine

    def report(self: Piece) -> Any:
        Piece.objects.filter(pk=self.pk).update(heartbeat_at=timezone.now())
        return mine(self)

    monkeypatch.setattr(Piece, "mine", report)
    assert release_silent(pieces(), end=fail) == []
    assert [state(last)[0], state(other)[0]] == ["running", "running"]


@committing
def test_sweeps_at_once_end_a_row_once() -> None:
    row = piece()
    for _ in range(3):
        fall_silent(claimed(row))
    answers = at_once(*[lambda: release_silent(pieces(), end=fail)] * 4)
    assert sorted(answers, key=len) == [[], [], [], [row]]


def test_rows_are_sent_again_when_the_broker_lost_them(sent: list[Any], settings: Any) -> None:
    never, lately, long_ago = piece(), piece(heartbeat_at=timezone.now()), piece()
    fall_silent(long_ago)
    assert enqueue_waiting(pieces()) == 2
    assert [args for _, args, _ in sent] == [[never.pk], [long_ago.pk]]
    never.refresh_from_db()
    assert never.heartbeat_at is not None
    assert lately.status == Work.PENDING


def test_a_broker_that_is_away_leaves_rows_to_the_next_sweep(broken_broker: None) -> None:
    rows = [piece(), piece()]
    assert not rows[0].enqueue()
    assert enqueue_waiting(pieces()) == 0
    assert list(Piece.objects.values_list("status", "heartbeat_at")) == [("pending", None)] * 2


def test_a_row_that_a_worker_claimed_already_keeps_its_heartbeat(sent: list[Any]) -> None:
    row = piece()
    now = claimed(row).heartbeat_at
    assert row.enqueue()
    row.refresh_from_db()
    assert row.heartbeat_at == now


# --- Heartbeat ------------------------------------------------------------------------------------------------------


def beats(row: Piece) -> Any:
    """Its heartbeat, as a connection of its own sees it."""
    (answer,) = at_once(lambda: Piece.objects.get(pk=row.pk).heartbeat_at)
    return answer


@committing
def test_a_heartbeat_is_seen_while_the_transaction_is_open() -> None:
    row = claimed(piece())
    before = beats(row)
    with Heartbeat(row, seconds=0.05), transaction.atomic():
        piece()
        wait_until(lambda: beats(row) > before, "a heartbeat", every=0.02)
    after = beats(row)
    time.sleep(0.2)
    assert beats(row) == after, "it ends with its block"


@committing
def test_a_heartbeat_ends_when_the_row_is_taken_over() -> None:
    row = claimed(piece())
    with Heartbeat(row, seconds=0.02) as heartbeat:
        Piece.objects.update(attempt=9)
        wait_until(lambda: not heartbeat._thread.is_alive(), "the thread to end", every=0.02)


@committing
def test_a_heartbeat_survives_a_lost_connection() -> None:
    row = claimed(piece())
    with Heartbeat(row, seconds=0.05):
        wait_until(lambda: beats(row) > row.heartbeat_at, "a heartbeat", every=0.02)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND query LIKE 'UPDATE \"core_tests_piece\"%'"
            )
            assert cursor.fetchall()
        cut = timezone.now()
        wait_until(lambda: beats(row) > cut, "a heartbeat on a new connection", every=0.02)
