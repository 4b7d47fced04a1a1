"""PostgreSQL, Valkey and a worker stopped for half a minute under load: errors say so, and nothing accepted is lost.

Web server, workers and beat as a deployment starts them, a crawl, and threads that read pages, upload reports and send
messages. They write down what was accepted, which is compared with what was done in the end. Nothing is done by hand:
no sweep but those of the schedule, and no process is started again.
"""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import psutil
import pytest
import requests
from django.conf import global_settings
from django.db import connection
from django.db.models import QuerySet
from pytest_django.plugin import DjangoDbBlocker

from accounts.models import Role
from accounts.services import create_token
from momo.jobs.models import Job
from momo.local.processes import end, free_port
from notifications.models import OutboxMessage
from products.models import CrawlRun
from sales.models import DayTotal
from tests.fakes.telegram import TelegramStandIn
from tests.faults.harness import CRAWL, House, World
from tests.faults.imports import media
from tests.kit.forks import Forked, fork
from tests.kit.processes import ROOT, wait_until
from tests.kit.users import PASSWORD, person
from tests.kit.workbooks import xlsx

pytestmark = [pytest.mark.faults, pytest.mark.long]

STOPPED = 30.0  # seconds
BESIDE = 5.0  # seconds of load before the stop, and after everything has recovered
PATIENCE = 180.0  # seconds until a wait has failed
SLOWEST = 20.0  # seconds of a request on a busy machine, besides waiting for a server that is frozen
PAGES = ("/api/products?filter=all", "/api/import/jobs", "/admin/", "/admin/products/product/")
DAY, ROWS = date(2026, 1, 5), 200
BUSY = "crawl,imports,messages,bot"  # queues of the worker that is frozen; the other one sweeps
UNFINISHED = ("pending", "waiting", "claimed", "sending")


class LoadWorld(World):
    """The shop's next day, a web server, two workers, beat, and Telegram."""

    def __init__(self, house: House, telegram: TelegramStandIn) -> None:
        super().__init__(house)
        self.telegram = telegram
        self.base = f"http://127.0.0.1:{free_port()}"
        self.programs: list[Forked] = []

    def environment(self) -> dict[str, str]:
        """With the folders of uploads, and short waits for silent workers."""
        pace = {"TELEGRAM_PER_SECOND": 1000, "TELEGRAM_CHAT_SECONDS": 0, "TELEGRAM_GROUP_SECONDS": 0}
        more = self.telegram.settings(**pace) | {
            "MEDIA_ROOT": media(self.house),
            "TMPDIR": self.house.folder,
            "IMPORT_HEARTBEAT_TIMEOUT": 5,
            "IMPORT_ATTEMPTS": 50,
            "CRAWL_HEARTBEAT_TIMEOUT": 5,
            # Longer than the stop: a sender that is frozen goes on, one that gave up is soon followed by another.
            "OUTBOX_CLAIM_TIMEOUT": 45,
            "RATE_DEFAULT": "",
            "RATE_SEND": "",
        }
        return super().environment() | {name: str(value) for name, value in more.items()}

    def start_all(self) -> None:
        """Start web server, workers and beat, and return once all of them are well."""
        port = self.base.rpartition(":")[2]
        web = ["-m", "gunicorn", "momo.wsgi", "--config", str(ROOT / "gunicorn.conf.py"), "--workers", "2"]
        web += ["--bind", f"127.0.0.1:{port}", "--threads", "16", "--env", "DATABASE_POOL_SIZE=8"]
        beat = ["-m", "celery", "--quiet", "--app", "momo", "beat", "--pidfile", ""]
        for command in (web, beat):
            self.others.append(fork(command, environment=self.environment(), log=self.log))
        for self.queues, self.concurrency in (("default", 1), (BUSY, 2)):
            self.start_worker()
        self.programs = [*self.others, *self.workers]
        wait_until(lambda: self.ailing() == set(), "everything to be well", every=0.5, patience=PATIENCE)

    def ailing(self) -> set[str] | None:
        """What /health?full=1 names; None while the web server does not listen yet."""
        with contextlib.suppress(requests.ConnectionError):
            answer = requests.get(f"{self.base}/health?full=1", timeout=SLOWEST)
            found = {name for name, check in answer.json()["checks"].items() if check["status"] != "ok"}
            assert answer.status_code == (503 if found else 200)
            return found
        return None


# --- What is stopped, and how -----------------------------------------------------------------------------------------


@contextlib.contextmanager
def frozen(pid: int | None) -> Iterator[None]:
    """A process and its children keep their connections, and do nothing."""
    assert pid is not None
    first = psutil.Process(pid)
    family = [first, *first.children(recursive=True)]
    for process in family:
        process.suspend()
    try:
        yield
    finally:
        for process in reversed(family):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()


