"""The language of templates: Liquid with few tags and filters, strict, and bounded in every direction.

Lexer, parser, nodes and limits are python-liquid's. This module adds what a promise needs beyond them:

- braces are checked before the lexer, whose regular expression takes quadratic time when they are not closed;
- tags that do not belong together are refused before the parser, which skips some of them;
- a line that holds only tags leaves no line behind (`without_tag_lines`);
- an empty text and an empty list are false, `case` takes the first match, loops walk only lists and count their steps;
- lookups go from a dict to its keys and from a list to its size: no attribute of a Python object is ever reached.
"""

from __future__ import annotations

import functools
import html
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TextIO

from liquid import Environment, RenderContext, StrictUndefined
from liquid.ast import BlockNode, Node
from liquid.builtin import content, illegal, output
from liquid.builtin.expressions import BooleanExpression, LoopExpression
from liquid.builtin.expressions.logical import LogicalAndExpression, LogicalOrExpression
from liquid.builtin.tags import case_tag, for_tag, if_tag, unless_tag
from liquid.exceptions import LiquidError, LiquidInterrupt
from liquid.expression import Expression
from liquid.stream import TokenStream
from liquid.tag import Tag
from liquid.template import BoundTemplate
from liquid.token import TOKEN_CONTENT, TOKEN_EXPRESSION, TOKEN_OUTPUT, TOKEN_TAG, Token
from liquid.utils import ReadOnlyChainMap

from notifications.templating.bounds import BLOCK_DEPTH, BODY_BYTES, EXPRESSION_LENGTH, LOOP_STEPS, RENDER_SECONDS
from notifications.templating.faults import LanguageFault, TemplateFailed, explain
from notifications.templating.filters import FILTERS, as_text, checked

# Errors that a template can run into while rendering: each is the template's fault, never the server's.
RENDER_ERRORS = (LiquidError, LiquidInterrupt, ArithmeticError, ValueError, TypeError, RecursionError)
RAW = r"\{%-?\s*raw\s*-?%\}.*?\{%-?\s*endraw\s*-?%\}"
COMMENT = r"\{%-?\s*comment\b.*?\{%-?\s*endcomment\s*-?%\}"
INSIDE = rf"(?:(?!\{{[{{%]).){{0,{EXPRESSION_LENGTH}}}?"
# As far as all braces are closed soon and hold no other braces.
CLOSED = re.compile(
    rf"(?:[^{{]++|\{{(?![{{%])|{RAW}|\{{\{{{INSIDE}\}}\}}|\{{%(?!-?\s*(?:raw|doc)\b){INSIDE}%\}})*+", re.DOTALL
)
# Lines of tags and comments alone; raw text and other comments, which stay as they are.
TAG_LINES = re.compile(
    rf"^[ \t]*(?P<tags>(?:(?>{COMMENT}|\{{%(?!-?\s*raw\b).*?%\}})[ \t]*)+)(?P<end>\n|\Z)|{RAW}|{COMMENT}",
    re.MULTILINE | re.DOTALL,
)
# The tags that may follow within a block, by the last one.
FOLLOWING = {
    **dict.fromkeys(["if", "unless", "elsif"], ("elsif", "else")),
    "for": ("else",),
    "case": ("when",),
    "when": ("when", "else"),
    **dict.fromkeys(["else", "comment"], ()),
}
PARTS = {"else": "if、unless、for、case", "elsif": "if、unless", "when": "case"}
ALONE = ("break", "continue")
MISSING = object()
NO_CONTEXT: Any = None  # Liquid's nodes need a context only to load other templates, which ours cannot


# --- Source ---------------------------------------------------------------------------------------------------------


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


def without_tag_lines(source: str) -> str:
    """`source` with the end of every line that holds only tags moved into its last tag.

    So the line prints nothing, and all that follows keeps its line number.
    """

    def inside(line: re.Match[str]) -> str:
        if line["tags"] is None:
            return line.group()
        tags = re.sub(r"%\}[ \t]+(?=\{%)", "%}", line["tags"].rstrip())
        return f"{tags}{line['end']}" if tags.endswith("-%}") else f"{tags[:-2]}{line['end']}%}}"

    return TAG_LINES.sub(inside, source)


