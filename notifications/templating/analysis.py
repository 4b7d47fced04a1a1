"""What a template uses, against what it declares, without rendering it: also in branches that no example reaches.

Liquid's `analyze()` finds every name and filter. The visitor adds the types of values, which Liquid does not know:
`{{ a | default: b | money }}` fails when `a` is missing and `b` is no number, which no example need show.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from typing import Any, NamedTuple

from liquid.ast import Node
from liquid.builtin.expressions import BooleanExpression, FilteredExpression, Path, logical, primitive
from liquid.builtin.expressions.filtered import Filter
from liquid.builtin.output import OutputNode
from liquid.builtin.tags.case_tag import CaseNode, MultiExpressionBlockNode
from liquid.builtin.tags.for_tag import BreakNode, ContinueNode, ForNode
from liquid.expression import Expression
from liquid.template import BoundTemplate
from liquid.token import Token

from notifications.templating.bounds import LOOP_DEPTH, NUMBER
from notifications.templating.faults import Fault, fault_at
from notifications.templating.filters import FILTERS, KINDS, NUMBERS, SAME, SCALARS, FilterSpec
from notifications.templating.language import NO_CONTEXT
from notifications.templating.variables import LABELS, Variable, is_name

LOOP_FIELDS = {"index": "integer", "length": "integer", "first": "boolean", "last": "boolean"}
KIND_LABELS = {
    **LABELS,
    "item": "清單裡的一項",
    "loop": "迴圈資訊",
    "nothing": "空值",
    "encoded": "網址編碼後的文字",
    "unknown": "未知",
}
AND_OR = (logical.LogicalAndExpression, logical.LogicalOrExpression)
EQUALITY = (logical.EqExpression, logical.NeExpression)
COMPARISONS = (
    *(*EQUALITY, logical.LtExpression, logical.GtExpression, logical.LeExpression, logical.GeExpression),
    logical.ContainsExpression,
)
# Kinds that may be compared, by what they are compared as.
ALIKE = {**{name: name for name in SCALARS}, "url": "text", "integer": "number", "nothing": "nothing"}
ADVICE = {"list": "，請用 for 逐項輸出", "item": "，請寫出欄位"}


class Kind(NamedTuple):
    """The type of a value; `fields` are those of an item, or of a list's items (none: a list of texts)."""

    name: str
    fields: Mapping[str, str] = {}

    @property
    def label(self) -> str:
        return KIND_LABELS[self.name]


UNKNOWN = Kind("unknown")  # a fault was reported already, so none follows from it


