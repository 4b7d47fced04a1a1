"""What every provider takes and gives."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from ai.providers.errors import ProviderError, Timeout
from ai.providers.wire import Wire


@dataclass(frozen=True)
class Prompt:
    """`system` is ours, `user` holds what people typed. `deadline` is monotonic seconds, over all retries."""

    system: str
    user: str
    max_output: int  # tokens
    deadline: float
    temperature: float = 0.8

    @property
    def left(self) -> float:
        """Seconds until the deadline. Raises Timeout at it."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise Timeout
        return left


@dataclass(frozen=True)
class Usage:
    """Tokens as the provider counted them, None where it did not say; thinking counts as output."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    searches: int = 0


@dataclass(frozen=True)
class Chunk:
    """A piece of an answer. `received` counts characters as they came, thinking included; the last one has `usage`."""

    text: str = ""
    received: int = 0
    usage: Usage | None = None
    model: str = ""


@dataclass(frozen=True)
class Answer:
    """A whole answer with what it is grounded on, as the provider sent it."""

    text: str
    usage: Usage
    model: str
    grounding: dict[str, Any] = field(default_factory=dict)
    failure: ProviderError | None = None


@dataclass(frozen=True)
class State:
    """Whether a provider can be used now; `reason` says why not, in Traditional Chinese."""

    available: bool
    reason: str
    models: list[str]


class Provider(Protocol):
    """One that writes text."""

    @property
    def name(self) -> str:
        """As requests and rows name it."""

    @property
    def label(self) -> str:
        """As users read it."""

    @property
    def model(self) -> str:
        """As the provider names it."""

    def generate(self, prompt: Prompt, wire: Wire) -> Iterator[Chunk]:
        """The answer as it comes, without thinking. Raises ProviderError; `wire` may be closed by another thread."""

    def state(self) -> State:
        """Whether it can be used now. Raises nothing."""
