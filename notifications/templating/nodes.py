"""What a template is made of, how each part is read and how it is rendered.

Only these are registered: nothing that stores (assign, capture, increment, cycle), loads (include, render, extends) or
hides what it does (liquid, echo). Expressions are Liquid's own; conditions are not quite: an empty text and an empty
list count as no, as people expect of `{% if name %}`.
"""

from __future__ import annotations

from typing import Any

from liquid.ast import BlockNode, Node
from liquid.builtin.expressions import BooleanExpression, FilteredExpression, LoopExpression, parse_primitive, tokenize
from liquid.builtin.expressions.logical import LogicalAndExpression, LogicalOrExpression
from liquid.exceptions import BreakLoop, ContinueLoop
from liquid.expression import Expression
from liquid.parser import get_parser
from liquid.stream import TokenStream
from liquid.tag import Tag
from liquid.token import TOKEN_COMMA, TOKEN_CONTENT, TOKEN_EXPRESSION, TOKEN_OR, TOKEN_OUTPUT, TOKEN_TAG, Token

from notifications.templating.bounds import LOOP_STEPS
from notifications.templating.faults import RenderFault
from notifications.templating.values import as_text

# --- Expressions ----------------------------------------------------------------------------------------------------


def _inner(token: Token) -> TokenStream:
    return TokenStream(tokenize(token.value, token))


def output_expression(env: Any, token: Token) -> Any:
    return FilteredExpression.parse(env, _inner(token))


def condition(env: Any, token: Token) -> Expression:
    return BooleanExpression.parse(env, _inner(token)).expression


def loop_expression(env: Any, token: Token) -> LoopExpression:
    return LoopExpression.parse(env, _inner(token))


def one_value(env: Any, token: Token) -> Expression:
    stream = _inner(token)
    made = parse_primitive(env, stream)
    stream.expect_eos()
    return made


def values(env: Any, token: Token) -> list[Expression]:
    """What stands after `when`: values between commas or `or`."""
    stream = _inner(token)
    made = [parse_primitive(env, stream)]
    while stream.current.kind in (TOKEN_COMMA, TOKEN_OR):
        next(stream)
        made.append(parse_primitive(env, stream))
    stream.expect_eos()
    return made


# How the expression of each tag is read.
READERS: dict[str, Any] = {
    TOKEN_OUTPUT: output_expression,
    "if": condition,
    "unless": condition,
    "elsif": condition,
    "for": loop_expression,
    "case": one_value,
    "when": values,
}


def holds(expression: Expression, context: Any) -> bool:
    """Whether a condition is met: nothing, false, an empty text and an empty list are no; 0 is a value, and yes."""
    if isinstance(expression, LogicalAndExpression):
        return holds(expression.left, context) and holds(expression.right, context)
    if isinstance(expression, LogicalOrExpression):
        return holds(expression.left, context) or holds(expression.right, context)
    value: Any = expression.evaluate(context)
    return not (value is None or value is False or (isinstance(value, (str, list)) and not value))


# --- Nodes ----------------------------------------------------------------------------------------------------------


def run(nodes: list[Node], context: Any) -> None:
    """Render `nodes`, one after the other, into the context's text."""
    for node in nodes:
        context.tick(node.token)
        node.render_to_output(context, context)


class TextNode(Node):
    __slots__ = ("text",)

    def __init__(self, token: Token) -> None:
        super().__init__(token)
        self.text = token.value

    def render_to_output(self, context: Any, buffer: Any) -> int:
        context.write(self.text, self.token)
        return 0


class OutputNode(Node):
    __slots__ = ("expression",)

    def __init__(self, token: Token, expression: Any) -> None:
        super().__init__(token)
        self.expression = expression

    def render_to_output(self, context: Any, buffer: Any) -> int:
        value = self.expression.evaluate(context)
        if isinstance(value, (list, dict)):
            raise RenderFault("清單不能直接輸出，請用 for 逐項輸出欄位", token=self.token)
        context.write_value(as_text(value), self.token)
        return 0


class IfNode(Node):
    """`if` and `unless`: the first branch whose condition holds; a branch without one is `else`."""

    __slots__ = ("branches", "negated")

    def __init__(self, token: Token, branches: list[tuple[Expression | None, list[Node]]], *, negated: bool) -> None:
        super().__init__(token)
        self.branches = branches
        self.negated = negated

    def render_to_output(self, context: Any, buffer: Any) -> int:
        for number, (expression, nodes) in enumerate(self.branches):
            if expression is None or holds(expression, context) != (self.negated and number == 0):
                run(nodes, context)
                return 0
        return 0


class CaseNode(Node):
    """The first branch of which one value is equal; a branch without values is `else`."""

    __slots__ = ("branches", "subject")

    def __init__(self, token: Token, subject: Expression, branches: list[tuple[list[Expression], list[Node]]]) -> None:
        super().__init__(token)
        self.subject = subject
        self.branches = branches

    def render_to_output(self, context: Any, buffer: Any) -> int:
        value = self.subject.evaluate(context)
        for choices, nodes in self.branches:
            if not choices or any(_equal(value, choice.evaluate(context)) for choice in choices):
                run(nodes, context)
                return 0
        return 0


def _equal(left: Any, right: Any) -> bool:
    """Python's True is 1, a template's is not."""
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


