"""Repeats a request that a provider refused for now, before the first token only, within one deadline."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from ai.providers.base import Prompt
from ai.providers.errors import ProviderError
from ai.providers.wire import Wire
from momo.core.waits import backoff

ATTEMPTS = 4
_Item = TypeVar("_Item")


class TryAgain(Exception):
    """429 or 5xx: `failure` is what it means if there is no time left; `wait` is what the provider asked for."""

    def __init__(self, failure: ProviderError, wait: float | None = None) -> None:
        super().__init__(str(failure))
        self.failure, self.wait = failure, wait


def with_retries(attempt: Callable[[], Iterator[_Item]], prompt: Prompt, wire: Wire) -> Iterator[_Item]:
    """What `attempt` gives. It raises TryAgain before it gives anything. Raises its failure, and Timeout."""
    for number in range(1, ATTEMPTS + 1):
        try:
            yield from attempt()
            return
        except TryAgain as refused:
            wait = backoff(number, base=0.5, longest=8) if refused.wait is None else refused.wait
            # A wait beyond the deadline is known to be in vain: the reason is the refusal, not the time.
            if number == ATTEMPTS or wait >= prompt.left:
                raise refused.failure from refused
            wire.pause(wait)
