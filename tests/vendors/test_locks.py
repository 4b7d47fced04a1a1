"""Services that change the same rows at once: they wait for each other, and never as in a circle."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from tests.kit.processes import wait_until
from tests.kit.threads import at_once
from tests.vendors.mailing import send
from tests.vendors.makers import make_batch, make_stockout, make_vendor
from tests.vendors.reports import out, publish, undo
from vendors.models import Stockout, VendorMail
from vendors.services.closing import close_restocked, lock_rows, lock_stockouts, resolve
from vendors.services.merge import merge_vendors
from vendors.services.vendors import delete_vendor, save_address

pytestmark = pytest.mark.django_db(transaction=True)

WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"


def impatient(work: Callable[[], Any]) -> Any:
    """`work`, which gives up instead of waiting."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '100ms'")
        return work()


def test_no_row_is_closed_or_moved_while_a_report_is_compared_with_it() -> None:
    old, new = make_vendor(), make_vendor()
    row = make_stockout(old)
    works: list[Callable[[], Any]] = [
        lambda: resolve(ids=[row.pk], user=None),
        close_restocked,
        lambda: merge_vendors(source=old, target=new),
        lambda: delete_vendor(vendor=new),
    ]
    with transaction.atomic(), connection.cursor() as cursor:
        lock_stockouts(cursor)
        answers = at_once(*(lambda work=work: impatient(work) for work in works))
    assert [type(answer) for answer in answers] == [OperationalError] * 4
    assert Stockout.objects.filter(status="pending", vendor=old).count() == 1


def test_undo_locks_rows_in_the_order_of_their_ids() -> None:
    publish([out("1"), out("2")])
    middle, _ = publish([out("2"), out("3")])
    again, repeated = publish([out("1"), out("3")])[0].lines.order_by("pk")  # of a closed row, and of one that goes
    assert repeated.duplicate_of is not None
    holds = threading.Event()

    def hold_the_first() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            lock_rows(Stockout.objects.filter(pk=again.pk))
            holds.set()
            wait_until(lambda: cursor.execute(WAITING) or cursor.fetchone()[0], "undo waits for the first row")
            Stockout.objects.select_for_update(nowait=True).get(pk=repeated.pk)

    answers = at_once(hold_the_first, lambda: holds.wait(30) and undo(middle))
    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    assert not Stockout.objects.filter(batch=middle).exists()


def test_services_that_change_many_rows_at_once_do_not_block_each_other() -> None:
    old, new, without = make_vendor("A", "a@example.com"), make_vendor("B", "b@example.com"), make_vendor("C")
    batch = make_batch()
    rows = [make_stockout(vendor, batch) for _ in range(40) for vendor in (old, new, without)]
    send(*rows)
    Stockout.objects.filter(vendor=old).update(status="failed")
    VendorMail.objects.update(status="sent", sent_at="2026-11-01T00:00Z")
    listed = [out(row.product_code, row.vendor.code) for row in reversed(rows)]
    answers = at_once(
        lambda: send(*rows),
        lambda: save_address(vendor=without, email="c@example.com"),
        lambda: merge_vendors(source=old, target=new),
        lambda: resolve(ids=[row.pk for row in reversed(rows[:60])], user=None),
        lambda: publish(listed),
    )
    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    assert not Stockout.objects.filter(vendor=without, status="no_email").exists(), "there is an address"
    lost = Stockout.objects.exclude(status="resolved").filter(duplicate_of__status="resolved")
    assert not lost.exists(), "what is open is worked on"
