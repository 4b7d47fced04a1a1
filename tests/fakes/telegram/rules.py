"""Faults: what strikes which chats, how often."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.kit.faults import FaultDice, FaultRule

# `drop`: the connection breaks before anything is accepted; `drop_accepted`: after; `drop_unread`: before the request
# is read, so it knows no chats. `refused`: a 400 in other words. `page`: HTML of something in between, with the status
# `code`. `odd`: accepted, and answered with what no client can read; `trickle`: with one octet each `seconds`.
KINDS = (
    *("flood", "blocked", "not_found", "migrated", "refused", "failed", "bad_gateway", "garbage", "page"),
    *("drop", "drop_unread", "drop_accepted", "slow", "slow_accepted", "unauthorized", "odd", "trickle"),
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
