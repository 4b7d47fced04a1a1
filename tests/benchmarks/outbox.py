"""The outbox: what a message costs beside its floor, and claiming with a thousand and with a million rows.

Sending: messages that are due, drained by one process into a stand-in in another process, beside the same bytes sent to
the same stand-in by smtplib or httpx over one connection. The difference is what exactly-once costs: a claim, a mark
before and an outcome after each message, both committed to disk.

Claiming: one claim of 20, undone again, over 1,000 and over 1,000,000 messages that are due, with as many behind them
that are over.
"""

from __future__ import annotations

import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from django.db import connection, transaction
from django.test import override_settings

from notifications.models import Chat
from notifications.services.claims import Claimed, claim_email, claim_telegram
from notifications.services.outbox import ChatText, Mail, enqueue_many
from tests.benchmarks.context import ROOT, Context
from tests.benchmarks.plans import explained
from tests.benchmarks.report import Row
from tests.fakes.telegram import TOKEN

MAILS, TEXTS = 5_000, 5_000
SMALL, BIG = 1_000, 1_000_000
CHATS = 300
CLAIM = 20
BODY = "【水潤】玻尿酸保濕精華液 30ml 由 NT$1,280 降為 NT$980，降幅 23.4 %。\n" * 12
# Pace is no cost: it is switched off as far as a setting can do it.
UNPACED = {"TELEGRAM_PER_SECOND": 1e6, "TELEGRAM_CHAT_SECONDS": 0.0, "TELEGRAM_GROUP_SECONDS": 0.0}
FLOORS = {"email": "bare smtplib", "telegram": "bare httpx"}

FILL = """
INSERT INTO notifications_outboxmessage (channel, key, event, recipient, chat_id, subject, body, body_html, reply_to,
    status, attempts, next_attempt_at, due_at, reason, message_id, template_code, created_at, sent_at, finished_at)
SELECT %(channel)s, %(channel)s || %(status)s || n, 'price_digest', 'a@example.com',
    CASE WHEN %(channel)s = 'telegram' THEN (SELECT min(id) FROM notifications_chat) + n %% %(chats)s END,
    '', 'x', '', '', %(status)s, 0, now() - interval '1 day' + n * interval '1 ms', now() - interval '1 day', '', '',
    '', now(), CASE WHEN %(status)s = 'sent' THEN now() END, CASE WHEN %(status)s = 'sent' THEN now() END
FROM generate_series(1, %(rows)s) n
"""


def run(context: Context) -> list[Row]:
    """Seconds of all messages and milliseconds of one; milliseconds of one claim."""
    rows = []
    for channel, count in (("email", MAILS), ("telegram", TEXTS)):
        rows += _sending(context, channel, 100 if context.quick else count)
    return [*rows, *_claiming(context)]


# --- Sending --------------------------------------------------------------------------------------------------------


def _sending(context: Context, channel: str, count: int) -> list[Row]:
    repeats = 1 if context.quick else 3
    took: dict[str, list[float]] = {"floor": [], "product": []}
    with context.database("bench_outbox"), stand_in(channel) as settings:
        context.say(f"{count:,} messages by {channel} …")
        for _ in range(repeats):
            write(channel, count)
            for way, kept in took.items():
                kept.append(_send(context, way, channel, settings))
    floor, product = (statistics.median(kept) for kept in took.values())
    name = f"{channel}, {count:,} messages"
    return [
        Row(name, FLOORS[channel], floor, product, "s"),
        Row(f"{channel}, a message", FLOORS[channel], floor / count * 1000, product / count * 1000, "ms"),
    ]


