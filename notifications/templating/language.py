"""The language of templates: Liquid with few tags and filters, strict, and bounded in every direction.

Lexer, parser, nodes and limits are python-liquid's. Each piece here is what a promise needs beyond them:

- braces are checked before the lexer, whose regular expression takes 11 s for 20,000 braces that are not closed;
- every error has a place, also at the end of an expression or of the template, where Liquid's tokens have none;
- an empty text and an empty list are false, `case` takes the first match, loops walk only lists and count their steps;
- lookups go from a dict to its keys and from a list to its size: no attribute of a Python object is ever reached.
"""

from __future__ import annotations

import functools
import html
import itertools
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TextIO

from liquid import Environment, Mode, RenderContext, StrictUndefined
from liquid.ast import BlockNode, Node
from liquid.builtin import content, illegal, output
from liquid.builtin.expressions import BooleanExpression, LoopExpression
from liquid.builtin.expressions.logical import LogicalAndExpression, LogicalOrExpression
from liquid.builtin.tags import case_tag, comment_tag, for_tag, if_tag, unless_tag
from liquid.exceptions import LiquidError, LiquidInterrupt
from liquid.expression import Expression
from liquid.stream import TokenStream
from liquid.tag import Tag
from liquid.template import BoundTemplate
from liquid.token import TOKEN_CONTENT, TOKEN_TAG, Token
from liquid.utils import ReadOnlyChainMap

from notifications.templating.bounds import BLOCK_DEPTH, BODY_BYTES, EXPRESSION_LENGTH, LOOP_STEPS, RENDER_SECONDS
from notifications.templating.faults import LanguageFault, TemplateFailed, explain
from notifications.templating.filters import FILTERS, as_text, checked

# Errors that a template can run into while rendering: each is the template's fault, never the server's.
RENDER_ERRORS = (LiquidError, LiquidInterrupt, ArithmeticError, ValueError, TypeError, RecursionError)
INSIDE = rf"(?:(?!\{{[{{%]).){{0,{EXPRESSION_LENGTH}}}?"
# As far as all braces are closed soon and hold no other braces; of raw text, whatever it holds.
CLOSED = re.compile(
    rf"(?:[^{{]++|\{{(?![{{%])|\{{%-?\s*raw\s*-?%\}}.*?\{{%-?\s*endraw\s*-?%\}}"
    rf"|\{{\{{{INSIDE}\}}\}}|\{{%(?!-?\s*(?:raw|doc)\b){INSIDE}%\}})*+",
    re.DOTALL,
)
MISSING = object()
NO_CONTEXT: Any = None  # Liquid's nodes need a context only to load other templates, which ours cannot


def check_braces(source: str) -> None:
    """Raise LanguageFault for braces that are not closed soon or hold other braces."""
    found = CLOSED.match(source)
    end = found.end() if found else 0
    if end < len(source):
        opening, closing = source[end : end + 2], "}}" if source.startswith("{{", end) else "%}"
        message = (
            f"「{opening}」沒有結束的「{closing}」（raw 要有 {{% endraw %}}），或裡面超過 {EXPRESSION_LENGTH} 個字"
        )
        raise LanguageFault(message, token=Token(TOKEN_TAG, opening, end, source))


class Truth(BooleanExpression):
    """A condition of `if` and `unless`: an empty text and an empty list are false too; 0 is true."""

    def __init__(self, condition: Any) -> None:
        super().__init__(condition.token, condition.expression)

    def evaluate(self, context: RenderContext) -> bool:
        return _is_true(self.expression, context)


def _is_true(expression: Expression, context: RenderContext) -> bool:
    match expression:
        case LogicalAndExpression():
            return _is_true(expression.left, context) and _is_true(expression.right, context)
        case LogicalOrExpression():
            return _is_true(expression.left, context) or _is_true(expression.right, context)
    value = expression.evaluate(context)
    return not (value is None or value is False or (isinstance(value, (str, list)) and not value))


class Items(LoopExpression):
    """The items of a list. Liquid walks other values too, and takes a limit of 0 for none."""

    def __init__(self, loop: LoopExpression) -> None:
        named = {name: getattr(loop, name) for name in ("limit", "offset", "cols")}
        super().__init__(loop.token, loop.identifier, loop.iterable, reversed_=loop.reversed, **named)

    def evaluate(self, context: Any) -> tuple[Iterator[Any], int]:
        items = self.iterable.evaluate(context)
        if not isinstance(items, list):
            raise LanguageFault("for 只能逐項處理清單", token=self.token)
        offset: Any = self.offset and self.offset.evaluate(context)
        limit: Any = self.limit and self.limit.evaluate(context)
        items = items[max(offset or 0, 0) :][: None if limit is None else max(limit, 0)]
        return iter(items[::-1] if self.reversed else items), len(items)


class ValueNode(output.OutputNode):
    """`{{ … }}`: escaped where the format is markup, whatever filters the value went through."""

    def render_to_output(self, context: Any, buffer: TextIO) -> int:
        value = self.expression.evaluate(context)
        if isinstance(value, (list, dict)):
            raise LanguageFault("清單不能直接輸出，請用 for 逐項輸出欄位", token=self.token)
        text = as_text(value)
        return buffer.write(html.escape(text).replace("&#x27;", "&#39;") if context.escaped else text)


class FirstMatchNode(case_tag.CaseNode):
    """`case` renders the first block that matches, once; Liquid renders each block for each value that is equal."""

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        for block in self.blocks:
            if isinstance(block, BlockNode):
                return block.render(context, buffer)
            if any(block.expression.evaluate(context)):
                return block.block.render(context, buffer)
        return 0


