"""SIGTERM, as a deployment sends it: requests and short tasks end, long ones are given back for the next worker."""

from __future__ import annotations

import http.client
from typing import Any

import pytest
from pytest_django.plugin import DjangoDbBlocker

from momo.core.work import Work
from momo.jobs.models import Job
from momo.local.processes import free_port
from tests.faults.harness import House, KillWorld, World
from tests.faults.imports import ImportWorld, import_settings
from tests.kit.forks import fork
from tests.kit.processes import ROOT, kill_session, wait_until

pytestmark = [pytest.mark.faults, pytest.mark.long]

NEVER = 600  # seconds: whatever happens here does not wait for a silent worker


def test_a_worker_gives_an_import_back_that_takes_too_long(
    house: House, django_db_blocker: DjangoDbBlocker, settings: Any
) -> None:
    with import_settings(house, django_db_blocker, settings):
        settings.IMPORT_HEARTBEAT_TIMEOUT = NEVER
        world = ImportWorld(house, more={"IMPORT_HEARTBEAT_TIMEOUT": NEVER, "WORKER_STOP_SECONDS": 0.5})
        with world.opened(world.prepared.first, worker=True):
            with world.held_at("sales_salesline"):
                job = world.start()
                world.await_held("sales_salesline")
                (worker,) = world.workers
                worker.terminate()
                wait_until(lambda: worker.poll() is not None, "the worker to end")
                job.refresh_from_db()
                assert (job.status, job.attempt) == (Work.PENDING, 1)
                world.assert_nothing_counts()
            # No sweep: the broker has the task again.
            world.start_worker()
            wait_until(lambda: not Job.objects.filter(pk=job.pk, status__in=Work.UNFINISHED).exists(), "the import")
            job.refresh_from_db()
            world.assert_as_if_nothing_had_happened(job)
            assert job.attempt == 2


def test_a_worker_finishes_what_ends_in_time_and_takes_nothing_more(world: World) -> None:
    world.concurrency = 1
    world.stall_after(3)
    worker = world.start_worker()
    run = world.start()
    world.await_stall(3)
    worker.terminate()
    assert worker.wait(60) == 0
    assert sorted(run.shards.values_list("status", "attempt")) == [("done", 1), ("pending", 0)]
    world.start_worker()
    world.recover(run)
    world.assert_as_if_nothing_had_happened(run)
    assert set(run.shards.values_list("attempt", flat=True)) == {1}
    world.assert_no_orphans()


def test_the_web_server_answers_what_it_has_begun(house: House, django_db_blocker: DjangoDbBlocker) -> None:
    with django_db_blocker.unblock(), KillWorld(house).opened(house.empty) as world, world.elsewhere() as holder:
        port = free_port()
        command = ["-m", "gunicorn", "momo.wsgi", "--config", str(ROOT / "gunicorn.conf.py"), "--workers", "2"]
        command += ["--bind", f"127.0.0.1:{port}", "--threads", "2"]
        web = fork(command, environment=world.environment(), log=world.log)
        try:
            wait_until(lambda: status(port, "/login") == 200, "the web server to answer")
            holder.execute("LOCK TABLE accounts_apitoken IN ACCESS EXCLUSIVE MODE")
            waiting = ask(port, "/api/products", {"Authorization": "Bearer momo_nobody"})
            world.await_held("accounts_apitoken")
            web.terminate()
            wait_until(lambda: "Handling signal: term" in world.log.read_text(), "the web server to stop")
            holder.rollback()
            assert waiting.getresponse().status == 401
            assert web.wait(60) == 0
        finally:
            kill_session(web)


def ask(port: int, path: str, headers: dict[str, str]) -> http.client.HTTPConnection:
    """A request whose answer is to be read still."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path, headers=headers)
    return connection


def status(port: int, path: str) -> int | None:
    """The status of an answer, None if nothing answers."""
    try:
        return ask(port, path, {}).getresponse().status
    except OSError:
        return None
