"""Troubles: what strikes which chats, how often."""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass

# `drop`: the connection breaks before anything is accepted; `drop_accepted`: after; `drop_unread`: before the request
# is read, so it knows no chats. `refused`: a 400 in other words. `page`: HTML of something in between, with the status
# `code`. `odd`: accepted, and answered with what no client can read; `trickle`: with one letter each `seconds`.
KINDS = (
    *("flood", "blocked", "not_found", "migrated", "refused", "failed", "bad_gateway", "garbage", "page"),
    *("drop", "drop_unread", "drop_accepted", "slow", "slow_accepted", "unauthorized", "odd", "trickle"),
)


@dataclass
class Rule:
    """`chat` is a regular expression found in the chat's number, `share` a probability, `times` how often at most.

    `seconds` is what `flood` asks for, or how long `slow` takes; `to` the new number of `migrated`; `words` what the
    server says instead of its usual words.
    """

    kind: str
    chat: str = ""
    share: float = 1
    times: int | None = None
    seconds: float = 1
    to: str = ""
    words: str = ""
    code: int = 504

    def __post_init__(self) -> None:
        assert self.kind in KINDS, self.kind


class Dice:
    """Chooses the rule that strikes."""

    def __init__(self, rules: Iterable[Rule], seed: int) -> None:
        self.rules = list(rules)
        self._random = random.Random(seed)
        self._lock = threading.Lock()

    def strike(self, chat: str, *, unread: bool = False) -> Rule | None:
        """The first rule for this chat, used up by once; `unread`: of those that strike before a chat is known."""
        with self._lock:
            for rule in self.rules:
                if (
                    rule.times != 0
                    and (rule.kind == "drop_unread") is unread
                    and re.search(rule.chat, chat)
                    and (rule.share >= 1 or self._random.random() < rule.share)
                ):
                    if rule.times is not None:
                        rule.times -= 1
                    return rule
        return None
