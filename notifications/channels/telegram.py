"""Channel for Telegram's Bot API (core.telegram.org/bots/api), on python-telegram-bot."""

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
# Makes the library give waits as timedeltas, which will be its only way.
os.environ.setdefault("PTB_TIMEDELTA", "true")

# Idle connections are closed before servers and firewalls close them, which would look like a message lost on its way.
KEEP_ALIVE_SECONDS = 5.0
# Nothing of the request has left: trying again cannot send it twice.
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL)
# Descriptions of a 400 that mean that this chat takes no more messages: it is gone, or the bot may not write there. The
# words are those of the Bot API's server and of Telegram's own errors, which it passes on.
_CHAT_CLOSED = (
    *("chat not found", "chat was deactivated", "user not found", "user is deactivated", "chat_id is empty"),
    *("peer_id_invalid", "chat_id_invalid", "channel_invalid", "channel_private", "input_user_deactivated"),
    *("bot is not a member", "user_is_blocked", "user_banned_in_channel", "topic_closed", "topic_deleted"),
    *("not enough rights", "no rights to send", "administrator rights", "chat_admin_required"),
    *("chat_write_forbidden", "chat_restricted", "chat_send_plain_forbidden", "chat_guest_send_forbidden"),
)
# Of these only the document is refused; texts still arrive.
_NO_DOCUMENTS = ("rights to send documents", "chat_send_docs_forbidden")
# Of a text that without its markup may be accepted; too long are those from before texts were split by bytes as well.
_MARKUP_REFUSED = ("can't parse entities", "text is too long")
_TOKEN_WAIT = 300.0  # seconds: a person has to correct a wrong token
# TELEGRAM_TIMEOUT is the limit of each step, which never runs out when a server sends a byte now and then. This many of
# them limit a whole request; with the second attempt for refused markup still less than OUTBOX_CLAIM_TIMEOUT.
_STEPS = 6
_TOO_LARGE = 413


class _Request(HTTPXRequest):
    """Keeps the last answer, since exceptions do not show whether Telegram or a gateway answered."""

    status: int | None = None
    body: Mapping[str, Any] | None = None  # of an answer that is Telegram's

    async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        self.status = self.body = None
        status, payload = await super().do_request(*args, **kwargs)
        self.status, self.body = status, _telegram_body(payload)
        return status, payload

    @property
    def accepted(self) -> bool:
        """Whether Telegram accepted the request, whatever else its answer holds."""
        return self.status == 200 and self.body is not None and self.body["ok"] is True

    @property
    def number(self) -> str:
        """Telegram's number of the accepted message."""
        result = self.body.get("result") if self.body else None
        return str(result.get("message_id", "")) if isinstance(result, dict) else ""


