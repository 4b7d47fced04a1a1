"""Faults: what strikes which chats, how often."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.kit.faults import FaultDice, FaultRule

# `drop`: the connection breaks before anything is accepted; `drop_accepted`: after; `drop_unread`: before the request
# is read, so it knows no chats. `refused`: a 400 about this message alone; `no_rights`: a 400 because the bot may not
# write there, in one of the wordings of CLOSED. `page`: HTML of something in between, with the status `code`. `odd`:
# accepted, and answered with what no client can read; `trickle`: with one byte each `seconds`.
KINDS = (
    *("flood", "blocked", "not_found", "no_rights", "migrated", "refused", "failed", "bad_gateway", "garbage", "page"),
    *("drop", "drop_unread", "drop_accepted", "slow", "slow_accepted", "unauthorized", "odd", "trickle"),
)
# What the Bot API says when it refuses every message to a chat with 400 (tdlib/telegram-bot-api, and
# core.telegram.org/method/messages.sendMessage, whose errors it passes on).
CLOSED = (
    "Bad Request: not enough rights to send text messages to the chat",
    "Bad Request: have no rights to send a message",
    "Bad Request: need administrator rights in the channel chat",
    "Bad Request: CHAT_WRITE_FORBIDDEN",
    "Bad Request: CHAT_RESTRICTED",
    "Bad Request: CHAT_SEND_PLAIN_FORBIDDEN",
    "Bad Request: CHAT_ADMIN_REQUIRED",
    "Bad Request: USER_BANNED_IN_CHANNEL",
    "Bad Request: CHANNEL_PRIVATE",
    "Bad Request: TOPIC_CLOSED",
    "Bad Request: PEER_ID_INVALID",
    "Bad Request: chat not found",
    "Bad Request: user not found",
    "Bad Request: group chat was deactivated",
)


@dataclass
class Rule(FaultRule):
    """`chat` is a regular expression found in the chat's number.

    `seconds` is what `flood` asks for, or how long `slow` takes; `to` the new number of `migrated`; `words` what the
    server says instead of its usual words.
    """

    kind: str
    chat: str = ""
    seconds: float = 1
    to: str = ""
    words: str = ""
    code: int = 504

    def __post_init__(self) -> None:
        assert self.kind in KINDS, self.kind


class Dice(FaultDice[Rule]):
    """Picks the rule of a call."""

    def strike(self, chat: str, *, unread: bool = False) -> Rule | None:
        """The rule for this chat, used up by once; `unread`: of those that strike before a chat is known."""
        return self.pick(lambda rule: (rule.kind == "drop_unread") is unread and re.search(rule.chat, chat) is not None)
