"""Telegram, our web server and a worker over real HTTP; kill -9 of the worker: each command takes effect once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from pytest_django.plugin import DjangoDbBlocker

from accounts.models import Role
from accounts.services import create_token
from bot.models import Update
from bot.registry import all_commands
from bot.services.updates import receive, sweep_updates
from bot.texts import escape
from momo.local.processes import free_port
from notifications.models import Chat, OutboxMessage, Subscription
from notifications.services.sending import pass_on_due
from notifications.services.sweep import sweep
from tests.bot.conftest import GROUP, PATH, SECRET, linked
from tests.fakes.telegram import TelegramStandIn
from tests.fakes.telegram.updates import message, numbered
from tests.faults.harness import House, KillWorld
from tests.kit.processes import kill_session, wait_until

pytestmark = pytest.mark.faults

SERVE = """
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from momo.wsgi import application
server = ThreadedWSGIServer(("127.0.0.1", {port}), WSGIRequestHandler)
server.set_app(application)
server.serve_forever()
"""
SUBSCRIBE = "/subscribe price_digest on"


class BotWorld(KillWorld):
    """A worker for the bot, a web server, and Telegram."""

    queues, concurrency = "bot,messages", 2

    def __init__(self, house: House, telegram: TelegramStandIn) -> None:
        super().__init__(house)
        self.telegram, self.port = telegram, free_port()

    def environment(self) -> dict[str, str]:
        """With the bot's settings."""
        pace = {"TELEGRAM_PER_SECOND": 1000, "TELEGRAM_CHAT_SECONDS": 0, "TELEGRAM_GROUP_SECONDS": 0}
        found = self.telegram.settings(**pace, TELEGRAM_WEBHOOK_SECRET=SECRET, BOT_HEARTBEAT_TIMEOUT=1)
        return super().environment() | {name: str(value) for name, value in found.items()}

    def serve(self) -> None:
        """Start the web server."""
        self.start_program(SERVE.format(port=self.port))
        self.telegram.bot.webhook = {"url": f"http://127.0.0.1:{self.port}{PATH}", "secret": SECRET}

        def answers() -> bool:
            try:
                return requests.get(f"http://127.0.0.1:{self.port}/login", timeout=5).status_code == 200
            except requests.ConnectionError:
                return False

        wait_until(answers, "the web server", every=0.05)

    def kill_worker(self) -> None:
        """SIGKILL to the worker and its pool."""
        kill_session(self.workers[-1])

    def recover(self) -> None:
        """Sweep, as the schedule does, until nothing is left to do."""
        self.start_worker()

        def over() -> bool:
            sweep_updates()
            sweep()
            pass_on_due()
            answered = OutboxMessage.objects.filter(status="sent").exists()
            return answered and not Update.objects.filter(status__in=Update.UNFINISHED).exists()

        wait_until(over, "the update to be handled", every=0.2)


@pytest.fixture
def world(house: House, django_db_blocker: DjangoDbBlocker, settings: Any) -> Iterator[BotWorld]:
    settings.BOT_HEARTBEAT_TIMEOUT = 1.0
    settings.OUTBOX_CLAIM_TIMEOUT = 2.0
    settings.TELEGRAM_BOT_TOKEN = ""  # this process sends nothing
    with django_db_blocker.unblock(), TelegramStandIn() as telegram:
        made = BotWorld(house, telegram)
        with made.opened(house.empty):
            linked(102, "max", Role.MANAGER)
            yield made


def texts(world: BotWorld) -> dict[str, list[str]]:
    """What each chat got, its first line."""
    found: dict[str, list[str]] = {}
    for one in world.telegram.state.accepted:
        found.setdefault(one.chat, []).append(one.text.partition("\n")[0])
    return found


def test_from_telegram_and_back(world: BotWorld) -> None:
    world.start_worker()
    world.serve()
    linked(101, "amy")
    Chat.objects.create(chat_id=str(GROUP), title="業務群組")
    updates = [
        message(101, "/help"),
        message(102, "/help", to=GROUP),
        message(999, "/help"),
        message(999, "/help", to=GROUP),
        numbered(edited_message={}),
        numbered(message={"text": 7}),
        message(102, SUBSCRIBE),
    ]
    # Out of order, each three times, four at once.
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(world.telegram.bot.deliver, [*reversed(updates), *updates, *updates]))
    assert {answer.status_code for answer in answers if answer is not None} == {200}
    assert world.telegram.bot.deliver(message(102, "x" * 300_000)).status_code == 413  # type: ignore[union-attr]
    wrong = {"X-Telegram-Bot-Api-Secret-Token": "wrong"}
    assert world.telegram.bot.deliver(message(102, "/help"), **wrong).status_code == 401  # type: ignore[union-attr]
    wait_until(lambda: not Update.objects.exclude(status="done").exists(), "all updates to be handled")
    wait_until(lambda: len(world.telegram.state.accepted) >= 4, "the answers to arrive")
    assert {chat: len(lines) for chat, lines in texts(world).items()} == {"101": 1, str(GROUP): 1, "999": 1, "102": 1}
    assert Update.objects.count() == len(updates) - 1
    assert Subscription.objects.count() == 1


@pytest.mark.long
@pytest.mark.parametrize("role", Role.values)
def test_every_command_through_a_worker(world: BotWorld, role: Role) -> None:
    """Each command, in private and in the group by turns: the answer that Telegram gets is that of the API."""
    world.start_worker()
    world.serve()
    user = linked(103, f"the_{role}", role)
    Chat.objects.create(chat_id=str(GROUP), title="業務群組")
    token = {"Authorization": f"Bearer {create_token(user=user, name='bot').text}"}
    command = f"http://127.0.0.1:{world.port}/api/bot/command"
    for number, one in enumerate(all_commands()):
        if one.name in ("subscribe", "unlink"):
            continue  # of the chat that asks
        body = requests.post(command, json={"command": f"/{one.name}"}, headers=token, timeout=30).json()
        place, before = GROUP if number % 2 else 103, len(world.telegram.state.accepted)
        answer = world.telegram.bot.deliver(message(103, f"/{one.name}", to=GROUP if number % 2 else None))
        assert answer is not None
        assert answer.status_code == 200
        wait_until(lambda: not Update.objects.exclude(status="done").exists(), f"/{one.name} to be handled")
        wait_until(lambda: not OutboxMessage.objects.exclude(status="sent").exists(), f"the answer to /{one.name}")
        told = world.telegram.state.accepted[before:]
        text = body["data"]["text"] if body["success"] else f"⚠️ {escape(body['error'])}"
        assert "\n".join(each.text for each in told if each.text) == text, one.name
        assert {each.chat for each in told} == {str(place)}


@pytest.mark.parametrize("table", ["notifications_subscription", "notifications_pace"])
def test_the_worker_is_killed(world: BotWorld, table: str) -> None:
    """While the command writes; and when its answer is written, before it is sent."""
    world.start_worker()
    with world.held_at(table):
        assert receive(message(102, SUBSCRIBE))
        Update.objects.get().enqueue()  # by the world's broker; `receive` starts the task in a thread of its own
        world.await_held(table)
        world.kill_worker()
    done = table == "notifications_pace"
    assert Subscription.objects.count() == OutboxMessage.objects.count() == done
    world.recover()
    assert Subscription.objects.count() == 1
    assert len(texts(world)["102"]) == 1
