"""kill -9 of a process that undoes an import, and of PostgreSQL: it is in force or taken back, never half of either."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from psycopg import sql
from pytest_django.plugin import DjangoDbBlocker

from accounts.models import Role
from momo.jobs.models import Job
from tests.faults.harness import House
from tests.faults.imports import Content, ImportWorld, content, import_settings, kill_postgres
from tests.kit.processes import wait_until
from tests.kit.users import person, token_client

pytestmark = pytest.mark.faults

# What taking back writes into, in the order in which it does.
TABLES = ("sales_dayclaim", "sales_dayowner", "sales_daytotal", "sales_monthtotal", "jobs_job")

UNDO = """
from momo.jobs.models import Job
from momo.jobs.services import undo_job
undo_job(job=Job.objects.get(pk={}))
"""


def kill_program(world: ImportWorld) -> None:
    for program in world.others:
        program.kill()
        program.wait()


KILLS: dict[str, Callable[[ImportWorld], None]] = {"program": kill_program, "postgres": kill_postgres}


@pytest.fixture
def world(house: House, django_db_blocker: DjangoDbBlocker, settings: Any) -> Iterator[ImportWorld]:
    """Both reports were imported, so the second is in force."""
    with import_settings(house, django_db_blocker, settings):
        made = ImportWorld(house)
        with made.opened(made.prepared.both, worker=False):
            yield made


@pytest.fixture
def manager(world: ImportWorld) -> Client:
    """A program of a manager."""
    return token_client(person("max", Role.MANAGER))


def taken_back(world: ImportWorld) -> Content:
    """As before the second report, but that its lines are kept: they are append-only."""
    return world.before | {"all lines": world.after["all lines"]}


def assert_undone(world: ImportWorld) -> None:
    job = Job.objects.get(pk=world.prepared.job)
    assert job.status == "undone"
    assert [day["status"] for day in job.result["undo"]["days"]] == ["restored"] * 3
    assert content() == taken_back(world)


def assert_can_be_undone(world: ImportWorld, manager: Client) -> None:
    assert undo(world, manager) == (200, None)
    assert_undone(world)
    assert_cannot_be_undone(world, manager)


def assert_cannot_be_undone(world: ImportWorld, manager: Client) -> None:
    assert undo(world, manager) == (409, "CONFLICT")
    assert_undone(world)


def undo(world: ImportWorld, manager: Client) -> tuple[int, str | None]:
    answer = manager.post(f"/api/import/jobs/{world.prepared.job}/undo")
    return answer.status_code, answer.json().get("code")


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("how", KILLS)
def test_while_it_writes(world: ImportWorld, manager: Client, table: str, how: str) -> None:
    with world.elsewhere() as holder:
        holder.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(sql.Identifier(table)))
        world.start_program(UNDO.format(world.prepared.job))
        wait_until(lambda: world.waits(f"query LIKE '%{table}%'"), f"somebody to write into {table}")
        KILLS[how](world)
    assert world.others[0].wait() != 0
    # Once the lock is free, the dead session runs its statement before it notices that its client is gone.
    world.await_silence()
    assert content() == world.after
    job = Job.objects.get(pk=world.prepared.job)
    assert job.status == "succeeded"
    assert "undo" not in job.result
    assert_can_be_undone(world, manager)


@pytest.mark.parametrize("how", KILLS)
def test_while_another_has_the_lock_of_sales(world: ImportWorld, manager: Client, how: str) -> None:
    with world.elsewhere() as holder:
        holder.execute("SELECT pg_advisory_xact_lock(hashtextextended('sales', 0))")
        world.start_program(UNDO.format(world.prepared.job))
        wait_until(lambda: world.waits("wait_event = 'advisory'"), "somebody to wait for the lock of sales")
        KILLS[how](world)
    world.await_silence()
    assert content() == world.after
    assert_can_be_undone(world, manager)


@pytest.mark.parametrize("how", KILLS)
def test_just_after_the_commit(world: ImportWorld, manager: Client, how: str) -> None:
    world.start_program(UNDO.format(world.prepared.job))
    undone = Job.objects.filter(pk=world.prepared.job, status="undone")
    wait_until(undone.exists, "the import to be taken back", every=0.001)
    KILLS[how](world)
    assert_undone(world)
    assert_cannot_be_undone(world, manager)
