"""Telegram over its Bot API (core.telegram.org/bots/api), by python-telegram-bot."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
from django.conf import settings
from telegram import Bot, InputFile, LinkPreviewOptions, Message
from telegram.constants import ParseMode
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    RetryAfter,
    TelegramError,
)
from telegram.request import HTTPXRequest

from notifications.channels.base import ChannelSender, Outcome, Verdict
from notifications.markup import CAPTION_LIMIT, TEXT_LIMIT, plain_text, split_telegram, to_text, utf16_length
from notifications.models import Attachment, Format, OutboxMessage

logger = logging.getLogger("momo.notifications.telegram")
# The library's word for: give waits as timedeltas, which will be the only way.
os.environ.setdefault("PTB_TIMEDELTA", "true")

# Idle connections are given up before servers and firewalls do so, which would look like a message lost on its way.
KEEP_ALIVE_SECONDS = 5.0
# Nothing of the request has left: trying again cannot send it twice.
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL)
# Words of a 400 that say that this chat will take nothing more.
_CHAT_GONE = ("chat not found", "group chat was deactivated", "user not found", "peer_id_invalid", "chat_id is empty")
_TOKEN_WAIT = 300.0  # seconds: a wrong token is put right by a person
# TELEGRAM_TIMEOUT is of each step, and a server that sends a letter now and then never lets one run out. The whole
# request takes at most so many of them; with the second try of refused markup still less than OUTBOX_CLAIM_TIMEOUT.
_STEPS = 6
_TOO_LARGE = 413


class _Request(HTTPXRequest):
    """Remembers the last answer: which errors are Telegram's own, and which a gateway's, the exceptions do not say."""

    status: int | None = None
    body: Mapping[str, Any] | None = None  # of an answer that is Telegram's

    def forget(self) -> None:
        """Nothing was answered yet."""
        self.status = self.body = None

    async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        self.forget()
        status, payload = await super().do_request(*args, **kwargs)
        self.status, self.body = status, _telegrams(payload)
        return status, payload

    @property
    def accepted(self) -> bool:
        """Whether Telegram took what was sent, whatever else its answer holds."""
        return self.status == 200 and self.body is not None and self.body["ok"] is True

    @property
    def number(self) -> str:
        """What Telegram calls the message that it took."""
        result = self.body.get("result") if self.body else None
        return str(result.get("message_id", "")) if isinstance(result, dict) else ""


def _telegrams(payload: bytes) -> Mapping[str, Any] | None:
    try:
        body = json.loads(payload)
    except ValueError:
        return None
    return body if isinstance(body, dict) and "ok" in body else None


class TelegramSender(ChannelSender):
    """Sends as the bot of TELEGRAM_BOT_TOKEN; see `ChannelSender`.

    The library is asynchronous and its connections belong to one event loop, so a sender has a loop of its own.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._request: _Request | None = None
        self._bot: Bot | None = None
        self._made_for = ("", "")
        self._ready = False

    def open(self) -> Outcome | None:
        """Ask once who we are, and again after trouble."""
        wanted = (settings.TELEGRAM_BOT_TOKEN, settings.TELEGRAM_API_URL)
        if not wanted[0]:
            return Outcome(
                Verdict.RETRY, "還沒有設定 TELEGRAM_BOT_TOKEN，訊息留在寄件匣等待", wait=_TOKEN_WAIT, everybody=True
            )
        if self._bot is None or self._made_for != wanted:
            self.close()
            trouble = self._attempt(self._make)
            if trouble is not None:
                self.close()
                return _before_any(trouble)
            self._made_for, self._ready = wanted, True
        elif not self._ready:
            if (trouble := self._attempt(self._bot.get_me)) is not None:
                return _before_any(trouble)
            self._ready = True
        return None

    async def _make(self) -> None:
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=KEEP_ALIVE_SECONDS)
        seconds = settings.TELEGRAM_TIMEOUT
        self._request = _Request(
            connection_pool_size=1,
            connect_timeout=min(seconds, 10.0),
            read_timeout=seconds,
            write_timeout=seconds,
            pool_timeout=1.0,
            media_write_timeout=4 * seconds,
            httpx_kwargs={"limits": limits, "trust_env": False},
        )
        url = settings.TELEGRAM_API_URL
        bot = Bot(
            settings.TELEGRAM_BOT_TOKEN,
            base_url=f"{url}/bot",
            base_file_url=f"{url}/file/bot",
            request=self._request,
        )
        await bot.initialize()
        self._bot = bot

    def send(self, message: OutboxMessage) -> Outcome:
        """Hand one message over: a text, or a document with its caption."""
        # Whoever marked the message has read its files and chat before.
        attachment = min(message.attachments.all(), key=lambda one: one.pk, default=None)
        limit = TEXT_LIMIT if attachment is None else CAPTION_LIMIT
        body = message.body if attachment is None else (split_telegram(message.body, limit) or [""])[0]
        outcome = self._hand_over(message, attachment, body, ParseMode.HTML)
        if outcome.verdict is Verdict.FAILED and "can't parse entities" in outcome.reason.lower():
            # Nothing was accepted, and the words matter more than their looks.
            logger.error("message %s has markup that Telegram refuses: %s", message.pk, outcome.reason)
            plain = to_text(body, Format.TELEGRAM)
            if utf16_length(plain) > limit:
                plain = plain_text(body)
            again = self._hand_over(message, attachment, _cut(plain, limit), None)
            if again.verdict is Verdict.SENT:
                return Outcome(
                    Verdict.SENT, "Telegram 不接受這則訊息的格式，已改用純文字送出", message_id=again.message_id
                )
            return again
        return outcome

    def _hand_over(self, message: OutboxMessage, attachment: Attachment | None, body: str, mode: str | None) -> Outcome:
        bot, request = self._bot, self._request
        if bot is None or request is None:
            return self.open() or self._hand_over(message, attachment, body, mode)
        # The chat may have moved since the message was written.
        chat_id = message.chat.chat_id if message.chat is not None else message.recipient

        async def call() -> Message:
            if attachment is None:
                return await bot.send_message(
                    chat_id,
                    body,
                    parse_mode=mode,
                    link_preview_options=LinkPreviewOptions(is_disabled=True),
                )
            file = InputFile(bytes(attachment.content), filename=attachment.name)
            return await bot.send_document(
                chat_id, file, caption=body or None, parse_mode=mode, filename=attachment.name
            )

        outcome = self._attempt(call)
        if outcome is None or request.accepted:
            return Outcome(Verdict.SENT, message_id=request.number)
        self._ready = self._ready and not outcome.everybody
        return outcome

    def _attempt(self, work: Callable[[], Awaitable[Any]]) -> Outcome | None:
        """None when it worked, else what it means."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        if self._request is not None:
            self._request.forget()
        try:
            self._loop.run_until_complete(asyncio.wait_for(work(), _STEPS * settings.TELEGRAM_TIMEOUT))
        except TelegramError as error:
            return judge(error, status=self._status(), is_telegrams=bool(self._request and self._request.body))
        except TimeoutError:
            return Outcome(Verdict.UNKNOWN, "Telegram 太久沒有回覆完畢，無法確認是否收到")
        except Exception as error:
            if self._status() is not None:
                logger.exception("Telegram's answer cannot be read")
                return Outcome(Verdict.UNKNOWN, f"讀不懂 Telegram 的回覆（{type(error).__name__}），無法確認是否收到")
            if not isinstance(error, (httpx.HTTPError, httpx.InvalidURL, ValueError)):
                raise
            return _everybody(f"Telegram 的設定無法使用（{type(error).__name__}）", error, wait=_TOKEN_WAIT)
        return None

    def _status(self) -> int | None:
        return self._request.status if self._request is not None else None

    def close(self) -> None:
        """Give the connection back."""
        bot, loop, self._bot, self._request, self._loop = self._bot, self._loop, None, None, None
        self._ready = False
        if loop is None:
            return
        try:
            if bot is not None:
                loop.run_until_complete(bot.shutdown())
            loop.run_until_complete(loop.shutdown_asyncgens())
        except Exception:  # whatever a goodbye meets, we are leaving
            logger.debug("goodbye to Telegram failed", exc_info=True)
        finally:
            loop.close()


def judge(error: TelegramError, *, status: int | None, is_telegrams: bool) -> Outcome:
    """What an error means for the message. `status` is of the last answer, None when there was none; `is_telegrams`
    whether it was Telegram that answered, and not something in between."""
    words = _words(error)
    if status is not None and not is_telegrams:
        return _in_between(status, error)
    match error:
        case RetryAfter():
            wait = error.retry_after
            seconds = wait.total_seconds() if isinstance(wait, timedelta) else float(wait)
            return Outcome(Verdict.RETRY, f"Telegram 要求等待 {seconds:g} 秒", wait=seconds)
        case ChatMigrated():
            return Outcome(Verdict.RETRY, "群組已升級為超級群組", moved_to=str(error.new_chat_id))
        case Forbidden():
            return Outcome(Verdict.FAILED, words, chat_off=True)
        case InvalidToken():
            return _everybody(f"Telegram 不接受 TELEGRAM_BOT_TOKEN：{words}", error, wait=_TOKEN_WAIT)
        case BadRequest():
            gone = any(each in str(error).lower() for each in _CHAT_GONE)
            return Outcome(Verdict.FAILED, words, chat_off=gone)
        case Conflict():
            return Outcome(Verdict.RETRY, words)
    if status is None:
        if isinstance(error.__cause__, _NEVER_SENT):
            return _everybody(f"連不上 Telegram（{type(error.__cause__).__name__}）", error)
        return Outcome(Verdict.UNKNOWN, f"送出後連線中斷，無法確認 Telegram 是否收到（{words}）")
    if status >= 500:
        return Outcome(Verdict.RETRY, words)
    if status >= 400:
        return Outcome(Verdict.FAILED, words)
    return Outcome(Verdict.UNKNOWN, f"讀不懂 Telegram 的回覆，無法確認是否收到（{words}）")


def _in_between(status: int, error: TelegramError) -> Outcome:
    """What a gateway or a wrong address answered; of our chats it knows nothing."""
    if status == _TOO_LARGE:
        return Outcome(Verdict.FAILED, f"檔案太大，Telegram 前面的閘道不接受（HTTP {status}）")
    if 300 <= status < 500:
        return _everybody(f"Telegram 的網址回覆 HTTP {status}，不是 Telegram；請確認 TELEGRAM_API_URL", error)
    return Outcome(Verdict.UNKNOWN, f"Telegram 前面的閘道回覆 HTTP {status}，無法確認是否收到")


def _before_any(trouble: Outcome) -> Outcome:
    """Trouble that came before any message was handed over is the channel's, whatever it would mean for a message."""
    if trouble.verdict is Verdict.UNKNOWN:
        trouble = Outcome(Verdict.RETRY, "Telegram 沒有正常回應，訊息留在寄件匣等待")
    return replace(trouble, verdict=Verdict.RETRY, everybody=True, chat_off=False, moved_to="")


def _everybody(reason: str, error: Exception, *, wait: float | None = None) -> Outcome:
    logger.warning("Telegram: %s", type(error).__name__)
    return Outcome(Verdict.RETRY, reason, wait=wait, everybody=True)


def _words(error: TelegramError) -> str:
    """Telegram's words, without the token that an address may bring along."""
    text = " ".join(str(error).split())[:500]
    token = settings.TELEGRAM_BOT_TOKEN
    for secret in (token, token.partition(":")[2]):
        if len(secret) >= 8:
            text = text.replace(secret, "…")
    return f"Telegram：{text}"


def _cut(text: str, limit: int) -> str:
    """At most `limit` UTF-16 units."""
    data = text.encode("utf-16-le", "ignore")[: 2 * limit]
    return data.decode("utf-16-le", "ignore")