@contextlib.contextmanager
def postgres_stopped(world: LoadWorld) -> Iterator[None]:
    world.house.services.postgres.stop()
    try:
        yield
    finally:
        connection.close()
        world.house.restart_postgres()


@contextlib.contextmanager
def valkey_stopped(world: LoadWorld) -> Iterator[None]:
    pid = world.house.services.valkey_pid()
    assert pid is not None
    end(pid, "valkey", signal.SIGTERM)
    try:
        yield
    finally:
        world.house.services.acquire()


@dataclass(frozen=True)
class Stop:
    """A way to stop something, what /health?full=1 names then, and whether requests may be refused meanwhile."""

    stopped: Callable[[LoadWorld], AbstractContextManager[None]]
    ailing: set[str]
    refuses: bool = False


STOPS = {
    "postgres": Stop(postgres_stopped, {"database"}, refuses=True),
    "postgres frozen": Stop(lambda world: frozen(world.house.services.postgres.pid()), {"database"}, refuses=True),
    "valkey": Stop(valkey_stopped, {"broker", "workers"}),
    "valkey frozen": Stop(lambda world: frozen(world.house.services.valkey_pid()), {"broker", "workers"}),
    "worker frozen": Stop(lambda world: frozen(world.workers[-1].pid), {"workers"}),
}


# --- Load -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """What a request was answered; `status` 0 is none at all."""

    path: str
    begun: float  # as time.monotonic() counts
    seconds: float
    status: int
    text: str
    retry_after: str | None = None

    def is_clean_refusal(self) -> bool:
        """Whether it says, in the form of its path, that the database is away."""
        if self.status != 503 or not self.retry_after:
            return False
        if self.path.startswith("/api/"):
            return '"code":"UNAVAILABLE"' in self.text.replace(" ", "") and "資料庫" in self.text
        return "資料庫目前無法使用" in self.text


@dataclass
class Load:
    """Threads that ask until the end of the block, and what they were answered and promised."""

    base: str
    headers: dict[str, str]
    answers: list[Answer] = field(default_factory=list)
    jobs: dict[int, int] = field(default_factory=dict)  # the number of the report by the id of its job
    texts: set[str] = field(default_factory=set)
    over: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Load:
        self.threads = [threading.Thread(target=self.read, args=[page]) for page in PAGES]
        self.threads += [threading.Thread(target=work) for work in (self.upload, self.send)]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join(PATIENCE)

    def ask(self, method: str, path: str, key: str = "", **given: Any) -> Any:
        """The envelope's data; None unless the request was answered with success."""
        headers = self.headers | ({"Idempotency-Key": key} if key else {})
        begun = time.monotonic()
        try:
            answer = requests.request(method, f"{self.base}{path}", headers=headers, timeout=PATIENCE, **given)
        except requests.RequestException as error:
            self.answers.append(Answer(path, begun, time.monotonic() - begun, 0, str(error)))
            return None
        seconds, wait = time.monotonic() - begun, answer.headers.get("Retry-After")
        text = "" if answer.ok else answer.text
        self.answers.append(Answer(path, begun, seconds, answer.status_code, text, wait))
        return answer.json().get("data") if answer.ok and path.startswith("/api/") else None

    def promised(self, path: str, key: str, pause: float, **given: Any) -> Any:
        """The data of a POST that is repeated until it is accepted, as a client does who has a key for it."""
        while (data := self.ask("POST", path, key, **given)) is None:
            if self.over.wait(1):
                return None
        self.over.wait(pause)
        return data

    def read(self, page: str) -> None:
        while not self.over.wait(0.2):
            self.ask("GET", page)

    def upload(self) -> None:
        number = 0
        while not self.over.is_set():
            given = {"files": {"file": (f"{number}.xlsx", report(number))}, "data": {"job_type": "daily_sales"}}
            if data := self.promised("/api/import/upload", f"upload-{number}", 1, **given):
                self.jobs[data["job_id"]] = number
            number += 1

    def send(self) -> None:
        number = 0
        while not self.over.is_set():
            text = f"message-{number}"
            given = {"json": {"message": text, "chat_id": str(1000 + number % 50)}}
            if self.promised("/api/notification/telegram", text, 0.3, **given):
                self.texts.add(text)
            number += 1


def report(number: int) -> bytes:
    """The report of a day that no other number has."""
    day = DAY + timedelta(days=number)
    rows = [[day, f"P{row:05}", "商品", 1, 100 + number, 50, f"PM{row % 4}"] for row in range(ROWS)]
    return xlsx([["日期", "品號", "品名", "數量", "業績", "成本", "PM"], *rows])


# --- Test -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def world(house: House, django_db_blocker: DjangoDbBlocker, settings: Any) -> Iterator[LoadWorld]:
    for name, value in CRAWL.items():
        setattr(settings, name, value)
    settings.MOMO_SHOP_URL = ""
    settings.PASSWORD_HASHERS = global_settings.PASSWORD_HASHERS  # the web server's
    with django_db_blocker.unblock(), TelegramStandIn() as telegram, LoadWorld(house, telegram).opened() as opened:
        yield opened


