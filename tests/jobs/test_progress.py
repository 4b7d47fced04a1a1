"""What others see while a job runs, and that they need not wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import psycopg
import pytest
from django.db import connection

from momo.jobs.importers import Table
from momo.jobs.models import Job
from momo.jobs.services import run_job
from tests.jobs.importer import StockImporter, stock
from tests.kit.processes import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

Make = Callable[..., Job]


def elsewhere(job: Job) -> tuple[Any, ...]:
    """What a connection of its own sees of a job."""
    values = connection.settings_dict
    address = {"host": values["HOST"], "port": values["PORT"], "user": values["USER"], "password": values["PASSWORD"]}
    with psycopg.connect(dbname=values["NAME"], **address) as other:
        row = other.execute(
            "SELECT status, stage, progress, processed_rows, heartbeat_at, (SELECT count(*) FROM jobs_columnalias)"
            " FROM jobs_job WHERE id = %s",
            [job.pk],
        ).fetchone()
    assert row is not None
    return row


def test_progress_is_seen_while_the_publishing_transaction_is_open(job_of: Make, stock_importer: StockImporter) -> None:
    seen: list[tuple[Any, ...]] = []
    shown: list[tuple[str, int]] = []

    def look(job: Job) -> None:
        assert connection.in_atomic_block
        wait_until(lambda: elsewhere(job)[1] == "publishing", "the stage to be seen", every=0.05)
        seen.append(elsewhere(job))
        with connection.cursor() as cursor:
            cursor.execute("CREATE TEMPORARY TABLE staging (number int) ON COMMIT DROP")
            with cursor.copy("COPY staging FROM STDIN") as copy:
                copy.write("1\n2\n")
                # What was written reaches the server with the next part.
                wait_until(lambda: copy.write("3\n" * 20_000) or elsewhere(job)[3] > 0, "rows to be seen", every=0.3)
                seen.append(elsewhere(job))
        wait_until(lambda: elsewhere(job)[4] > seen[-1][4], "another sign of life", every=0.05)
        seen.append(elsewhere(job))

    stock_importer.after_publish = look
    job = job_of()
    run_job(job.pk, on_progress=lambda now: shown.append((now.stage, now.progress)))
    assert [row[:4] for row in seen] == [
        ("running", "publishing", 60, 0),
        ("running", "publishing", 95, 3),
        ("running", "publishing", 95, 3),
    ]
    assert {row[5] for row in seen} == {0}, "nothing counts yet"
    assert elsewhere(job)[:4] == ("succeeded", "done", 100, 3)
    assert elsewhere(job)[5] == 3
    assert [shown[0], shown[1], shown[2], shown[-1]] == [
        ("reading", 5),
        ("checking", 40),
        ("publishing", 60),
        ("publishing", 95),
    ]


def test_progress_is_written_at_most_twice_a_second(job_of: Make, stock_importer: StockImporter) -> None:
    moments: set[Any] = set()

    def look(_: Table) -> None:
        until = time.monotonic() + 1.6
        while time.monotonic() < until:
            moments.add(elsewhere(job)[4])
            time.sleep(0.02)

    stock_importer.on_check = look
    job = job_of()
    run_job(job.pk)
    # The first is the claim's.
    assert 3 <= len(moments) <= 5
    ordered = sorted(moments)
    assert all((later - one).total_seconds() > 0.4 for one, later in pairwise(ordered[1:]))


def test_the_reporter_survives_a_lost_connection(job_of: Make, stock_importer: StockImporter) -> None:
    def cut(_: Table) -> None:
        first = elsewhere(job)[4]
        wait_until(lambda: elsewhere(job)[4] > first, "a sign of life", every=0.05)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE 'UPDATE \"jobs_job\"%'"
            )
            assert cursor.fetchall()
        second = elsewhere(job)[4]
        wait_until(lambda: elsewhere(job)[4] > second, "a sign of life on a new connection", every=0.05)

    stock_importer.on_check = cut
    job = job_of()
    assert run_job(job.pk) is not None
    assert elsewhere(job)[0] == "succeeded"


def test_the_publishing_connection_is_lost(job_of: Make, stock_importer: StockImporter) -> None:
    cuts = [1]

    def cut(job: Job) -> None:
        if cuts.pop() if cuts else False:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    stock_importer.after_publish = cut
    job = job_of()
    run_job(job.pk)
    job.refresh_from_db()
    assert (job.status, job.attempt) == ("succeeded", 2)
    assert stock() == {"1001": 3, "1002": 5, "1003": 7}


def test_a_job_that_publishes_blocks_no_other_request(job_of: Make, stock_importer: StockImporter) -> None:
    """Who cancels at the last moment is served at once, since the job's row is locked only at the end."""

    def cancel_from_elsewhere(job: Job) -> None:
        values = connection.settings_dict
        address = {"host": values["HOST"], "port": values["PORT"], "user": values["USER"]}
        with psycopg.connect(dbname=values["NAME"], password=values["PASSWORD"], **address) as other:
            other.execute("SET lock_timeout = '2s'")
            other.execute("UPDATE jobs_job SET cancel_requested = TRUE WHERE id = %s", [job.pk])

    stock_importer.after_publish = cancel_from_elsewhere
    job = job_of()
    run_job(job.pk)
    job.refresh_from_db()
    assert (job.status, stock()) == ("cancelled", {})