class Analysis:
    """`faults` holds everything that is wrong with the names and types of a template."""

    def __init__(self, template: BoundTemplate, variables: Sequence[Variable]) -> None:
        self.faults: list[Fault] = []
        self.scopes = [
            {one.name: Kind(one.type, {entry.name: entry.type for entry in one.fields}) for one in variables}
        ]
        if template.nodes:
            self._check_names(template, template.nodes[0].token.source)
            self._walk(template.nodes)

    def _fault(self, token: Token, message: str) -> Kind:
        self.faults.append(fault_at(token.source, token.start_index, message))
        return UNKNOWN

    def _check_names(self, template: BoundTemplate, source: str) -> None:
        found = template.analyze()
        for what, uses, known in (("宣告變數", found.globals, self.scopes[0]), ("過濾器", found.filters, FILTERS)):
            for name, places in uses.items():
                if name not in known:
                    close = difflib.get_close_matches(name[:40], list(known), 1, cutoff=0.5)
                    message = f"沒有{what}「{name}」{f'，是不是「{close[0]}」？' if close else ''}"
                    spans: list[Any] = [getattr(place, "span", place) for place in places]
                    self.faults += [fault_at(source, span.index, message) for span in spans]

    # --- Nodes

    def _walk(self, nodes: Iterable[Node]) -> None:
        for node in nodes:
            match node:
                case OutputNode():
                    kind = self._kind(node.expression)
                    if kind.name in ("list", "item", "loop", "nothing"):
                        self._fault(node.token, f"{kind.label}不能直接輸出{ADVICE.get(kind.name, '')}")
                case ForNode():
                    self._loop(node)
                    continue
                case BreakNode() | ContinueNode() if len(self.scopes) == 1:
                    self._fault(node.token, f"「{node.token.value}」只能用在 for 裡面")
                case CaseNode():
                    self._choice(node.expression)
                case MultiExpressionBlockNode():
                    for choice in node.expression.children():
                        self._choice(choice)
                case _:
                    for expression in node.expressions():
                        self._condition(expression)
            self._walk(node.children(NO_CONTEXT))

    def _loop(self, node: ForNode) -> None:
        loop, token, name = node.expression, node.token, str(node.expression.identifier)
        kind = self._kind(loop.iterable)
        numbers = [self._kind(number).name for number in (loop.limit, loop.offset) if number is not None]
        declared = isinstance(loop.iterable, Path) and kind.name == "list"
        for fault, message in (
            (kind is not UNKNOWN and not declared, f"for 只能逐項處理清單，這裡是{kind.label}；也不能用固定值"),
            (not {*numbers} <= {"integer", "unknown"}, "limit 與 offset 只能是整數"),
            (loop.cols is not None, "for 不能用 cols"),
            (len(self.scopes) > LOOP_DEPTH, f"for 最多 {LOOP_DEPTH} 層"),
            (not is_name(name), f"「{name}」不能當作迴圈裡的名稱，請用小寫英文字母、數字與底線"),
            (any(name in scope for scope in self.scopes), f"「{name}」已經是別的變數，迴圈裡請換一個名稱"),
        ):
            if fault:
                self._fault(token, message)
        item = UNKNOWN if not declared else Kind("item", kind.fields) if kind.fields else Kind("text")
        self._walk_within(node.block.nodes, {name: item, "forloop": Kind("loop", LOOP_FIELDS)})
        if node.default:
            # The loop's names have no value there, though `analyze()` takes them for known.
            self._walk_within(node.default.nodes, {name: Kind("item"), "forloop": Kind("item")})

    def _walk_within(self, nodes: Iterable[Node], scope: dict[str, Kind]) -> None:
        self.scopes.append(scope)
        self._walk(nodes)
        self.scopes.pop()

    # --- Conditions

    def _condition(self, expression: Any) -> None:
        if isinstance(expression, BooleanExpression):
            self._condition(expression.expression)
        elif isinstance(expression, AND_OR):
            for part in (expression.left, expression.right):
                if isinstance(part, AND_OR) and type(part) is not type(expression):
                    self._fault(expression.token, "同一個條件裡不要混用 and 與 or，請分成兩層 if")
                self._condition(part)
        elif isinstance(expression, COMPARISONS):
            self._comparison(expression, self._kind(expression.left), self._kind(expression.right))
        elif (kind := self._kind(expression)).name in ("item", "loop"):
            self._fault(expression.token, f"{kind.label}不能當作條件{ADVICE.get(kind.name, '')}")

    def _comparison(self, expression: Any, left: Kind, right: Kind) -> None:
        one, other = ALIKE.get(left.name), ALIKE.get(right.name)
        if UNKNOWN in (left, right):
            return
        if isinstance(expression, EQUALITY):
            nothing = "nothing" in (one, other) and {left.name, right.name} <= {*ALIKE, "list"}
            fine = nothing or (one is not None and one == other)
            message = f"{left.label}與{right.label}永遠不會相等，或不能比較"
        elif not isinstance(expression, logical.ContainsExpression):
            fine, message = one == other == "number", f"大小只能比較數字，這裡是{left.label}與{right.label}"
        else:
            holds = one == "text" or (left.name == "list" and not left.fields)
            fine, message = holds and other == "text", "contains 只能找文字（或文字清單）裡的文字"
        if not fine:
            self._fault(expression.token, message)

    def _choice(self, expression: Expression) -> None:
        kind = self._kind(expression)
        if kind.name not in ALIKE and kind is not UNKNOWN:
            self._fault(expression.token, f"{kind.label}不能比較{ADVICE.get(kind.name, '')}")

    # --- Values

    def _kind(self, expression: Expression) -> Kind:
        match expression:
            case FilteredExpression():
                return reduce(self._filtered, expression.filters or [], self._kind(expression.left))
            case Path():
                return self._path(expression)
            case primitive.Nil() | primitive.Empty() | primitive.Blank():
                return Kind("nothing")
            case primitive.Literal(value=value):
                kind = KINDS[type(value)]
                fine = kind not in NUMBERS or abs(value) <= NUMBER
                return Kind(kind) if fine else self._fault(expression.token, "數字太大")
        return self._fault(expression.token, "這裡只能是變數或固定值，不能用範圍 (1..n)，也不能再比較")

    def _path(self, path: Path) -> Kind:
        name, *fields = [entry for entry in path.path if isinstance(entry, str)] or [""]
        if len(path.path) != len(fields) + 1 or not name:
            return self._fault(path.token, f"「{path}」：方括號裡只能是欄位名稱")
        kind = next((scope[name] for scope in self.scopes if name in scope), UNKNOWN)
        for entry in fields:
            if kind.name == "list" and entry == "size":
                kind = Kind("integer")
            elif kind.name in ("item", "loop") and entry in kind.fields:
                kind = Kind(kind.fields[entry])
            elif kind is not UNKNOWN:
                known = f"；可用：{'、'.join(kind.fields)}" if kind.name in ("item", "loop") else f"，它是{kind.label}"
                return self._fault(path.token, f"「{name}」沒有欄位「{entry}」{known}")
        return kind

    def _filtered(self, kind: Kind, applied: Filter) -> Kind:
        spec = FILTERS.get(applied.name)
        given = [self._kind(argument.value) for argument in applied.args]
        if spec is None:
            return UNKNOWN
        fault = ""
        if any(getattr(argument, "name", None) for argument in applied.args):
            fault = "的參數不能有名稱"
        elif not spec.needed <= len(given) <= len(spec.arguments):
            fault = f"要 {spec.needed} 到 {len(spec.arguments)} 個參數，這裡有 {len(given)} 個"
        elif UNKNOWN in (kind, *given):
            return UNKNOWN
        elif kind.name not in spec.takes:
            fault = f"不能用在{kind.label}"
        elif kind.fields and applied.name != "size":
            fault = "只能用在文字清單，請用 for 逐項輸出"
        for allowed, argument in zip(spec.arguments, given, strict=False):
            if not fault and argument.name not in allowed:
                fault = f"的參數不能是{argument.label}"
        return self._fault(applied.token, f"過濾器「{applied.name}」{fault}") if fault else _result(spec, kind, given)


def _result(spec: FilterSpec, kind: Kind, given: Sequence[Kind]) -> Kind:
    if spec.gives != SAME:
        return Kind(spec.gives)
    names = {kind.name, *(argument.name for argument in given)}
    return kind if len(names) == 1 else Kind("number" if names <= set(NUMBERS) else "text")
