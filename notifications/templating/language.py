"""The language: Liquid with a short list of tags and filters, strict, and bounded in every direction.

Nothing of Liquid's own context is used: templates see the values they were given and the loops they are in, and walk
only from a dict to its fields. No attribute of any Python object is ever looked up by a name that a template says.
"""

from __future__ import annotations

import functools
import html
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from liquid import Environment
from liquid.ast import Node
from liquid.builtin import illegal
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.exceptions import LiquidError, LiquidInterrupt, UnknownFilterError
from liquid.expression import Expression
from liquid.token import Token

from notifications.templating.bounds import BLOCK_DEPTH, BODY_BYTES, RENDER_SECONDS
from notifications.templating.faults import Fault, RenderFault, TemplateFailed, place_of, told
from notifications.templating.filters import FILTERS
from notifications.templating.lexer import Lexed, lex
from notifications.templating.nodes import READERS, TAGS, run

# Looks at the clock only now and then, which costs more than most steps.
STEPS_A_LOOK = 64
# What expressions and filters of ours can still run into: each is the template's fault, never the server's.
RENDER_ERRORS = (LiquidError, LiquidInterrupt, ArithmeticError, ValueError, TypeError, RecursionError)


class Language(Environment):
    """Only our tags and filters."""

    block_nesting_limit = BLOCK_DEPTH + 2

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        self.add_tag(illegal.Illegal)
        for tag in TAGS:
            self.add_tag(tag)
        for name, spec in FILTERS.items():
            self.add_filter(name, spec.call)

    def tokenizer(self) -> Callable[[str], Iterator[Token]]:
        return lambda source: iter(lex(source).tokens)


LANGUAGE = Language()


class Unreadable(Exception):
    """A text that is no template; `faults` says why."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(faults[0].message)
        self.faults = faults


@functools.lru_cache(maxsize=256)
def parse(source: str) -> tuple[Node, ...]:
    """The template's tree. Raises Unreadable with everything that is wrong with its form."""
    lexed = lex(source)
    faults = [*lexed.faults, *_unreadable_expressions(lexed)]
    if faults:
        raise Unreadable(faults)
    try:
        return tuple(LANGUAGE.from_string(source).nodes)
    except LiquidError as error:
        raise Unreadable([Fault(place_of(error.token) or 0, "這裡的寫法看不懂")]) from error


def _unreadable_expressions(lexed: Lexed) -> Iterator[Fault]:
    for name, token in lexed.expressions:
        if name not in READERS:
            continue
        try:
            made = READERS[name](LANGUAGE, token)
        except (LiquidError, ValueError, OverflowError, RecursionError) as error:
            culprit: Token | None = getattr(error, "token", None)
            place = place_of(culprit)
            near = f"，問題在「{culprit.value[:20]}」" if culprit is not None and place is not None else ""
            yield Fault(place or token.start_index, f"看不懂「{token.value[:60]}」{near}")
        else:
            if any(_has_range(expression) for expression in (made if isinstance(made, list) else [made])):
                yield Fault(token.start_index, "不能用範圍 (1..n)")


def _has_range(expression: Expression) -> bool:
    """A few letters that stand for any number of values; nothing that we send needs one."""
    return isinstance(expression, RangeLiteral) or any(map(_has_range, expression.children()))


class Context:
    """One rendering: its values, its text, and what it has used up. Expressions of Liquid ask it for names."""

    autoescape = False  # values are escaped when they are written, whatever they went through

    def __init__(self, values: Mapping[str, Any], *, escaped: bool) -> None:
        self.env = LANGUAGE
        self.scopes: list[Mapping[str, Any]] = [values]
        self.escaped = escaped
        self.parts: list[str] = []
        self.size = 0
        self.steps = 0
        self.ticks = 0
        self.deadline = time.thread_time() + RENDER_SECONDS

    def tick(self, token: Token | None) -> None:
        """One step more. Raises RenderFault when the time is over."""
        self.ticks += 1
        if self.ticks % STEPS_A_LOOK == 0 and time.thread_time() > self.deadline:
            raise RenderFault(f"產生內容超過 {RENDER_SECONDS:g} 秒", token=token)

    def write(self, text: str, token: Token | None) -> None:
        """Raises RenderFault when the text becomes too long."""
        self.size += len(text.encode("utf-8", "surrogatepass"))
        if self.size > BODY_BYTES:
            raise RenderFault(f"產生的內容超過 {BODY_BYTES // 1024} KB", token=token)
        self.parts.append(text)

    def write_value(self, text: str, token: Token | None) -> None:
        self.write(html.escape(text).replace("&#x27;", "&#39;") if self.escaped else text, token)

    @contextmanager
    def within(self, scope: Mapping[str, Any]) -> Iterator[None]:
        """Names of a loop, as long as it lasts."""
        self.scopes.append(scope)
        try:
            yield
        finally:
            self.scopes.pop()

    def get(self, path: list[object], *, token: Token | None, default: object = None) -> Any:
        """What a path leads to: a name, then fields of dicts; of a list only its size. Raises RenderFault."""
        self.tick(token)
        name, *fields = path
        for scope in reversed(self.scopes):
            if isinstance(name, str) and name in scope:
                value = scope[name]
                break
        else:
            raise RenderFault(f"沒有宣告變數「{name}」", token=token)
        for field in fields:
            if isinstance(value, dict) and isinstance(field, str) and field in value:
                value = value[field]
            elif isinstance(value, list) and field == "size":
                value = len(value)
            else:
                raise RenderFault(f"「{name}」沒有欄位「{field}」", token=token)
        return value

    def filter(self, name: str, token: Token | None) -> Callable[..., object]:
        self.tick(token)
        try:
            return self.env.filters[name]
        except KeyError:
            raise UnknownFilterError(f"沒有過濾器「{name}」", token=token) from None


def produce(source: str, values: Mapping[str, Any], *, escaped: bool, where: str = "") -> str:
    """The text of a template with `values` as `variables.coerce` makes them. Raises TemplateFailed with the line."""
    try:
        nodes = parse(source)
    except Unreadable as error:
        first = min(error.faults)
        raise TemplateFailed(told(source, first.index, first.message), where=where) from error
    context = Context(values, escaped=escaped)
    try:
        run(list(nodes), context)
    except RENDER_ERRORS as error:
        place = place_of(getattr(error, "token", None))
        message = str(error.message) if isinstance(error, LiquidError) else "無法計算"
        raise TemplateFailed(told(source, place or 0, message), where=where) from error
    return "".join(context.parts)
