"""Rules of when a stand-in misbehaves, and the dice that pick one for a request."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar


@dataclass(kw_only=True)
class FaultRule:
    """Strikes with probability `share`, after `skip` requests that it fits, `times` at most; None is for ever."""

    share: float = 1
    times: int | None = None
    skip: int = 0


Rule = TypeVar("Rule", bound=FaultRule)


class FaultDice(Generic[Rule]):
    """Picks the rule that strikes; the same ones for the same seed and requests."""

    def __init__(self, rules: Iterable[Rule] = (), seed: int = 0) -> None:
        self.rules = list(rules)
        self._random = random.Random(seed)
        self._lock = threading.Lock()

    def pick(self, fits: Callable[[Rule], bool]) -> Rule | None:
        """The first rule that fits and strikes, whose `times` are one less then."""
        with self._lock:
            for rule in self.rules:
                if rule.times == 0 or not fits(rule) or (rule.share < 1 and self._random.random() >= rule.share):
                    continue
                if rule.skip:
                    rule.skip -= 1
                    continue
                if rule.times is not None:
                    rule.times -= 1
                return rule
        return None
