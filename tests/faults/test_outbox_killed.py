"""kill -9 of senders, and of PostgreSQL, while they send: every message once, or for a person to judge; none lost.

Mail goes to a real SMTP server, Telegram messages to a stand-in, both processes of their own that keep a record of what
they accepted, and that refuse and drop a part of everything: before they accept, and after.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.utils import Error as DatabaseError
from pytest_django.plugin import DjangoDbBlocker

from notifications.models import Channel, Chat, OutboxMessage
from notifications.services.outbox import ChatText, Mail, enqueue_many
from notifications.services.sweep import sweep
from tests.fakes.smtp import read_record as read_mails
from tests.fakes.telegram import TOKEN
from tests.fakes.telegram import read_record as read_texts
from tests.faults.harness import House, KillWorld
from tests.kit.forks import Forked, fork
from tests.kit.processes import kill_session, wait_until

pytestmark = pytest.mark.faults

CHATS = 400
WORKERS = 4
SEED = 20261125
PATIENCE = 200.0  # seconds until everything has to be over

SMTP_RULES = [
    {"at": "mail", "answer": "451 4.3.0 try later", "share": 0.01},
    {"at": "rcpt", "answer": "450 4.2.0 Greylisted", "share": 0.03},
    {"at": "rcpt", "answer": "550 5.1.1 No such user", "recipient": "^nobody", "share": 1},
    {"at": "data", "answer": "421 4.3.2 restarting", "share": 0.01},
    {"at": "dot", "answer": "451 4.3.0 try later", "share": 0.01},
    {"at": "dot", "answer": "554 5.7.1 looks like spam", "share": 0.005},
    {"at": "mail", "share": 0.005},
    {"at": "data", "share": 0.01},
    {"at": "inside", "share": 0.01},
    {"at": "dot", "share": 0.005},
    {"at": "accepted", "share": 0.01},
    # Accepted and not yet answered: the moment in which a kill is worst, made long enough to be hit.
    {"at": "accepted", "answer": "250 2.0.0 Ok", "delay": 0.03, "share": 0.3},
]
TELEGRAM_RULES = [
    {"kind": "blocked", "chat": "7$", "share": 0.02},
    {"kind": "flood", "share": 0.03, "seconds": 1},
    {"kind": "failed", "share": 0.02},
    {"kind": "refused", "share": 0.005},
    {"kind": "bad_gateway", "share": 0.005},
    {"kind": "drop", "share": 0.01},
    {"kind": "drop_accepted", "share": 0.01},
    {"kind": "slow_accepted", "share": 0.3, "seconds": 0.03},
]


@dataclass
class Process:
    """A program that may be killed and started again."""

    arguments: Sequence[str]
    environment: dict[str, str]
    log: Path
    process: Forked | None = None

    def start(self) -> None:
        """Start it, in a session of its own."""
        self.process = fork(self.arguments, environment=self.environment, log=self.log)

    def kill(self) -> None:
        """SIGKILL, to its children as well."""
        if self.process is not None:
            kill_session(self.process)

    @property
    def is_over(self) -> bool:
        """Whether it has ended by itself."""
        return self.process is not None and self.process.poll() is not None


class Post(KillWorld):
    """Two servers that take messages, and senders that bring them there."""

    def __init__(self, house: House, folder: Path) -> None:
        super().__init__(house)
        self.folder = folder
        self.senders: list[Process] = []
        self.servers: list[Process] = []
        self.kills = 0

    @contextlib.contextmanager
    def opened(self, template: str, *, worker: bool = False) -> Iterator[Post]:
        """As all worlds; shows the logs of its processes in the end."""
        with super().opened(template, worker=worker):
            try:
                yield self
            finally:
                for process in (*self.senders, *self.servers):
                    process.kill()
                # For somebody who reads why a test failed.
                for log in sorted(self.folder.glob("*.log")):
                    print(f"--- {log.name}", log.read_text()[-6000:], sep="\n")

    # --- Servers ----------------------------------------------------------------------------------------------------

    def start_servers(self) -> dict[str, str]:
        """Start both; what senders have to know of them."""
        smtp = self._server("smtp", "tests.fakes.smtp", SMTP_RULES)
        telegram = self._server("telegram", "tests.fakes.telegram", TELEGRAM_RULES)
        return {
            "EMAIL_URL": f"smtp://127.0.0.1:{smtp}",
            "TELEGRAM_API_URL": f"http://127.0.0.1:{telegram}",
            "TELEGRAM_BOT_TOKEN": TOKEN,
        }

    def _server(self, name: str, module: str, rules: Sequence[Any]) -> int:
        log = self.folder / f"{name}.log"
        command = ["-m", module, "--record", str(self.record(name)), "--seed", str(SEED)]
        server = Process([*command, "--rules", json.dumps(rules)], dict(os.environ), log)
        server.start()
        self.servers.append(server)
        wait_until(lambda: log.read_text().endswith("\n"), f"{name} to say its port")
        return int(log.read_text())

    def record(self, name: str) -> Path:
        return self.folder / f"{name}.record"

    # --- Senders ----------------------------------------------------------------------------------------------------

    def start_senders(self, count: int, known: dict[str, str]) -> None:
        environment = self.environment() | {
            "EMAIL_FROM": "MOMO Pro <no-reply@momo.test>",
            "EMAIL_TIMEOUT": "5",
            "TELEGRAM_TIMEOUT": "5",
            "TELEGRAM_PER_SECOND": "100000",
            "TELEGRAM_CHAT_SECONDS": "0",
            "TELEGRAM_GROUP_SECONDS": "0",
            "OUTBOX_CLAIM_TIMEOUT": "2",
            "OUTBOX_BACKOFF": "0.2",
            "LOG_LEVEL": "ERROR",
            **known,
        }
        for number in range(count):
            sender = Process(
                ["manage.py", "send_messages", "--watch"], environment, self.folder / f"sender-{number}.log"
            )
            sender.start()
            self.senders.append(sender)

    def kill_sender(self, sender: Process) -> None:
        sender.kill()
        sender.start()
        self.kills += 1

    def revive(self) -> None:
        """Start what has ended by itself again, as whatever runs containers does."""
        for sender in self.senders:
            if sender.is_over:
                sender.start()

    # --- Messages ---------------------------------------------------------------------------------------------------

    def write(self, count: int) -> None:
        """Half mails, a fortieth of them to nobody; half Telegram, a fortieth of them in two parts."""
        half = count // 2
        mails = [
            Mail(
                key=f"mail-{number}",
                event="system_alert",
                to=f"{'nobody' if number % 40 == 7 else 'user'}{number}@example.com",
                subject=f"價格異動 {number}",
                text=f"第 {number} 封",
                html=f"<p>第 {number} 封</p>" * (1 + number % 50),
            )
            for number in range(half)
        ]
        enqueue_many(mails)
        chats = Chat.objects.bulk_create(Chat(chat_id=str(number)) for number in range(1000, 1000 + CHATS))
        # The second part of a long text says which it is as well.
        long = "\n".join("字" * 60 for _ in range(70))
        enqueue_many(
            [
                ChatText(
                    key=f"telegram-{number}",
                    event="system_alert",
                    chat=chats[number % CHATS],
                    body=f"<b>{number}</b>{f' {long}{chr(10)}{number} end' if number % 40 == 3 else ''}",
                )
                for number in range(count - half)
            ]
        )

    def await_sent(self, count: int) -> None:
        def happened() -> bool:
            self.revive()
            return OutboxMessage.objects.filter(status="sent").count() >= count

        wait_until(happened, f"{count} messages to be sent")

    def await_end(self) -> None:
        """Sweep, as the schedule does, until nothing moves any more."""
        unfinished = ("pending", "claimed", "sending")

        def over() -> bool:
            self.revive()
            with contextlib.suppress(DatabaseError):
                sweep()
                return not OutboxMessage.objects.filter(status__in=unfinished).exists()
            connection.close()
            return False

        wait_until(over, "every message to be over", every=0.3, patience=PATIENCE)

    def check(self) -> dict[str, int]:
        """The promise, message by message; the figures."""
        accepted = Counter(one.message_id for one in read_mails(self.record("smtp")))
        accepted.update(_identity(one.chat, one.text) for one in read_texts(self.record("telegram")))
        known = set()
        figures: Counter[str] = Counter()
        for message in OutboxMessage.objects.select_related("after"):
            identity = (
                message.message_id if message.channel == Channel.EMAIL else _identity(message.recipient, message.body)
            )
            # Two that look the same could hide that one of them was lost.
            assert identity not in known, f"{message.key} looks like another"
            known.add(identity)
            times = accepted[identity]
            figures[f"{message.channel} {message.status}"] += 1
            figures["held, was accepted"] += message.status == "held" and times == 1
            assert times <= 1, f"{message.key} was accepted {times} times"
            match message.status:
                case "sent":
                    assert times == 1, f"{message.key} counts as sent and was never accepted"
                case "held" | "failed":
                    assert message.reason, f"{message.key} is {message.status} without a reason"
                case "waiting" | "cancelled":
                    assert message.after is not None
                    assert message.after.status in {"held", "failed", "cancelled", "waiting"}
                    assert times == 0
                case other:
                    pytest.fail(f"{message.key} is still {other}")
        sent = sum(number for name, number in figures.items() if name.endswith(" sent"))
        assert sent >= len(known) * 0.8, "the troubles are to be the exception"
        assert set(accepted) <= known, "something was accepted that nobody wrote"
        return {**figures, "accepted": sum(accepted.values()), "kills": self.kills}


def _identity(chat: str, text: str) -> str:
    """What distinguishes the messages to a chat: how it begins and how it ends."""
    return f"{chat} {text[:12]} {text[-12:]}"


@pytest.fixture
def post(house: House, django_db_blocker: DjangoDbBlocker, tmp_path: Path, settings: Any) -> Iterator[Post]:
    settings.OUTBOX_CLAIM_TIMEOUT = 2.0
    with django_db_blocker.unblock(), Post(house, tmp_path).opened(house.empty) as opened:
        yield opened


@pytest.mark.timeout(PATIENCE + 100)
@pytest.mark.parametrize(("messages", "kills"), [(1_000, 12), pytest.param(10_000, 25, marks=pytest.mark.long)])
def test_senders_killed_at_random(post: Post, messages: int, kills: int) -> None:
    chance = random.Random(SEED)
    post.write(messages)
    begun = time.monotonic()
    post.start_senders(WORKERS, post.start_servers())
    while post.kills < kills:
        time.sleep(chance.uniform(0.1, 1.5))
        post.kill_sender(chance.choice(post.senders))
    post.await_end()
    print(f"\n{messages} messages in {time.monotonic() - begun:.1f} s:", post.check())


@pytest.mark.long
def test_postgres_killed_while_they_send(post: Post) -> None:
    post.write(500)
    post.start_senders(2, post.start_servers())
    for sent in (100, 300):
        post.await_sent(sent)
        post.house.kill_postgres()
        connection.close()
        post.house.restart_postgres()
        post.kills += 1
    post.await_end()
    print("\n500 messages, PostgreSQL killed:", post.check())
