"""Calls of the Bot API that are no messages: names, files, toasts, menus, the webhook."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar, cast

from django.conf import settings
from django.core.cache import cache
from telegram import Bot

from bot.registry import Upload
from bot.services.incoming import Document
from momo.core.errors import PayloadTooLarge, ServiceError, UpstreamError, ValidationFailed
from notifications.channels.telegram import TelegramSender
from notifications.models import Channel
from notifications.services.chats import require_token
from notifications.services.sending import sender_of

logger = logging.getLogger(__name__)

MIB = 1024 * 1024
DOWNLOAD_MIB = 20  # the most that Telegram lets bots download
NAME_SECONDS = 24 * 3600
TOAST_LENGTH = 200  # characters of an answerCallbackQuery
Result = TypeVar("Result")


def worker_call(work: Callable[[Bot], Awaitable[Result]]) -> Result:
    """Call the Bot API over the connection of this worker. Raises Unavailable without a token, and UpstreamError."""
    require_token()
    return cast(TelegramSender, sender_of(Channel.TELEGRAM)).call(work)


@contextmanager
def connected() -> Iterator[TelegramSender]:
    """A connection of its own, for web threads and commands. Raises Unavailable without a token."""
    require_token()
    sender = TelegramSender()
    try:
        yield sender
    finally:
        sender.close()


def bot_name(call: Callable[[Callable[[Bot], Awaitable[str]]], str] = worker_call) -> str:
    """Return the bot's user name, which is remembered for a day; empty while Telegram does not answer."""
    key = f"bot:name:{settings.TELEGRAM_BOT_TOKEN.partition(':')[0]}"
    known: str | None = cache.get(key)
    if known is None:
        try:
            known = call(_name)
        except ServiceError as error:
            logger.warning("the bot's name is not known: %s", error)
            return ""
        cache.set(key, known, NAME_SECONDS)
    return known


async def _name(bot: Bot) -> str:
    return str((await bot.get_me()).username)


def download(document: Document) -> Upload:
    """Fetch a file that somebody sent. Raises PayloadTooLarge, ValidationFailed for an empty one, and UpstreamError."""
    limit = min(DOWNLOAD_MIB * MIB, settings.IMPORT_MAX_BYTES)
    too_large = PayloadTooLarge(f"檔案太大：Telegram 機器人最多收 {limit / MIB:g} MB，更大的檔案請到後台匯入")
    if document.size > limit:
        raise too_large

    async def fetch(bot: Bot) -> bytes:
        return bytes(await (await bot.get_file(document.file_id)).download_as_bytearray())

    try:
        content = worker_call(fetch)
    except UpstreamError as error:
        if "file is too big" in error.message.lower():
            raise too_large from error
        raise
    if len(content) > limit:
        raise too_large
    if not content:
        raise ValidationFailed("檔案是空的")
    return Upload(document.name, content)


def show_toast(query: str, text: str = "") -> None:
    """End the wait of a pressed button, with a text where there is one. A press that is too old gets nothing."""

    async def answer(bot: Bot) -> bool:
        return await bot.answer_callback_query(query, text=text[:TOAST_LENGTH] or None, show_alert=bool(text))

    try:
        worker_call(answer)
    except ServiceError as error:
        logger.info("a press is not answered: %s", error)
