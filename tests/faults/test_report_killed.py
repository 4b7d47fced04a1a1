"""kill -9 of the worker that sends a report: each recipient gets it once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.plugin import DjangoDbBlocker

from momo.reports.models import Report, ReportRun
from momo.reports.services.runs import advance_reports, run_report
from notifications.models import OutboxMessage
from tests.faults.harness import House, KillWorld
from tests.kit.processes import wait_until

pytestmark = pytest.mark.faults

SEND = "from momo.reports.services.runs import run_report\nrun_report({})"


@pytest.fixture
def world(house: House, django_db_blocker: DjangoDbBlocker, settings: Any) -> Iterator[KillWorld]:
    settings.SYSTEM_HEARTBEAT_TIMEOUT = 1.0
    with django_db_blocker.unblock():
        made = KillWorld(house)
        with made.opened(house.empty, worker=False):
            yield made


def test_a_killed_report_is_sent_once(world: KillWorld) -> None:
    addresses = ["a@example.com", "b@example.com"]
    report = Report.objects.create(name="日報", sections=["sales_missing_days"], addresses=addresses)
    now = timezone.now()
    run = ReportRun.objects.create(report=report, day=date(2026, 3, 2), status="pending", due_at=now, heartbeat_at=now)
    table = "notifications_attachment"  # of its files, which are written after the messages
    with world.held_at(table):
        world.start_program(SEND.format(run.pk))
        world.await_held(table)
        world.others[0].kill()
        world.others[0].wait()
    assert not OutboxMessage.objects.exists()

    def ended() -> bool:
        advance_reports()
        run_report(run.pk)
        run.refresh_from_db()
        return run.status not in ReportRun.UNFINISHED

    wait_until(ended, "the report to be sent", every=0.2)
    assert (run.status, run.attempt, run.messages) == ("done", 2, 2)
    run_report(run.pk)
    assert sorted(OutboxMessage.objects.values_list("recipient", flat=True)) == addresses
