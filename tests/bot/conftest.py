"""A bot whose updates come in by the webhook, and whose answers a stand-in for Telegram takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from accounts.models import Role, User
from bot.linking import create_code, link
from bot.models import Update
from bot.services.updates import run_update
from notifications.services.sending import close_senders
from tests.fakes.telegram import Accepted, TelegramStandIn
from tests.kit.users import person

PATH = "/api/bot/telegram/webhook"
SECRET = "a-secret-of-the-webhook"
NUMBERS = {Role.USER: 101, Role.MANAGER: 102, Role.ADMIN: 103}
GROUP = -1001


@dataclass
class Talk:
    """Updates in, answers out."""

    telegram: TelegramStandIn

    def post(self, update: Any, secret: str | None = SECRET, **more: Any) -> Any:
        """Send an update to the webhook, as Telegram does."""
        headers = {"X-Telegram-Bot-Api-Secret-Token": secret} if secret is not None else {}
        client = Client(raise_request_exception=False, headers=headers)
        return client.post(PATH, update, **{"content_type": "application/json", **more})

    def work(self) -> list[Accepted]:
        """Handle what waits, as workers do. Returns what Telegram got meanwhile."""
        before = len(self.telegram.state.accepted)
        for pk in Update.objects.filter(status="pending").order_by("pk").values_list("pk", flat=True):
            run_update(pk)
        return self.telegram.state.accepted[before:]

    def say(self, update: dict[str, Any]) -> list[Accepted]:
        """Send an update and handle it."""
        if "callback_query" in update:
            self.telegram.bot.queries[update["callback_query"]["id"]] = {}
        response = self.post(update)
        assert response.status_code == 200, response.content
        return self.work()

    def one(self, update: dict[str, Any]) -> Accepted:
        """Send an update that has one answer."""
        (answer,) = self.say(update)
        return answer

    def toast(self, update: dict[str, Any]) -> str:
        """What the presser of a button is shown."""
        return str(self.telegram.bot.queries[update["callback_query"]["id"]]["text"])


@pytest.fixture
def telegram(settings: Any) -> Iterator[TelegramStandIn]:
    with TelegramStandIn() as running:
        quick = {"TELEGRAM_CHAT_SECONDS": 0.0, "TELEGRAM_GROUP_SECONDS": 0.0, "TELEGRAM_PER_SECOND": 1e6}
        for name, value in running.settings(**quick, TELEGRAM_WEBHOOK_SECRET=SECRET, TELEGRAM_CHAT_ID="").items():
            setattr(settings, name, value)
        yield running
        close_senders()


@pytest.fixture
def talk(db: None, telegram: TelegramStandIn) -> Talk:
    return Talk(telegram)


def linked(number: int, name: str, role: str = Role.USER) -> User:
    """A user with a linked account."""
    user = person(name, role)
    link(code=create_code(user=user).text, telegram_id=number, name=f"{name} TG")
    return user


@pytest.fixture
def people(db: None) -> dict[str, User]:
    """A linked user of each role."""
    return {role: linked(number, f"p-{role}", role) for role, number in NUMBERS.items()}