def check_tag(tag: Token, blocks: list[tuple[Token, str]]) -> None:
    """Raise LanguageFault for a tag that may not stand here. `blocks` are those open, each with its last own tag."""
    name = tag.value
    if name in PARTS:
        if not blocks or name not in FOLLOWING[blocks[-1][1]]:
            message = f"「{name}」只能用在 {PARTS[name]} 裡面，case 的要從第一個 when 開始，而且不能放在 else 之後"
            raise LanguageFault(message, token=tag)
        blocks[-1] = (blocks[-1][0], name)
    elif name in FOLLOWING:
        blocks.append((tag, name))
    elif name.startswith("end"):
        if not blocks or name != f"end{blocks.pop()[0].value}":
            raise LanguageFault(f"「{name}」前面沒有相對應的 {name[3:]}，或有標籤還沒結束", token=tag)
    elif name not in ALONE:
        raise LanguageFault(f"沒有標籤「{name}」；可用：{'、'.join([*FOLLOWING, *ALONE, 'raw'])}", token=tag)


# --- Nodes and tags -------------------------------------------------------------------------------------------------


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


class ValueTag(output.Output):
    """`{{ … }}`."""

    node_class = ValueNode


class StrictCaseTag(case_tag.CaseTag):
    """`{% case %}`: Liquid drops what cannot be read after a value of `when`."""

    node_class = FirstMatchNode

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


# --- The language ---------------------------------------------------------------------------------------------------


TAGS: tuple[type[Tag], ...] = (
    *(illegal.Illegal, content.Literal, ValueTag, if_tag.IfTag, unless_tag.UnlessTag, StrictCaseTag),
    *(for_tag.ForTag, for_tag.BreakTag, for_tag.ContinueTag),
)


class Language(Environment):
    """Liquid without tags that store (assign, capture, cycle), load (include, render) or hide (liquid, echo)."""

    block_nesting_limit = BLOCK_DEPTH
    output_stream_limit = BODY_BYTES
    suppress_blank_control_flow_blocks = False

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        for tag in TAGS:
            self.add_tag(tag)
        for name, spec in FILTERS.items():
            self.add_filter(name, checked(name, spec))

    def tokenizer(self) -> Callable[[str], Iterator[Token]]:
        return self._tokens

    def _tokens(self, source: str) -> Iterator[Token]:
        """Liquid's tokens without comments. Raises LanguageFault if their tags do not belong together."""
        blocks: list[tuple[Token, str]] = []
        previous = None
        for token in super().tokenizer()(source):
            within = blocks[-1][1] if blocks else ""
            if token.kind == TOKEN_EXPRESSION and previous and previous.is_tag("else"):
                raise LanguageFault(f"看不懂「{token.value[:60]}」", token=token)
            previous = token
            if token.is_tag("endcomment") or (within != "comment" and token.kind == TOKEN_TAG):
                check_tag(token, blocks)
            elif within == "case" and token.kind in (TOKEN_CONTENT, TOKEN_OUTPUT) and not token.value.isspace():
                raise LanguageFault("case 與第一個 when 之間不能有內容", token=blocks[-1][0])
            if "comment" not in (within, blocks[-1][1] if blocks else ""):
                yield token
        for token, _ in blocks[-1:]:
            raise LanguageFault(f"「{token.value}」沒有結束的 {{% end{token.value} %}}", token=token)

    def error(self, exc: Any, msg: str | None = None, token: Token | None = None) -> None:
        """Raise `exc`. The end of an expression has no place of its own: it is in or before `token`, the next one."""
        if token is not None and getattr(exc, "token", None) == TokenStream.eof:
            start = token.start_index
            if token.kind != TOKEN_EXPRESSION:
                start = token.source.rfind("{", 0, max(token.source.rfind("}", 0, start), 0))
            exc.token = token._replace(value="", start_index=start)
        super().error(exc, msg, token)


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
    template = LANGUAGE.from_string(without_tag_lines(source))
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
