"""What more processes bring: requests a second by web processes, messages and imports a minute by worker processes.

A web server and workers as a deployment starts them, on one PostgreSQL and one Valkey. What asks, the servers and the
stand-in for mail run on the same machine, so with two cores four processes show only that nothing gets slower. Each
rate is what ended within some seconds, however much waits behind it, so the whole takes minutes on any machine.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import redis
from django.conf import settings
from django.db.models import QuerySet

from accounts.services import create_token, create_user
from momo.core.work import start_task
from momo.jobs.models import Job
from momo.jobs.services import create_job
from momo.local.processes import free_port
from notifications.models import OutboxMessage
from tests.benchmarks import catalogue
from tests.benchmarks.context import ROOT, Context
from tests.benchmarks.outbox import stand_in, write
from tests.benchmarks.report import Row
from tests.kit.processes import wait_until
from tests.kit.workbooks import xlsx

PROCESSES = (1, 2, 4)
QUICK = (1, 2)
CLIENTS = 8
LIST = "/api/products?filter=all"
SECONDS = 15  # that messages and imports are counted for
ASKING = 6  # seconds that requests are counted for
MAILS, IMPORTS, ROWS = 6_000, 80, 2_000  # more than two cores finish meanwhile
PATIENCE = 300.0


def run(context: Context) -> list[Row]:
    """Requests a second, messages a minute, imports a minute."""
    counts = QUICK if context.quick else PROCESSES
    with context.database("bench_scale"):
        catalogue.fill(300 if context.quick else 5_600)
        user = create_user(username="bench", password="a long enough passphrase", email="bench@example.com")
        token = create_token(user=user, name="bench").text
        requests = {count: _requests(context, count, token) for count in counts}
    rows = _rows("GET products, web processes", requests, "/s")
    for name, measure in (("mails", _messages), (f"imports of {ROWS:,} rows", _imports)):
        found = {}
        for count in counts:
            with context.database("bench_scale"):
                found[count] = measure(context, count)
        rows += _rows(f"{name}, worker processes", found, "/min")
    return rows


def _rows(name: str, found: dict[int, float], unit: str) -> list[Row]:
    one = found[1]
    return [Row(f"scale: {name}: {count}", "one process", one, rate, unit) for count, rate in found.items()]


@contextlib.contextmanager
def _started(context: Context, *command: str, **env: str) -> Iterator[None]:
    # With their logs, a line for each request among them; nobody reads them here.
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=context.environment() | {"PYTHONWARNINGS": "ignore"} | env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)


# --- Web --------------------------------------------------------------------------------------------------------------


def _requests(context: Context, processes: int, token: str) -> float:
    """Requests a second of CLIENTS that ask as fast as they are answered."""
    port, seconds = free_port(), 1 if context.quick else ASKING
    command = ("gunicorn", "momo.wsgi", "--bind", f"127.0.0.1:{port}", "--workers", str(processes), "--threads", "8")
    with _started(context, *command, DATABASE_POOL_SIZE="8"):
        asking = _Asking(port, token)
        wait_until(asking.is_answered, "the web server to answer", every=0.1)
        context.say(f"{CLIENTS} clients ask {processes} web processes …")
        asking.ask(seconds / 2)  # each process plans and imports with its first requests
        return asking.ask(seconds) / seconds


class _Asking:
    """Threads that ask; waiting for answers they take no processor from the server."""

    def __init__(self, port: int, token: str) -> None:
        self.port = port
        self.headers = {"Authorization": f"Bearer {token}", "Host": "localhost"}

    def is_answered(self) -> bool:
        with contextlib.suppress(OSError):
            return self._get(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) == 200
        return False

    def _get(self, connection: http.client.HTTPConnection) -> int:
        connection.request("GET", LIST, headers=self.headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status

    def ask(self, seconds: float) -> int:
        """Number of answers. Raises RuntimeError at any other than 200."""
        done, wrong = [0] * CLIENTS, []
        until = time.monotonic() + seconds

        def ask(number: int) -> None:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            while time.monotonic() < until:
                if (status := self._get(connection)) != 200:
                    wrong.append(status)
                    return
                done[number] += 1

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if wrong:
            raise RuntimeError(f"{LIST}: {wrong}")
        return sum(done)


# --- Workers ----------------------------------------------------------------------------------------------------------


def _rate(
    context: Context, queue: str, processes: int, work: tuple[Callable[[], object], QuerySet[Any], int], **env: str
) -> float:
    """Rows a minute that a worker of so many processes brings to their end.

    `work` is what starts the tasks, the rows that have ended, and how many can.
    """
    start, done, count = work
    redis.Redis.from_url(settings.CELERY_BROKER_URL).flushdb()
    command = ("celery", "--quiet", "--app", "momo", "worker", "--queues", queue, "--concurrency", str(processes))
    options = ("--without-mingle", "--without-gossip", "--loglevel", "ERROR")
    with _started(context, *command, *options, WORKER_STOP_SECONDS="1", **env):
        context.say(f"{processes} worker processes of {queue} …")
        start()
        # The first ones wait for processes that import the project.
        wait_until(lambda: done.count() > processes, f"the queue {queue} to move", patience=PATIENCE)
        before, began = done.count(), time.perf_counter()
        while (ended := done.count()) < count and time.perf_counter() - began < SECONDS:
            time.sleep(0.1)
        return 60 * (ended - before) / (time.perf_counter() - began)


def _messages(context: Context, processes: int) -> float:
    count = 40 if context.quick else MAILS
    with stand_in("email") as lead:
        write("email", count)

        def start() -> None:
            for _ in range(processes):
                start_task("notifications.send", "email")

        sent = OutboxMessage.objects.filter(status="sent")
        return _rate(context, "messages", processes, (start, sent, count), **lead)


def _imports(context: Context, processes: int) -> float:
    count, rows = (6, 50) if context.quick else (IMPORTS, ROWS)
    files = [_report(number, rows) for number in range(count)]

    def start() -> None:
        for number, content in enumerate(files):
            create_job(
                job_type="daily_sales",
                source=Job.Source.UPLOAD,
                file_name=f"{number}.xlsx",
                content=io.BytesIO(content),
                user=None,
                dispatch=True,
            )

    succeeded = Job.objects.filter(status=Job.Status.SUCCEEDED)
    return _rate(context, "imports", processes, (start, succeeded, count))


def _report(number: int, rows: int) -> bytes:
    """A day that no other file has."""
    day = date(2026, 1, 1) + timedelta(days=number)
    made: list[list[Any]] = [["日期", "品號", "品名", "數量", "業績", "成本", "PM"]]
    made += [[day, f"P{row:05}", "商品", 1, 100, 50, f"PM{row % 4}"] for row in range(rows)]
    return xlsx(made)
