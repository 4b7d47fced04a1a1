"""The registry of commands: what a bot user can ask for, whatever the front end.

A command takes a `Call` and returns a `Reply`. It knows nothing of Telegram, of HTTP or of the admin: the webhook and
`POST /api/bot/command` build the same `Call` and show the same text. A command parses its arguments, calls one service
or selector, and answers.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from accounts.models import User
from momo.core.errors import Forbidden, NotFound
from momo.core.roles import LABELS, USER, has_role


@dataclass(frozen=True)
class Upload:
    """A file that came with the call. `content` is read by the front end, within the bounds of imports."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Call:
    """One call of a command by a user. `args` are the words after the command; `now` is aware."""

    user: User
    command: str
    args: tuple[str, ...] = ()
    now: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))
    upload: Upload | None = None
    chat_id: str = ""  # of the chat that asked; "" over REST. Only /subscribe and /unlink use it.
    confirmed: bool = False  # the user pressed the confirm button of this very call
    pictures: bool = True  # whether the front end shows pictures; none is drawn otherwise

    @property
    def text(self) -> str:
        """The arguments as one text."""
        return " ".join(self.args)


@dataclass(frozen=True)
class Button:
    """A button below a reply: pressing it runs `command` with `args`.

    `replaces`: the new reply takes the place of this one (pages, refresh) instead of following it.
    `once`: works once, for the person that it was shown to, for ten minutes; the call is then `confirmed`.
    """

    label: str
    command: str
    args: tuple[str, ...] = ()
    replaces: bool = True
    once: bool = False


@dataclass(frozen=True)
class Picture:
    """A PNG below the text. `alt` says in words what it shows, for front ends without pictures."""

    png: bytes
    name: str
    alt: str


@dataclass(frozen=True)
class Reply:
    """What a command answers.

    `text` is Telegram HTML (b, i, u, s, code, pre, a) made with `bot.texts`, without any length limit: front ends cut
    or split it. `data` is JSON: the same figures for programs. `buttons` are rows of buttons.
    """

    text: str
    data: Mapping[str, Any] = field(default_factory=dict)
    buttons: Sequence[Sequence[Button]] = ()
    picture: Picture | None = None


Handler = Callable[[Call], Reply]


@dataclass(frozen=True)
class Command:
    """A registered command. `usage` shows its arguments; `summary` is at most 60 characters (Telegram's menu).

    An `atomic` command runs in the transaction that writes its answer: once, whatever dies. One that waits for outside
    services (a model that writes) is not: it keeps no transaction open, and runs again if its worker died.
    """

    name: str
    handler: Handler
    role: str
    summary: str
    usage: str = ""
    examples: tuple[str, ...] = ()
    order: int = 100
    atomic: bool = True


_COMMANDS: dict[str, Command] = {}


def command(
    name: str,
    *,
    summary: str,
    role: str = USER,
    usage: str = "",
    examples: Sequence[str] = (),
    order: int = 100,
    atomic: bool = True,
) -> Callable[[Handler], Handler]:
    """Register a function as the command `/name`, for users of `role` and above."""

    def register(handler: Handler) -> Handler:
        _COMMANDS[name] = Command(name, handler, role, summary, usage, tuple(examples), order, atomic)
        return handler

    return register


def commands_for(user: User) -> list[Command]:
    """Return the commands that the user's role allows, in the order of the menu."""
    return [one for one in all_commands() if has_role(user, one.role)]


def all_commands() -> list[Command]:
    """Return all commands in the order of the menu."""
    return sorted(_COMMANDS.values(), key=lambda one: (one.order, one.name))


def find(name: str, user: User) -> Command:
    """Return a command that the user may give. Raises NotFound for an unknown one, Forbidden for a higher role's."""
    found = _COMMANDS.get(name)
    if found is None:
        raise NotFound(f"沒有 /{name[:32]} 這個指令，輸入 /help 看有哪些指令")
    if not has_role(user, found.role):
        raise Forbidden(f"/{found.name} 需要「{LABELS[found.role]}」以上的角色")
    return found


def run(call: Call) -> Reply:
    """Run a command with the caller's role.

    Raises NotFound for an unknown command, Forbidden when the role does not allow it, and the errors of services.
    """
    return find(call.command, call.user).handler(call)
