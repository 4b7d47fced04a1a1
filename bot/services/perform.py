"""One way from what a user asks to the answer, for Telegram and for the API."""

from __future__ import annotations

import datetime as dt
import unicodedata
from typing import Any

from accounts.models import User
from bot.registry import Call, Reply, run
from bot.words import Understood, understand


def as_typed(word: str) -> str:
    """`/sales` for `／Ｓａｌｅｓ`, as Chinese keyboards write it; other words as they are."""
    folded = unicodedata.normalize("NFKC", word).lower()
    return folded if folded.startswith("/") else word


def read(command: str, args: tuple[str, ...], *, user: User, now: dt.datetime) -> Understood | Reply:
    """Return what `/command` with its arguments asks for, or what words without a slash mean."""
    if (name := as_typed(command)).startswith("/"):
        return name[1:], args
    return understand(" ".join((command, *args)), user=user, now=now)


def perform(asked: Understood | Reply, *, user: User, now: dt.datetime, **given: Any) -> Reply:
    """Return the answer. `given` are further fields of the call. Raises the errors of services."""
    if isinstance(asked, Reply):
        return asked
    return run(Call(user=user, command=asked[0], args=asked[1], now=now, **given))
