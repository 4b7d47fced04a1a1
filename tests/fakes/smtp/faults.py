"""Faults: at which step of the SMTP conversation they strike, which recipients, and what happens then."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.kit.faults import FaultDice, FaultRule

# `inside`: half-way through the data. `dot`: the message is complete, and not accepted. `accepted`: it is.
PLACES = ("mail", "rcpt", "data", "inside", "dot", "accepted")


@dataclass
class Rule(FaultRule):
    """At `at`: wait `delay` seconds, then say `answer`; without an answer and a delay the connection is dropped.

    It strikes recipients that `recipient` (a regular expression) is found in; MAIL knows none, so there it must be
    empty.
    """

    at: str
    answer: str = ""
    delay: float = 0
    recipient: str = ""

    def __post_init__(self) -> None:
        assert self.at in PLACES, self.at
        assert not (self.at == "mail" and self.recipient)

    @property
    def drops(self) -> bool:
        """Whether the connection is dropped."""
        return not self.answer and not self.delay


class Dice(FaultDice[Rule]):
    """Picks the rule of a step."""

    def strike(self, at: str, recipient: str = "") -> Rule | None:
        """The rule that strikes at this step, used up by once."""
        return self.pick(lambda rule: rule.at == at and re.search(rule.recipient, recipient) is not None)
