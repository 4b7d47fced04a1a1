"""kill -9 of the process that cleans up: the next one goes on, and the counts are those of the preview."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.plugin import DjangoDbBlocker

from accounts.models import LoginAttempt
from momo.system.models import Cleanup
from momo.system.services.cleanup import lines_of, run_cleanup, start_cleanup, sweep_cleanups
from tests.faults.harness import House, KillWorld
from tests.kit.processes import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.long]

ROWS = 100_000
CLEAN = "from momo.system.services.cleanup import run_cleanup\nrun_cleanup({})"


@pytest.fixture
def world(house: House, django_db_blocker: DjangoDbBlocker, settings: Any) -> Iterator[KillWorld]:
    settings.SYSTEM_HEARTBEAT_TIMEOUT = 1.0
    with django_db_blocker.unblock():
        made = KillWorld(house)
        with made.opened(house.empty, worker=False):
            yield made


def test_a_killed_clean_up_goes_on(world: KillWorld) -> None:
    long_ago = timezone.now() - timedelta(days=4000)
    attempts = (LoginAttempt(username="甲", address="::1", success=False, time=long_ago) for _ in range(ROWS))
    LoginAttempt.objects.bulk_create(attempts, batch_size=5_000)
    run = start_cleanup(trigger=Cleanup.Trigger.COMMAND)
    world.start_program(CLEAN.format(run.pk))
    wait_until(lambda: LoginAttempt.objects.count() < ROWS, "the first batch to go", every=0.01)
    for program in world.others:
        program.kill()
        program.wait()
    assert LoginAttempt.objects.exists(), "it was killed half-way"

    def ended() -> bool:
        sweep_cleanups()
        run_cleanup(run.pk)
        run.refresh_from_db()
        return run.status not in Cleanup.UNFINISHED

    wait_until(ended, "the clean-up to end", every=0.2)
    assert (run.status, run.message, run.attempt) == ("done", f"刪除 {ROWS:,} 筆", 2)
    assert {line.name: line.deleted.rows for line in lines_of(run) if line.rows} == {"登入紀錄": ROWS}
