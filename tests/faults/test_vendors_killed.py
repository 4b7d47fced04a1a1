"""kill -9 of the worker that prepares mails to vendors, and of PostgreSQL: one mail a vendor, whatever was killed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

from notifications.models import OutboxMessage
from tests.faults.harness import House, KillWorld
from tests.faults.imports import kill_postgres
from tests.kit.processes import wait_until
from tests.vendors.mailing import delivered, send
from tests.vendors.makers import make_batch, make_stockout, make_vendor
from vendors.models import Stockout, VendorMail, VendorSending
from vendors.services.prepare import AT_ONCE, run_sending, sweep_sendings

pytestmark = pytest.mark.faults

VENDORS = AT_ONCE + 3
PREPARE = "from vendors.services.prepare import run_sending\nrun_sending({})"


def kill_program(world: KillWorld) -> None:
    for program in world.others:
        program.kill()
        program.wait()


KILLS: dict[str, Callable[[Any], None]] = {"program": kill_program, "postgres": kill_postgres}


@pytest.fixture
def world(house: House, django_db_blocker: DjangoDbBlocker, settings: Any) -> Iterator[KillWorld]:
    settings.VENDOR_HEARTBEAT_TIMEOUT = 1.0
    with django_db_blocker.unblock():
        made = KillWorld(house)
        with made.opened(house.empty, worker=False):
            yield made


@pytest.fixture
def sending(world: KillWorld) -> VendorSending:
    """Two rows for each vendor."""
    batch = make_batch()
    vendors = [make_vendor(f"V{number:03}", f"{number}@example.com") for number in range(VENDORS)]
    made = send(*(make_stockout(vendor, batch) for vendor in vendors for _ in range(2))).sending
    assert made is not None
    return made


def recover(sending: VendorSending) -> None:
    """Sweep, and work as the task does, until the sending has ended."""

    def ended() -> bool:
        sweep_sendings()
        run_sending(sending.pk)
        sending.refresh_from_db()
        return sending.status not in VendorSending.UNFINISHED

    wait_until(ended, "the sending to end", every=0.2)


def assert_one_mail_a_vendor(sending: VendorSending) -> None:
    assert sending.status == "done", sending.message
    server = delivered()
    assert set(server.accepted.values()) == {1}
    assert len(server.accepted) == OutboxMessage.objects.count() == VENDORS
    assert Counter(VendorMail.objects.values_list("status", flat=True)) == {"sent": VENDORS}
    assert Counter(Stockout.objects.values_list("status", flat=True)) == {"sent": 2 * VENDORS}


@pytest.mark.parametrize("how", KILLS)
def test_while_it_writes(world: KillWorld, sending: VendorSending, how: str) -> None:
    table = "vendors_vendormail"  # which it writes last
    with world.held_at(table):
        world.start_program(PREPARE.format(sending.pk))
        world.await_held(table)
        KILLS[how](world)
    assert not OutboxMessage.objects.exists()
    recover(sending)
    assert_one_mail_a_vendor(sending)


@pytest.mark.parametrize("how", KILLS)
def test_between_two_transactions(world: KillWorld, sending: VendorSending, how: str) -> None:
    last = VendorMail.objects.order_by("-pk")[0]
    with world.elsewhere() as holder:
        holder.execute("SELECT FROM vendors_vendormail WHERE id = %s FOR UPDATE", [last.pk])
        world.start_program(PREPARE.format(sending.pk))
        wait_until(lambda: OutboxMessage.objects.count() == AT_ONCE, "the first mails to be in the outbox")
        wait_until(_waits, "the worker to wait for the held one")
        KILLS[how](world)
    assert OutboxMessage.objects.count() == AT_ONCE
    recover(sending)
    assert_one_mail_a_vendor(sending)


def _waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(cursor.fetchone()[0])
