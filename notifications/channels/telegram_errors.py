"""What the errors of Telegram's Bot API mean for a message."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta

import httpx
from django.conf import settings
from telegram.error import BadRequest, ChatMigrated, Conflict, Forbidden, InvalidToken, RetryAfter, TelegramError

from notifications.channels.base import Outcome, Verdict

logger = logging.getLogger("momo.notifications.telegram")

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
# Of these only the file is refused; texts still arrive.
_NO_FILES = (
    *("rights to send documents", "chat_send_docs_forbidden"),
    *("rights to send photos", "chat_send_photos_forbidden", "chat_send_media_forbidden"),
)
# Descriptions of a 400 about a message that cannot be edited any more, or never had a text.
_NO_EDIT = ("message to edit not found", "message can't be edited", "no text in the message", "message_id_invalid")
# Descriptions of a 400 about the topic alone: what is sent outside of topics still arrives.
_NO_TOPIC = ("message thread not found", "topic_closed", "topic_deleted")
TOKEN_WAIT = 300.0  # seconds: a person has to correct a wrong token
_TOO_LARGE = 413


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
            return channel_outcome(f"Telegram 不接受 TELEGRAM_BOT_TOKEN：{reason}", error, wait=TOKEN_WAIT)
        case BadRequest():
            return Outcome(Verdict.FAILED, reason, chat_off=_is_closed(str(error).lower()))
        case Conflict():
            return Outcome(Verdict.RETRY, reason)
    if status is None and isinstance(error.__cause__, _NEVER_SENT):
        return channel_outcome(f"連不上 Telegram（{type(error.__cause__).__name__}）", error)
    return _other_outcome(status, reason)


def is_unchanged(error: BadRequest) -> bool:
    """Whether the message that was to be edited reads like that already."""
    return "message is not modified" in str(error).lower()


def is_beyond_edit(error: BadRequest) -> bool:
    """Whether the message that was to be edited is gone, too old, or a picture."""
    return any(each in str(error).lower() for each in _NO_EDIT)


def is_topic_gone(error: BadRequest) -> bool:
    """Whether the topic in which it was to be sent takes no messages any more."""
    return any(each in str(error).lower() for each in _NO_TOPIC)


def _is_closed(description: str) -> bool:
    """Whether each further message to this chat would fail as well, by what a 400 says in lower case."""
    return any(each in description for each in _CHAT_CLOSED) and not any(each in description for each in _NO_FILES)


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
        return channel_outcome(f"Telegram 的網址回覆 HTTP {status}，不是 Telegram；請確認 TELEGRAM_API_URL", error)
    return Outcome(Verdict.UNKNOWN, f"Telegram 前面的閘道回覆 HTTP {status}，無法確認是否收到")


def open_outcome(trouble: Outcome) -> Outcome:
    """Return an outcome for the channel: before any message is sent, no error is about a message."""
    if trouble.verdict is Verdict.UNKNOWN:
        trouble = Outcome(Verdict.RETRY, "Telegram 沒有正常回應，訊息留著等待寄出")
    return replace(trouble, verdict=Verdict.RETRY, of_channel=True, chat_off=False, moved_to="")


def channel_outcome(reason: str, error: Exception, *, wait: float | None = None) -> Outcome:
    """Return an outcome that is not about the message; the log gets the error's name, without the token."""
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