def _telegram_body(payload: bytes) -> Mapping[str, Any] | None:
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
        """Connect with getMe, once and again after each failure of the channel."""
        wanted = (settings.TELEGRAM_BOT_TOKEN, settings.TELEGRAM_API_URL)
        if not wanted[0]:
            reason = "還沒有設定 TELEGRAM_BOT_TOKEN，訊息留著等待寄出"
            return Outcome(Verdict.RETRY, reason, wait=_TOKEN_WAIT, of_channel=True)
        if self._bot is None or self._made_for != wanted:
            self.close()
            trouble = self._attempt(self._make)
            if trouble is not None:
                self.close()
                return _open_outcome(trouble)
            self._made_for, self._ready = wanted, True
        elif not self._ready:
            if (trouble := self._attempt(self._bot.get_me)) is not None:
                return _open_outcome(trouble)
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
        token = settings.TELEGRAM_BOT_TOKEN
        bot = Bot(token, base_url=f"{url}/bot", base_file_url=f"{url}/file/bot", request=self._request)
        await bot.initialize()
        self._bot = bot

    def send(self, message: OutboxMessage) -> Outcome:
        """Send one message: a text, or a document with its caption."""
        # The files and the chat were prefetched before the message was marked as sending.
        attachment = min(message.attachments.all(), key=lambda one: one.pk, default=None)
        limit = TEXT_LIMIT if attachment is None else CAPTION_LIMIT
        body = message.body if attachment is None else (split_telegram(message.body, limit) or [""])[0]
        outcome = self._post(message, attachment, body, ParseMode.HTML)
        if outcome.verdict is Verdict.FAILED and any(each in outcome.reason.lower() for each in _MARKUP_REFUSED):
            # Nothing was accepted, and the text matters more than its markup.
            logger.error("message %s has markup that Telegram refuses: %s", message.pk, outcome.reason)
            plain = to_text(body, Format.TELEGRAM)
            if utf16_length(plain) > limit:
                plain = plain_text(body)
            outcome = self._post(message, attachment, _cut(plain, limit), None)
            if outcome.verdict is Verdict.SENT:
                return replace(outcome, reason="Telegram 不接受這則訊息的格式，已改用純文字送出")
        return outcome

    def _post(self, message: OutboxMessage, attachment: Attachment | None, body: str, mode: str | None) -> Outcome:
        bot, request = self._bot, self._request
        if bot is None or request is None:
            return self.open() or self._post(message, attachment, body, mode)
        # The chat may have moved since the message was enqueued.
        chat_id = message.chat.chat_id if message.chat is not None else message.recipient

        async def call() -> Message:
            if attachment is None:
                preview = LinkPreviewOptions(is_disabled=True)
                return await bot.send_message(chat_id, body, parse_mode=mode, link_preview_options=preview)
            file = InputFile(bytes(attachment.content), filename=attachment.name)
            return await bot.send_document(
                chat_id, file, caption=body or None, parse_mode=mode, filename=attachment.name
            )

        outcome = self._attempt(call)
        if outcome is None or request.accepted:
            return Outcome(Verdict.SENT, message_id=request.number)
        self._ready = self._ready and not outcome.of_channel
        return outcome

    def _attempt(self, work: Callable[[], Awaitable[Any]]) -> Outcome | None:
        """Await `work`. Returns None when it succeeded, else what the error means for the message."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        if self._request is not None:
            self._request.status = self._request.body = None
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
            return _channel_outcome(f"Telegram 的設定無法使用（{type(error).__name__}）", error, wait=_TOKEN_WAIT)
        return None

    def _status(self) -> int | None:
        return self._request.status if self._request is not None else None

    def close(self) -> None:
        """Close the connection and the event loop."""
        bot, loop, self._bot, self._request, self._loop = self._bot, self._loop, None, None, None
        self._ready = False
        if loop is None:
            return
        try:
            if bot is not None:
                loop.run_until_complete(bot.shutdown())
            loop.run_until_complete(loop.shutdown_asyncgens())
        except Exception:  # a failed shutdown changes nothing for the messages
            logger.debug("closing the connection to Telegram failed", exc_info=True)
        finally:
            loop.close()


def judge(error: TelegramError, *, status: int | None, is_telegrams: bool) -> Outcome:
    """Return what an error means for the message.

    `status` is the HTTP status of the last answer, None without an answer; `is_telegrams` is whether Telegram gave that
    answer, and not a gateway.
    """
    reason = _reason(error)
    if status is not None and not is_telegrams:
        return _gateway_outcome(status, error)
    match error:
        case RetryAfter():
            wait = error.retry_after
            seconds = wait.total_seconds() if isinstance(wait, timedelta) else float(wait)
            return Outcome(Verdict.RETRY, f"Telegram 要求等待 {seconds:g} 秒", wait=seconds)
        case ChatMigrated():
            return Outcome(Verdict.RETRY, "群組已升級為超級群組", moved_to=str(error.new_chat_id))
        case Forbidden():
            return Outcome(Verdict.FAILED, reason, chat_off=True)
        case InvalidToken():
            return _channel_outcome(f"Telegram 不接受 TELEGRAM_BOT_TOKEN：{reason}", error, wait=_TOKEN_WAIT)
        case BadRequest():
            return Outcome(Verdict.FAILED, reason, chat_off=_is_closed(str(error).lower()))
        case Conflict():
            return Outcome(Verdict.RETRY, reason)
    if status is None and isinstance(error.__cause__, _NEVER_SENT):
        return _channel_outcome(f"連不上 Telegram（{type(error.__cause__).__name__}）", error)
    return _other_outcome(status, reason)


def _is_closed(description: str) -> bool:
    """Whether each further message to this chat would fail as well, by what a 400 says in lower case."""
    return any(each in description for each in _CHAT_CLOSED) and not any(each in description for each in _NO_DOCUMENTS)


def _other_outcome(status: int | None, reason: str) -> Outcome:
    """Return the outcome of an error that is known by its HTTP status alone."""
    if status is None:
        return Outcome(Verdict.UNKNOWN, f"送出後連線中斷，無法確認 Telegram 是否收到（{reason}）")
    if status >= 400:
        return Outcome(Verdict.RETRY if status >= 500 else Verdict.FAILED, reason)
    return Outcome(Verdict.UNKNOWN, f"讀不懂 Telegram 的回覆，無法確認是否收到（{reason}）")


def _gateway_outcome(status: int, error: TelegramError) -> Outcome:
    """Return the outcome of an answer by a gateway or a wrong address, which says nothing about the chat."""
    if status == _TOO_LARGE:
        return Outcome(Verdict.FAILED, f"檔案太大，Telegram 前面的閘道不接受（HTTP {status}）")
    if 300 <= status < 500:
        return _channel_outcome(f"Telegram 的網址回覆 HTTP {status}，不是 Telegram；請確認 TELEGRAM_API_URL", error)
    return Outcome(Verdict.UNKNOWN, f"Telegram 前面的閘道回覆 HTTP {status}，無法確認是否收到")


def _open_outcome(trouble: Outcome) -> Outcome:
    """Return an outcome for the channel: before any message is sent, no error is about a message."""
    if trouble.verdict is Verdict.UNKNOWN:
        trouble = Outcome(Verdict.RETRY, "Telegram 沒有正常回應，訊息留著等待寄出")
    return replace(trouble, verdict=Verdict.RETRY, of_channel=True, chat_off=False, moved_to="")


def _channel_outcome(reason: str, error: Exception, *, wait: float | None = None) -> Outcome:
    logger.warning("Telegram: %s", type(error).__name__)
    return Outcome(Verdict.RETRY, reason, wait=wait, of_channel=True)


def _reason(error: TelegramError) -> str:
    """Return Telegram's description of an error, without the token that it may hold as part of an address."""
    text = " ".join(str(error).split())[:500]
    token = settings.TELEGRAM_BOT_TOKEN
    for secret in (token, token.partition(":")[2]):
        if len(secret) >= 8:
            text = text.replace(secret, "…")
    return f"Telegram：{text}"


def _cut(text: str, limit: int) -> str:
    """Return the first `limit` UTF-16 code units of `text`, without half a character."""
    data = text.encode("utf-16-le", "ignore")[: 2 * limit]
    return data.decode("utf-16-le", "ignore")
