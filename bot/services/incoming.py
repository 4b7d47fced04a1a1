"""What an update of Telegram says, out of its JSON (core.telegram.org/bots/api#update)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from telegram import Chat as TelegramChat
from telegram import ChatMember, MaybeInaccessibleMessage
from telegram import Message as TelegramMessage
from telegram import Update as TelegramUpdate
from telegram import User as TelegramUser

from bot.models import NAME_LENGTH
from momo.core.texts import one_line

_MALFORMED = (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError)
_INSIDE = (ChatMember.MEMBER, ChatMember.ADMINISTRATOR, ChatMember.OWNER, ChatMember.RESTRICTED)


class Malformed(ValueError):
    """The update is not as the Bot API describes it."""


@dataclass(frozen=True)
class Sender:
    """Who wrote or pressed."""

    id: int
    name: str


@dataclass(frozen=True)
class Place:
    """The chat in which it happened."""

    id: int
    title: str
    is_private: bool
    topic: int | None = None  # of a group that has some


@dataclass(frozen=True)
class Document:
    """A file that waits at Telegram; `size` in bytes, 0 where Telegram does not say."""

    file_id: str
    name: str
    size: int


@dataclass(frozen=True)
class Message:
    """A message. `text` is that of the message, or the caption of its file; `answers` is whose message it answers."""

    sender: Sender
    place: Place
    text: str
    document: Document | None = None
    answers: int | None = None
    moved_to: str = ""


@dataclass(frozen=True)
class Press:
    """A button that was pressed, below the message `number`."""

    sender: Sender
    place: Place
    query: str
    token: str
    number: int


@dataclass(frozen=True)
class Membership:
    """The bot was added to a chat, or removed from it."""

    sender: Sender
    place: Place
    inside: bool


Incoming = Message | Press | Membership


def read_update(body: Mapping[str, Any]) -> Incoming | None:
    """Return what an update says; None for what the bot does not handle. Raises Malformed."""
    try:
        update = TelegramUpdate.de_json(dict(body), None)
        if update.message is not None:
            return _message(update.message)
        if update.callback_query is not None:
            query = update.callback_query
            return _press(query.from_user, query.message, str(query.id), str(query.data or ""))
        if update.my_chat_member is not None:
            change = update.my_chat_member
            inside = change.new_chat_member.status in _INSIDE
            return Membership(_sender(change.from_user), _place(change.chat), inside)
    except _MALFORMED as error:
        raise Malformed(f"{type(error).__name__}: {error}"[:200]) from error
    return None


def _sender(user: TelegramUser) -> Sender:
    return Sender(int(user.id), one_line(str(user.full_name))[:NAME_LENGTH])


def _place(chat: TelegramChat, message: MaybeInaccessibleMessage | None = None) -> Place:
    title = one_line(str(chat.title or chat.full_name or ""))[:NAME_LENGTH]
    # A message that answers another has a thread in groups without topics as well.
    topic = message.message_thread_id if isinstance(message, TelegramMessage) and message.is_topic_message else None
    return Place(int(chat.id), title, chat.type == TelegramChat.PRIVATE, topic)


def _message(message: TelegramMessage) -> Message | None:
    # Of a channel, of a group's anonymous admin, or of another bot: nobody whose role could be known.
    if message.from_user is None or message.from_user.is_bot or message.sender_chat is not None:
        return None
    text = str(message.text or message.caption or "")
    if not text and message.effective_attachment is None and not message.migrate_to_chat_id:
        return None  # what Telegram itself says: a pinned message, a new title
    document, answered = message.document, message.reply_to_message
    return Message(
        sender=_sender(message.from_user),
        place=_place(message.chat, message),
        text=text,
        document=Document(str(document.file_id), str(document.file_name or "檔案"), int(document.file_size or 0))
        if document is not None
        else None,
        answers=int(answered.from_user.id) if answered is not None and answered.from_user is not None else None,
        moved_to=str(int(message.migrate_to_chat_id)) if message.migrate_to_chat_id else "",
    )


def _press(user: TelegramUser, message: MaybeInaccessibleMessage | None, query: str, token: str) -> Press | None:
    if message is None:  # below a message that was sent by way of another chat
        return None
    return Press(_sender(user), _place(message.chat, message), query, token, int(message.message_id))
