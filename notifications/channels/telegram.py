"""Channel for Telegram's Bot API (core.telegram.org/bots/api), on python-telegram-bot."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import httpx
from django.conf import settings
from django.utils import timezone
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, InputFile, LinkPreviewOptions
from telegram.constants import ParseMode
from telegram.error import BadRequest, TelegramError
from telegram.request import HTTPXRequest

from momo.core.errors import UpstreamError
from notifications.channels.base import ChannelSender, Outcome, Verdict
from notifications.channels.telegram_errors import (
    TOKEN_WAIT,
    channel_outcome,
    is_beyond_edit,
    is_topic_gone,
    is_unchanged,
    judge,
    open_outcome,
)
from notifications.markup import CAPTION_LIMIT, TEXT_LIMIT, plain_text, split_telegram, to_text, utf16_length
from notifications.models import Attachment, Format, OutboxMessage

logger = logging.getLogger("momo.notifications.telegram")
# Makes the library give waits as timedeltas, which will be its only way.
os.environ.setdefault("PTB_TIMEDELTA", "true")

# Idle connections are closed before servers and firewalls close them, which would look like a message lost on its way.
KEEP_ALIVE_SECONDS = 5.0
# Of a text that without its markup may be accepted; too long are those from before texts were split by bytes as well.
_MARKUP_REFUSED = ("can't parse entities", "text is too long")
# TELEGRAM_TIMEOUT is the limit of each step, which never runs out when a server sends a byte now and then. This many of
# them limit a whole request; with the second attempt for refused markup still less than OUTBOX_CLAIM_TIMEOUT.
_STEPS = 6
_LATE = 60.0  # seconds after which an answer of the bot says how old it is

Result = TypeVar("Result")


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
            return Outcome(Verdict.RETRY, reason, wait=TOKEN_WAIT, of_channel=True)
        if self._bot is None or self._made_for != wanted:
            self.close()
            trouble = self._attempt(self._make)
            if trouble is not None:
                self.close()
                return open_outcome(trouble)
            self._made_for, self._ready = wanted, True
        elif not self._ready:
            if (trouble := self._attempt(self._bot.get_me)) is not None:
                return open_outcome(trouble)
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
        bot = Bot(
            token,
            base_url=f"{url}/bot",
            base_file_url=f"{url}/file/bot",
            request=self._request,
            get_updates_request=self._request,
        )
        await bot.initialize()
        self._bot = bot

    def send(self, message: OutboxMessage) -> Outcome:
        """Send one message: a text, or a document with its caption."""
        # The files and the chat were prefetched before the message was marked as sending.
        attachment = min(message.attachments.all(), key=lambda one: one.pk, default=None)
        limit = TEXT_LIMIT if attachment is None else CAPTION_LIMIT
        body = _late_line(message) + message.body
        if attachment is not None:
            body = (split_telegram(body, limit) or [""])[0]
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

        async def call() -> None:
            if message.edits is None or not await _edit(bot, message, chat_id, body, mode):
                await _send_new(bot, message, chat_id, body, mode, attachment)

        outcome = self._attempt(call)
        if outcome is None or request.accepted:
            return Outcome(Verdict.SENT, message_id=request.number)
        self._ready = self._ready and not outcome.of_channel
        return outcome

    def call(self, work: Callable[[Bot], Awaitable[Result]]) -> Result:
        """Return what `work` awaits of the Bot API, for calls that are no messages.

        Raises UpstreamError with Telegram's reason, or with that of a missing token.
        """
        found: list[Result] = []

        async def run() -> None:
            if self._bot is not None:
                found.append(await work(self._bot))

        trouble = self.open() or self._attempt(run)
        if trouble is not None:
            self._ready = self._ready and not trouble.of_channel
            raise UpstreamError("Telegram", trouble.reason)
        return found[0]

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
            return channel_outcome(f"Telegram 的設定無法使用（{type(error).__name__}）", error, wait=TOKEN_WAIT)
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


async def _edit(bot: Bot, message: OutboxMessage, chat_id: str, body: str, mode: str | None) -> bool:
    """Put the text in the place of the message that it replaces. False where that message cannot be edited."""
    try:
        await bot.edit_message_text(
            body,
            chat_id,
            message.edits,
            parse_mode=mode,
            link_preview_options=LinkPreviewOptions(is_disabled=True),
            reply_markup=_keyboard(message),
        )
    except BadRequest as error:
        if is_beyond_edit(error):
            return False
        if not is_unchanged(error):
            raise
    return True


async def _send_new(
    bot: Bot, message: OutboxMessage, chat_id: str, body: str, mode: str | None, attachment: Attachment | None
) -> None:
    """Send a text, a document with its caption, or a picture of an answer; in its topic, if that is still there."""
    how: dict[str, Any] = {"parse_mode": mode, "reply_markup": _keyboard(message)}

    async def send(topic: int | None) -> None:
        if attachment is None:
            preview = LinkPreviewOptions(is_disabled=True)
            await bot.send_message(chat_id, body, link_preview_options=preview, message_thread_id=topic, **how)
            return
        file = InputFile(bytes(attachment.content), filename=attachment.name)
        deliver = bot.send_photo if message.is_answer else bot.send_document
        await deliver(chat_id, file, caption=body or None, message_thread_id=topic, **how)

    try:
        await send(message.topic)
    except BadRequest as error:
        if message.topic is None or not is_topic_gone(error):
            raise
        await send(None)


def _keyboard(message: OutboxMessage) -> InlineKeyboardMarkup | None:
    if not message.buttons:
        return None
    return InlineKeyboardMarkup(
        [[InlineKeyboardButton(text, callback_data=data) for text, data in row] for row in message.buttons]
    )


def _late_line(message: OutboxMessage) -> str:
    """The line above an answer that its reader no longer waits for; empty for all other messages."""
    seconds = (timezone.now() - message.created_at).total_seconds()
    if not message.is_answer or message.after_id is not None or seconds < _LATE:
        return ""
    return f"<i>這是 {seconds // 60:,.0f} 分鐘前的回覆</i>\n"


def _cut(text: str, limit: int) -> str:
    """Return the first `limit` UTF-16 code units of `text`, without half a character."""
    data = text.encode("utf-16-le", "ignore")[: 2 * limit]
    return data.decode("utf-16-le", "ignore")
