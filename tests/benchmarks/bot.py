"""The bot: what the webhook costs beside an empty view, and how long a question takes from Telegram to Telegram.

Webhook: a new update each time (one row, one task sent), through the whole stack of the site, beside a view that does
nothing but answer, through the same stack.

Answer: `/sales` is posted to a web server of its own; a worker handles it and sends the answer to a stand-in for
Telegram. Milliseconds from the post to the answer's arrival there.
"""

from __future__ import annotations

import contextlib
import json
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import redis
from django.conf import settings
from django.test import RequestFactory, override_settings

from accounts.models import Role
from accounts.services import create_user
from bot.linking import create_code, link
from momo.local.processes import free_port
from tests.benchmarks.caller import Caller, warm
from tests.benchmarks.context import ROOT, Context
from tests.benchmarks.report import Row
from tests.fakes.telegram import TelegramStandIn
from tests.fakes.telegram.updates import message

PATH, SECRET, PERSON = "/api/bot/telegram/webhook", "secret-of-the-benchmark", 4711
REQUESTS, QUESTIONS = 400, 40
PAUSE = 0.005  # seconds in which the webhook's task is sent, so that it is no part of the next request


def run(context: Context) -> list[Row]:
    """Milliseconds of a webhook's request, and from an update to its answer."""
    with context.database("bench_bot"), TelegramStandIn() as telegram:
        pace = {"TELEGRAM_PER_SECOND": 1e6, "TELEGRAM_CHAT_SECONDS": 0.0, "TELEGRAM_GROUP_SECONDS": 0.0}
        given = telegram.settings(**pace, TELEGRAM_WEBHOOK_SECRET=SECRET)
        with override_settings(**given, ROOT_URLCONF="tests.benchmarks.urls"):
            empty, webhook = _requests(200 if context.quick else REQUESTS)
            user = create_user(username="bench", password="Momo-bench-2026", role=Role.MANAGER)
            link(code=create_code(user=user).text, telegram_id=PERSON, name="Bench")
            with _serving(context, given) as url:
                took = _answers(telegram, url, 3 if context.quick else QUESTIONS)
    return [
        Row("bot webhook, one update", "an empty view", empty, webhook, "ms", 2),
        Row("bot /sales, update to answer", "limit", None, took, "ms", 150, "value"),
    ]


def _requests(count: int) -> tuple[float, float]:
    """Median milliseconds of an empty view and of the webhook, asked by turns."""
    caller = Caller()
    took: dict[str, list[float]] = {"/api/empty": [], PATH: []}

    def ask(path: str) -> float:
        headers = {"HTTP_X_TELEGRAM_BOT_API_SECRET_TOKEN": SECRET}
        factory = RequestFactory(SERVER_NAME="localhost")
        request = factory.post(path, json.dumps(message(PERSON, "/sales")), "application/json", **headers)
        began = time.perf_counter()
        caller.answer(request.environ)
        took = 1000 * (time.perf_counter() - began)
        time.sleep(PAUSE)
        return took

    for path in took:
        warm(lambda path=path: ask(path), 10)  # type: ignore[misc]
    for _ in range(count):
        for path, kept in took.items():
            kept.append(ask(path))
    return statistics.median(took["/api/empty"]), statistics.median(took[PATH])


def _answers(telegram: TelegramStandIn, url: str, count: int) -> float:
    """Median milliseconds from an update to its answer, one after the other."""
    took = []
    for _ in range(count + 3):
        before, began = len(telegram.state.accepted), time.monotonic()
        answer = telegram.bot.deliver(message(PERSON, "/sales"), f"{url}{PATH}", **_secret())
        if answer is None or answer.status_code != 200:
            raise RuntimeError("the webhook refused an update")
        while len(telegram.state.accepted) == before:
            if time.monotonic() > began + 30:
                raise RuntimeError("no answer came within 30 s")
            time.sleep(0.001)
        took.append(1000 * (telegram.state.accepted[before].time - began))
    return statistics.median(took[3:])


def _secret() -> dict[str, str]:
    return {"X-Telegram-Bot-Api-Secret-Token": SECRET}


@contextlib.contextmanager
def _serving(context: Context, given: dict[str, Any]) -> Iterator[str]:
    """The web server and the bot's worker, as `make run` starts them; yields the address."""
    port = free_port()
    environment = context.environment() | {name: str(value) for name, value in given.items()}
    web = ["gunicorn", "momo.wsgi", "--config", str(ROOT / "gunicorn.conf.py"), "--bind", f"127.0.0.1:{port}"]
    web += ["--worker-class", "gthread", "--threads", "8", "--log-level", "error"]
    worker = ["celery", "--quiet", "--app", "momo", "worker", "--concurrency", "1", "--queues", "bot"]
    environment["PYTHONWARNINGS"] = "ignore"
    _empty_queue()
    processes = [
        subprocess.Popen([sys.executable, "-m", *command], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
        for command in (web, [*worker, "--loglevel", "ERROR"])
    ]
    try:
        for _ in range(600):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
                break
            time.sleep(0.1)
        yield f"http://localhost:{port}"  # the host that ALLOWED_HOSTS names
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=30)


def _empty_queue() -> None:
    """Drop the tasks of `_requests`, whose updates are not to be answered."""
    with contextlib.closing(redis.Redis.from_url(settings.CELERY_BROKER_URL)) as broker:
        broker.delete("bot")
