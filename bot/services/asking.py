"""Who asks, in which chat, for what: out of an incoming message or press."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from django.conf import settings
from django.core.cache import cache

from accounts.models import User
from bot.linking import link
from bot.models import PressButton, TelegramAccount
from bot.registry import Reply
from bot.selectors import account_of, may_use_bot
from bot.services.answers import button_of, refusal
from bot.services.incoming import Document, Message, Place, Press, Sender
from bot.services.perform import as_typed
from bot.services.telegram import bot_name
from momo.core.errors import Conflict, Forbidden, NotFound, ServiceError
from notifications.models import Chat
from notifications.services.chats import bot_joined, chat_of_person

GUEST_SECONDS = 3600  # between two equal lines to somebody who is not linked
GUEST_LINES = 5  # in that time, wrong codes included
GUEST = Reply("您好，這是 MOMO Pro 團隊的機器人。請先登入後台，在「Telegram 帳號」取得連結碼，再回來這裡使用。")
CHANGE_FIRST = "請先到網站變更密碼，才能使用機器人"
NOT_LINKED = "請先在後台連結您的 Telegram 帳號"
NOT_APPROVED = "群組「{}」還沒有核准。請主管到後台「Telegram 聊天室」核准，之後就能在群組裡使用。"


@dataclass(frozen=True)
class Ask:
    """A command, or words, of a user in a chat. `edits`: the message whose place the answer takes."""

    user: User
    chat: Chat
    command: str
    args: tuple[str, ...] = ()
    document: Document | None = None
    button: PressButton | None = None
    edits: int | None = None
    topic: int | None = None

    @property
    def is_confirmed(self) -> bool:
        """Whether it comes from a button that works once."""
        return self.button is not None and self.button.once


@dataclass(frozen=True)
class Notice:
    """An answer that needs no command."""

    chat: Chat
    reply: Reply
    user: User | None = None


def ask_of_message(message: Message) -> Ask | Notice | None:
    """Return what a message asks for; None for one that is not for the bot, or whose sender is not answered."""
    account = account_of(message.sender.id)
    if message.place.is_private:
        return _private(message, account)
    if account is None or account.user is None or not may_use_bot(account.user):
        return None
    command, args = _words(message)
    if not command or not _is_for_bot(message, command):
        return None
    chat = _group(message.place, message.sender)
    if chat.standing == Chat.Standing.WAITING:
        own = chat_of_person(message.sender.id, title=message.sender.name, is_guest=False)
        return Notice(own, refusal(Conflict(NOT_APPROVED.format(chat.title))), account.user)
    if not chat.is_active:
        return None
    document = message.document if _is_import(command) else None
    return Ask(account.user, chat, _bare(command), args, document, topic=message.place.topic)


def _private(message: Message, account: TelegramAccount | None) -> Ask | Notice | None:
    sender, (command, args) = message.sender, _words(message)
    user = account.user if account is not None and account.user is not None and account.user.is_active else None
    if user is None:
        if command == "/start" and args:
            return _linked(sender, args[0])
        if not _first_this_hour(sender, "line"):
            return None
        return Notice(chat_of_person(sender.id, title=sender.name, is_guest=True), GUEST)
    chat = chat_of_person(sender.id, title=sender.name, is_guest=False)
    if not chat.is_active:
        return None
    if not may_use_bot(user):
        return Notice(chat, refusal(Forbidden(f"{CHANGE_FIRST}：{settings.PUBLIC_URL}")), user)
    if message.document is not None and not command.startswith("/"):
        command, args = "/import", ()  # a caption in everyday words names no kind of report; the preview does
    document = message.document if _is_import(command) else None
    return Ask(user, chat, _bare(command) or "/help", args, document)


def _first_this_hour(sender: Sender, what: str) -> bool:
    """Whether a stranger gets this line now. Marked before it is written: at most once, whatever dies."""
    lines = f"bot:guest:{sender.id}"
    if not cache.add(f"{lines}:{hashlib.sha256(what.encode()).hexdigest()}", 1, GUEST_SECONDS):
        return False
    cache.add(lines, 0, GUEST_SECONDS)
    return int(cache.incr(lines)) <= GUEST_LINES


def _linked(sender: Sender, code: str) -> Ask | Notice | None:
    """Link the account of the code, then answer as to `/start`."""
    try:
        account = link(code=code, telegram_id=sender.id, name=sender.name)
    except ServiceError as error:
        if not _first_this_hour(sender, code[:64]):
            return None
        chat = chat_of_person(sender.id, title=sender.name, is_guest=True)
        return Notice(chat, refusal(error))
    chat = chat_of_person(sender.id, title=sender.name, is_guest=False)
    assert account.user is not None  # that of the code
    return Ask(account.user, chat, "/start")


def ask_of_press(press: Press) -> Ask:
    """Return what a press asks for. Raises the errors that its presser is shown."""
    account = account_of(press.sender.id)
    if account is None or account.user is None or not account.user.is_active:
        raise Forbidden(NOT_LINKED)
    if not may_use_bot(account.user):
        raise Forbidden(CHANGE_FIRST)
    button = button_of(press.token)
    if button.once and button.user_id != account.user.pk:
        raise Conflict(f"這個按鈕只有 {button.user} 可以按")
    if press.place.is_private:
        chat = chat_of_person(press.sender.id, title=press.sender.name, is_guest=False)
    else:
        chat = _group(press.place, press.sender)
    if not chat.is_active:
        raise NotFound("這個聊天室已停用，或還沒有核准")
    edits = press.number if button.replaces else None
    args = tuple(map(str, button.args))
    topic = press.place.topic
    return Ask(account.user, chat, f"/{button.command}", args, button=button, edits=edits, topic=topic)


def _group(place: Place, sender: Sender) -> Chat:
    return bot_joined(str(place.id), title=place.title, by=sender.name)


def _words(message: Message) -> tuple[str, tuple[str, ...]]:
    words = message.text.split()
    name = f"@{bot_name()}".lower() if words and words[0].startswith("@") else ""
    if name and words[0].lower() == name:
        words = words[1:]
    return (as_typed(words[0]), tuple(words[1:])) if words else ("", ())


def _bare(command: str) -> str:
    """A command without the name of the bot: `/sales@momo_bot` is `/sales`."""
    return command.partition("@")[0] if command.startswith("/") else command


def _is_import(command: str) -> bool:
    return _bare(command) == "/import"


def _is_for_bot(message: Message, command: str) -> bool:
    """Whether a message in a group is for this bot: a command, a mention of it, or an answer to it."""
    if command.startswith("/"):
        _, at, name = command.partition("@")
        return not at or name.lower() == bot_name().lower()
    if message.text.lstrip().startswith("@"):
        return message.text.lstrip().lower().startswith(f"@{bot_name()} ".lower())
    return message.answers is not None and str(message.answers) == settings.TELEGRAM_BOT_TOKEN.partition(":")[0]