def write(channel: str, count: int) -> None:
    """Messages that are due, none of them sent."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE notifications_outboxmessage, notifications_chat CASCADE")
    chats = _chats() if channel == "telegram" else []
    drafts: list[Mail | ChatText] = []
    for number in range(count):
        key = f"bench:{number}"
        if channel == "telegram":
            drafts.append(ChatText(key=key, event="price_digest", chat=chats[number % CHATS], body=BODY))
        else:
            to = f"pm{number % 300}@example.com"
            html = f"<p>{BODY}</p>"
            drafts.append(Mail(key=key, event="price_digest", to=to, subject="今日價格異動", text=BODY, html=html))
    enqueue_many(drafts)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE notifications_outboxmessage")
        cursor.execute("CHECKPOINT")


def _send(context: Context, way: str, channel: str, settings: dict[str, str]) -> float:
    """Seconds that a process of its own takes for all of them."""
    unpaced = {name: str(value) for name, value in UNPACED.items()}
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.outbox_process", way, channel],
        cwd=ROOT,
        env=context.environment() | unpaced | settings,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=1800,
    )
    return json.loads(done.stdout)["seconds"]


@contextlib.contextmanager
def stand_in(channel: str) -> Iterator[dict[str, str]]:
    """A server in a process of its own; yields the settings that lead to it."""
    module = {"email": "smtp", "telegram": "telegram"}[channel]
    with tempfile.TemporaryDirectory(prefix="momo-bench-outbox-") as folder:
        record = Path(folder) / "record"
        command = [sys.executable, "-m", f"tests.fakes.{module}", "--record", str(record)]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            said = process.stdout.readline().strip()
            if not said:
                raise RuntimeError(f"the stand-in for {channel} did not start")
            port = said.rstrip("/").rpartition(":")[2]
            yield {
                "EMAIL_URL": f"smtp://127.0.0.1:{port}",
                "TELEGRAM_API_URL": f"http://127.0.0.1:{port}",
                "TELEGRAM_BOT_TOKEN": TOKEN,
            }
        finally:
            process.terminate()
            process.wait(timeout=30)


# --- Claiming -------------------------------------------------------------------------------------------------------

CLAIMS: dict[str, Callable[[int], list[Claimed]]] = {"email": claim_email, "telegram": claim_telegram}


def _claiming(context: Context) -> list[Row]:
    small, big = (200, 2_000) if context.quick else (SMALL, BIG)
    repeats = 10 if context.quick else 200
    took: dict[tuple[str, str], list[float]] = {}
    with override_settings(**UNPACED), context.database("bench_small"), context.database("bench_big"):
        sizes = {"bench_small": small, "bench_big": big}
        for name, size in sizes.items():
            context.say(f"{size:,} messages that are due by each channel, and {size:,} that are over …")
            context.use(name)
            _fill(size)
        for channel in CLAIMS:
            for name in sizes:
                context.use(name)
                _claim(channel)
            for _ in range(repeats):
                for name in sizes:
                    context.use(name)
                    took.setdefault((channel, name), []).append(_claim(channel))
        if context.plans:
            for channel in CLAIMS:
                with explained(context.console, f"claim of {channel} over {big:,} rows"):
                    _claim(channel)
    rows = []
    for channel in CLAIMS:
        floor, subject = (statistics.median(took[channel, name]) for name in sizes)
        rows.append(Row(f"claim {CLAIM} by {channel}, {big:,} due", f"with {small:,} due", floor, subject, "ms", 1.3))
    return rows


def _claim(channel: str) -> float:
    """Milliseconds of one claim, which is undone."""
    with transaction.atomic():
        began = time.perf_counter()
        taken = CLAIMS[channel](CLAIM)
        took = (time.perf_counter() - began) * 1000
        transaction.set_rollback(True)
    if len(taken) != CLAIM:
        raise RuntimeError(f"{len(taken)} messages by {channel} were claimed, {CLAIM} were due")
    return took


def _chats() -> list[Chat]:
    """People, with numbers in a row."""
    return Chat.objects.bulk_create([Chat(chat_id=str(1_000_000 + number)) for number in range(CHATS)])


def _fill(rows: int) -> None:
    _chats()
    with connection.cursor() as cursor:
        for channel, status in (("email", "pending"), ("telegram", "pending"), ("email", "sent")):
            cursor.execute(FILL, {"channel": channel, "status": status, "rows": rows, "chats": CHATS})
        cursor.execute("VACUUM ANALYZE notifications_outboxmessage, notifications_chat")
        cursor.execute("CHECKPOINT")
