"""How Telegram's updates come in: the webhook, or asking for them where Telegram cannot reach this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings
from telegram import Bot, WebhookInfo

from bot.models import Update
from bot.services.telegram import connected
from bot.services.updates import receive
from momo.core.errors import Conflict, Unavailable, ValidationFailed

PATH = "/api/bot/telegram/webhook"
SECRET_MISSING = "請管理員設定 TELEGRAM_WEBHOOK_SECRET（Telegram 每次送來更新時附上的金鑰）"  # noqa: S105 - a sentence
POLL_SECONDS = 25.0  # for which Telegram keeps a question without updates open


def webhook_url() -> str:
    """Return the address of the webhook."""
    return f"{settings.PUBLIC_URL}{PATH}"


def require_secret() -> str:
    """Return the webhook's secret. Raises Unavailable, naming the setting, without one."""
    secret: str = settings.TELEGRAM_WEBHOOK_SECRET
    if not secret:
        raise Unavailable("Telegram webhook ", SECRET_MISSING)
    return secret


def set_webhook() -> str:
    """Have Telegram send updates to us. Returns the address.

    Raises Unavailable for a missing setting, ValidationFailed for an address without https, and UpstreamError.
    """
    secret, url = require_secret(), webhook_url()
    if not url.startswith("https://"):
        raise ValidationFailed(f"Telegram 只接受 https 的網址，PUBLIC_URL 是 {settings.PUBLIC_URL}")

    async def change(bot: Bot) -> bool:
        return await bot.set_webhook(url, secret_token=secret, allowed_updates=list(Update.Kind.values))

    with connected() as telegram:
        telegram.call(change)
    return url


def delete_webhook() -> None:
    """Have Telegram send no updates to us; it keeps them for 24 hours. Raises Unavailable, UpstreamError."""

    async def change(bot: Bot) -> bool:
        return await bot.delete_webhook()

    with connected() as telegram:
        telegram.call(change)


def webhook_info() -> WebhookInfo:
    """Return what Telegram knows of the webhook. Raises Unavailable, UpstreamError."""

    async def ask(bot: Bot) -> WebhookInfo:
        return await bot.get_webhook_info()

    with connected() as telegram:
        return telegram.call(ask)


def poll(stop: Callable[[], bool] = lambda: False) -> Iterator[int]:
    """Ask Telegram for updates and receive them as the webhook does, until `stop`. Yields the id of each new one.

    Raises Conflict while a webhook is set, Unavailable, UpstreamError.
    """
    if (info := webhook_info()).url:
        raise Conflict(f"已設定 webhook（{info.url}）；請先執行 manage.py telegram_webhook delete")
    following = 0
    with connected() as telegram:
        while not stop():
            for body in telegram.call(lambda bot, offset=following: _updates(bot, offset)):  # type: ignore[misc]
                if receive(body):
                    yield body["update_id"]
                # Confirmed with the next question, when it is stored.
                following = body["update_id"] + 1


async def _updates(bot: Bot, offset: int) -> list[dict[str, Any]]:
    seconds = int(min(POLL_SECONDS, 4 * settings.TELEGRAM_TIMEOUT))
    found = await bot.get_updates(offset=offset, timeout=seconds, allowed_updates=list(Update.Kind.values))
    return [update.to_dict() for update in found]