class Located(Tag):
    """A tag whose errors all have a place."""

    mode = Mode.STRICT  # `if` and `unless` would skip what they cannot read after `else`

    def get_node(self, stream: TokenStream) -> Node:
        first, tag = stream.pos, stream.current
        try:
            return self.parse(stream)
        except LiquidError as error:
            if stream.current == stream.eof and error.token in (stream.eof, tag):
                raise LanguageFault(f"「{tag.value}」沒有結束的 {{% end{tag.value} %}}", token=tag) from error
            if error.token == stream.eof:
                error.token = stream.tokens[max(first, stream.pos - 1)]  # the expression that ends too soon
            raise


class StrictCaseTag(case_tag.CaseTag):
    """`{% case %}`: Liquid drops what stands before the first `when`, or cannot be read after its values."""

    node_class = FirstMatchNode

    def parse(self, stream: TokenStream) -> Node:
        tag = stream.current
        inside = itertools.islice(stream.tokens, stream.pos + 2, None)
        start = next((one for one in inside if one.kind != TOKEN_CONTENT or not one.value.isspace()), stream.eof)
        if start != stream.eof and not start.is_tag("when"):
            raise LanguageFault("case 要從第一個 when 開始，與它之間不能有內容", token=start)
        node = super().parse(stream)
        if any(isinstance(block, BlockNode) for block in list(node.children(NO_CONTEXT))[:-1]):
            raise LanguageFault("case 的 when 與 else 不能放在 else 之後", token=tag)
        return node

    def _parse_when_expression(self, stream: TokenStream) -> list[Expression]:
        values = super()._parse_when_expression(stream)
        stream.expect_eos()
        return values


def adapt(nodes: Iterable[Node]) -> None:
    """Give Liquid's nodes the truth of conditions and the items of loops of this language."""
    for node in nodes:
        match node:
            case if_tag.IfNode() | unless_tag.UnlessNode():
                node.condition = Truth(node.condition)
                for alternative in node.alternatives:
                    alternative.expression = Truth(alternative.expression)
            case for_tag.ForNode():
                node.expression = Items(node.expression)
        adapt(node.children(NO_CONTEXT))


TAGS: tuple[type[Tag], ...] = (
    *(illegal.Illegal, content.Literal, output.Output, if_tag.IfTag, unless_tag.UnlessTag, StrictCaseTag),
    *(for_tag.ForTag, for_tag.BreakTag, for_tag.ContinueTag, comment_tag.CommentTag),
)


class Language(Environment):
    """Liquid without tags that store (assign, capture, cycle), load (include, render) or hide (liquid, echo)."""

    block_nesting_limit = BLOCK_DEPTH
    output_stream_limit = BODY_BYTES
    suppress_blank_control_flow_blocks = False

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        for tag in TAGS:
            node_class = {"node_class": ValueNode} if tag is output.Output else {}
            located: Any = type(tag.__name__, (Located, tag), node_class)
            self.add_tag(located)
        for name, spec in FILTERS.items():
            self.add_filter(name, checked(name, spec))


LANGUAGE = Language(undefined=StrictUndefined)


class Context(RenderContext):
    """One rendering: its values, how they are escaped, and what it has used up of its steps and its time."""

    def __init__(self, template: BoundTemplate, values: Mapping[str, Any], *, escaped: bool) -> None:
        super().__init__(template, globals=values)
        self.scope = ReadOnlyChainMap(values)  # without the names that Liquid adds: the clock and counters
        self.escaped = escaped
        self.steps = 0
        self.deadline = time.thread_time() + RENDER_SECONDS

    def check_time(self, token: Token | None) -> None:
        """Raise LanguageFault if the time is over."""
        if time.thread_time() > self.deadline:
            raise LanguageFault(f"產生內容超過 {RENDER_SECONDS:g} 秒", token=token)

    def raise_for_loop_limit(self, length: int = 1) -> None:
        """Raise LanguageFault if the loops of this rendering have too many items together, also one after another."""
        self.steps += length
        if self.steps > LOOP_STEPS:
            raise LanguageFault(f"迴圈總共超過 {LOOP_STEPS} 次")

    def get(self, path: list[object], *, token: Token | None, default: object = MISSING) -> object:
        """The value at `path`. Raise LanguageFault if there is none."""
        self.check_time(token)
        value = super().get(path, token=token, default=default)
        if value is MISSING:
            raise LanguageFault(f"沒有宣告變數或欄位「{'.'.join(map(str, path))}」", token=token)
        return value

    def get_item(self, obj: Any, key: Any) -> Any:
        """A key of a dict or of the loop, or the size of a list; of nothing else."""
        if isinstance(obj, (dict, for_tag.ForLoop)):
            return obj[key]
        if isinstance(obj, list) and key == "size":
            return len(obj)
        raise KeyError(key)

    def filter(self, name: str, token: Token | None) -> Callable[..., object]:
        """The filter called `name`. Raise UnknownFilterError."""
        self.check_time(token)
        return super().filter(name, token)


@functools.lru_cache(maxsize=256)
def parse(source: str) -> BoundTemplate:
    """The template. Raise LiquidError for the first thing that is wrong with its form."""
    check_braces(source)
    template = LANGUAGE.from_string(source)
    adapt(template.nodes)
    return template


def produce(source: str, values: Mapping[str, Any], *, escaped: bool, where: str = "") -> str:
    """The text of a template with `values` as `variables.coerce` makes them. Raise TemplateFailed with the line."""
    node: Node | None = None
    try:
        template = parse(source)
        context = Context(template, values, escaped=escaped)
        buffer = context.get_buffer()
        for node in template.nodes:
            node.render(context, buffer)
    except RENDER_ERRORS as error:
        raise TemplateFailed(explain(error, node.token if node else None), where=where) from error
    return buffer.getvalue()