@pytest.mark.timeout(900)
@pytest.mark.parametrize("what", STOPS)
def test_stopped_under_load(world: LoadWorld, what: str) -> None:
    stop = STOPS[what]
    admin = person("ada", Role.ADMIN)
    headers = {"Authorization": f"Bearer {create_token(user=admin, name='load').text}"}
    world.start_all()
    form = {"username": "ada", "password": PASSWORD}
    inside = requests.post(f"{world.base}/login", form, timeout=SLOWEST, allow_redirects=False)
    headers["Cookie"] = f"sessionid={inside.cookies['sessionid']}"
    world.shop.faults([{"kind": "slow", "delay": 2}])  # so that the crawl is still on when the stop begins
    with Load(world.base, headers) as load:
        run = CrawlRun.objects.get(pk=load.ask("POST", "/api/run_task", json={})["run_id"])
        time.sleep(BESIDE)
        begun = time.monotonic()
        with stop.stopped(world):
            named = watch(world, stop)
        ended = time.monotonic()
        world.shop.faults([])
        wait_until(lambda: world.ailing() == set(), "everything to be well", every=0.5, patience=PATIENCE)
        recovered = time.monotonic() - ended
        time.sleep(BESIDE)
        well = time.monotonic()
        time.sleep(BESIDE)
    check_answers(load, stop, what, begun=begun, well=well)
    took = await_end(run)
    check_ledger(load, world)
    world.assert_as_if_nothing_had_happened(run)
    assert [one.poll() for one in world.programs] == [None] * len(world.programs), "none of them has ended"
    statuses = dict(sorted(Counter(answer.status for answer in load.answers).items()))
    slowest = max(answer.seconds for answer in load.answers)
    print(
        f"\n{what}: named after {named:.1f} s, well {recovered:.1f} s after its end, all done after {took:.1f} s more;"
    )
    print(f"{statuses}, slowest {slowest:.1f} s, {len(load.jobs)} imports and {len(load.texts)} messages")


def watch(world: LoadWorld, stop: Stop) -> float:
    """Look at /health?full=1 for STOPPED seconds, and until it names what is stopped. Returns when it first did."""
    begun, named = time.monotonic(), 0.0
    # A worker counts as gone when it was silent for 30 seconds.
    while (now := time.monotonic() - begun) < STOPPED or (not named and now < STOPPED + SLOWEST):
        asked = time.monotonic()
        found = world.ailing()
        assert time.monotonic() - asked < SLOWEST
        if found == stop.ailing:
            named = named or time.monotonic() - begun
        else:
            assert not named, f"{found} after it was {stop.ailing}"
            assert found is not None
            assert found <= stop.ailing
        time.sleep(1)
    assert named, f"{stop.ailing} were not named"
    return named


def check_answers(load: Load, stop: Stop, what: str, *, begun: float, well: float) -> None:
    """Each request is answered, in time, and refused only while the stop lasts, with a sentence that says why."""
    longest = SLOWEST + (STOPPED if what == "postgres frozen" else 0)
    for answer in load.answers:
        assert answer.seconds < longest, answer
        if answer.status in {200, 202}:
            continue
        assert stop.refuses, answer
        assert answer.begun + answer.seconds > begun, answer
        assert answer.begun < well, answer
        assert answer.is_clean_refusal(), answer
    assert {answer.path for answer in load.answers if answer.begun > well} >= set(PAGES)


def await_end(run: CrawlRun) -> float:
    """Return once nothing is left to do, with the seconds that it took."""
    begun = time.monotonic()
    unfinished: list[QuerySet[Any]] = [
        Job.objects.filter(status__in=Job.UNFINISHED),
        OutboxMessage.objects.filter(status__in=UNFINISHED),
        CrawlRun.objects.filter(status=CrawlRun.Status.RUNNING),
    ]
    wait_until(lambda: not any(rows.exists() for rows in unfinished), "everything to end", every=0.5, patience=PATIENCE)
    run.refresh_from_db()
    return time.monotonic() - begun


def check_ledger(load: Load, world: LoadWorld) -> None:
    """What was accepted was done, once; what was not accepted was not done."""
    assert dict(Job.objects.values_list("pk", "status")) == dict.fromkeys(load.jobs, "succeeded")
    totals = DayTotal.objects.filter(dimension="all").values_list("date", "lines", "amount")
    numbers = load.jobs.values()
    expected = {(DAY + timedelta(days=number), ROWS, Decimal(ROWS * (100 + number))) for number in numbers}
    assert set(totals) == expected
    told = Counter(one.text for one in world.telegram.state.accepted)
    assert told == Counter(load.texts)
    assert set(OutboxMessage.objects.values_list("status", flat=True)) == {"sent"}