class ForNode(Node):
    __slots__ = ("block", "default", "expression")

    def __init__(self, token: Token, expression: LoopExpression, block: list[Node], default: list[Node]) -> None:
        super().__init__(token)
        self.expression = expression
        self.block = block
        self.default = default

    def render_to_output(self, context: Any, buffer: Any) -> int:
        items = self._items(context)
        if not items:
            run(self.default, context)
            return 0
        scope: dict[str, Any] = {}
        with context.within(scope):
            for index, item in enumerate(items, 1):
                context.steps += 1
                if context.steps > LOOP_STEPS:
                    raise RenderFault(f"迴圈總共超過 {LOOP_STEPS} 次", token=self.token)
                context.tick(self.token)
                scope[str(self.expression.identifier)] = item
                scope["forloop"] = {
                    "index": index,
                    "first": index == 1,
                    "last": index == len(items),
                    "length": len(items),
                }
                try:
                    run(self.block, context)
                except ContinueLoop:
                    continue
                except BreakLoop:
                    break
        return 0

    def _items(self, context: Any) -> list[Any]:
        items: Any = self.expression.iterable.evaluate(context)
        if not isinstance(items, list):
            raise RenderFault("for 只能逐項處理清單", token=self.token)
        first = self._number(self.expression.offset, context) or 0
        count = self._number(self.expression.limit, context)
        items = items[first : None if count is None else first + count]
        return items[::-1] if self.expression.reversed else items

    def _number(self, expression: Expression | None, context: Any) -> int | None:
        value: Any = None if expression is None else expression.evaluate(context)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            raise RenderFault("limit 與 offset 只能是整數", token=self.token)
        return None if value is None else max(value, 0)


class BreakNode(Node):
    __slots__ = ()

    def render_to_output(self, context: Any, buffer: Any) -> int:
        raise BreakLoop("break")


class ContinueNode(Node):
    __slots__ = ()

    def render_to_output(self, context: Any, buffer: Any) -> int:
        raise ContinueLoop("continue")


# --- Tags -----------------------------------------------------------------------------------------------------------


def _nodes(env: Any, stream: TokenStream, end: tuple[str, ...]) -> list[Node]:
    """What stands from here to one of the tags `end`."""
    block: BlockNode = get_parser(env).parse_block(stream, end)
    return block.nodes


class TextTag(Tag):
    name = TOKEN_CONTENT
    block = False

    def parse(self, stream: TokenStream) -> Node:
        return TextNode(stream.expect(TOKEN_CONTENT))


class OutputTag(Tag):
    name = TOKEN_OUTPUT
    block = False

    def parse(self, stream: TokenStream) -> Node:
        token = stream.eat(TOKEN_OUTPUT)
        return OutputNode(token, output_expression(self.env, stream.expect(TOKEN_EXPRESSION)))


class IfTag(Tag):
    name = "if"
    end = "endif"

    def parse(self, stream: TokenStream) -> Node:
        token = stream.eat(TOKEN_TAG)
        ends = ("elsif", "else", self.end)
        branches: list[tuple[Expression | None, list[Node]]] = []
        expression: Expression | None = condition(self.env, stream.eat(TOKEN_EXPRESSION))
        while True:
            branches.append((expression, _nodes(self.env, stream, ends)))
            tag = stream.expect(TOKEN_TAG)
            if tag.value == self.end:
                return IfNode(token, branches, negated=self.name == "unless")
            next(stream)
            expression = condition(self.env, stream.eat(TOKEN_EXPRESSION)) if tag.value == "elsif" else None


class UnlessTag(IfTag):
    name = "unless"
    end = "endunless"


class CaseTag(Tag):
    name = "case"
    end = "endcase"

    def parse(self, stream: TokenStream) -> Node:
        token = stream.eat(TOKEN_TAG)
        subject = one_value(self.env, stream.eat(TOKEN_EXPRESSION))
        _nodes(self.env, stream, ("when", self.end))  # blank, the lexer has seen to it
        branches: list[tuple[list[Expression], list[Node]]] = []
        while (tag := stream.expect(TOKEN_TAG)).value != self.end:
            next(stream)
            choices = values(self.env, stream.eat(TOKEN_EXPRESSION)) if tag.value == "when" else []
            branches.append((choices, _nodes(self.env, stream, ("when", "else", self.end))))
        return CaseNode(token, subject, branches)


class ForTag(Tag):
    name = "for"
    end = "endfor"

    def parse(self, stream: TokenStream) -> Node:
        token = stream.eat(TOKEN_TAG)
        expression = loop_expression(self.env, stream.eat(TOKEN_EXPRESSION))
        block, default = _nodes(self.env, stream, ("else", self.end)), []
        if stream.current.is_tag("else"):
            next(stream)
            default = _nodes(self.env, stream, (self.end,))
        stream.expect(TOKEN_TAG, self.end)
        return ForNode(token, expression, block, default)


class BreakTag(Tag):
    name = "break"
    block = False

    def parse(self, stream: TokenStream) -> Node:
        return BreakNode(stream.expect(TOKEN_TAG))


class ContinueTag(Tag):
    name = "continue"
    block = False

    def parse(self, stream: TokenStream) -> Node:
        return ContinueNode(stream.expect(TOKEN_TAG))


TAGS = (TextTag, OutputTag, IfTag, UnlessTag, CaseTag, ForTag, BreakTag, ContinueTag)
