"""What is wrong with a template, each with its line."""

from __future__ import annotations

from dataclasses import dataclass

from liquid.exceptions import FilterArgumentError, LiquidError
from liquid.token import Token

from momo.rest.errors import ValidationFailed
from notifications.templating.bounds import FAULTS


class TemplateFailed(ValidationFailed):
    """A template that cannot be rendered with these values: it goes beyond a bound, or is no template at all."""

    default_message = "範本無法產生內容"

    def __init__(self, told: str, *, where: str = "") -> None:
        self.told = told  # begins with the line
        super().__init__(f"{where}{told}")


class RenderFault(LiquidError):
    """Something that only shows while rendering; `message` is for people."""


class FilterFault(FilterArgumentError):
    """A filter refuses its value; the engine adds where."""

    def __init__(self, message: str) -> None:
        super().__init__(message, token=None)


@dataclass(frozen=True, order=True)
class Fault:
    """`index` is the place in the text; `message` is for people."""

    index: int
    message: str


def line_at(source: str, index: int) -> int:
    """The line of a place, from 1."""
    return source.count("\n", 0, max(index, 0)) + 1


def told(source: str, index: int, message: str) -> str:
    """`第 3 行：…`"""
    return f"第 {line_at(source, index)} 行：{message}"


def texts(source: str, faults: list[Fault]) -> list[str]:
    """Each fault once, in the order of the text; the first of very many."""
    lines = list(dict.fromkeys(told(source, fault.index, fault.message) for fault in sorted(faults)))
    more = len(lines) - FAULTS
    return [*lines[:FAULTS], f"另有 {more} 個問題"] if more > 0 else lines


def place_of(token: Token | None) -> int | None:
    """Where a token stands; None for the end of an expression, which has no place."""
    return None if token is None or token.start_index < 0 else token.start_index
