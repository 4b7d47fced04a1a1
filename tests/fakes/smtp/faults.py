"""Troubles: where in the talk they strike, whom, how often, and what happens then."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from dataclasses import dataclass

# `inside`: half-way through the data. `dot`: the message is complete, and not accepted. `accepted`: it is.
PLACES = ("mail", "rcpt", "data", "inside", "dot", "accepted")


@dataclass
class Rule:
    """At `at`: wait `delay` seconds, then say `answer`; without an answer and a delay the connection is dropped.

    It strikes recipients that `recipient` (a regular expression) is found in; MAIL knows none, so there it must be
    empty. `share` is the probability, `times` how often at most (None: for ever).
    """

    at: str
    answer: str = ""
    delay: float = 0
    recipient: str = ""
    share: float = 1
    times: int | None = None

    def __post_init__(self) -> None:
        assert self.at in PLACES, self.at
        assert not (self.at == "mail" and self.recipient)

    @property
    def drops(self) -> bool:
        return not self.answer and not self.delay


class Dice:
    """Chooses the rule that strikes, the same ones for the same seed."""

    def __init__(self, rules: Iterable[Rule], seed: int) -> None:
        self.rules = list(rules)
        self._random = random.Random(seed)

    def strike(self, at: str, recipient: str = "") -> Rule | None:
        """The first rule for this moment, used up by once."""
        for rule in self.rules:
            if (
                rule.at == at
                and rule.times != 0
                and re.search(rule.recipient, recipient)
                and (rule.share >= 1 or self._random.random() < rule.share)
            ):
                if rule.times is not None:
                    rule.times -= 1
                return rule
        return None
