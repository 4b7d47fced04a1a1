"""What a template uses, against what it declares, without rendering it: also in branches that no example reaches."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from liquid.ast import Node
from liquid.builtin.expressions import FilteredExpression, Path
from liquid.builtin.expressions.filtered import Filter
from liquid.builtin.expressions.logical import (
    ContainsExpression,
    EqExpression,
    GeExpression,
    GtExpression,
    LeExpression,
    LogicalAndExpression,
    LogicalOrExpression,
    LtExpression,
    NeExpression,
)
from liquid.builtin.expressions.primitive import (
    Blank,
    Empty,
    FalseLiteral,
    FloatLiteral,
    IntegerLiteral,
    Nil,
    StringLiteral,
    TrueLiteral,
)
from liquid.expression import Expression
from liquid.token import Token

from notifications.templating.bounds import NUMBER
from notifications.templating.faults import Fault, place_of
from notifications.templating.filters import FILTERS, LISTS, NUMBERS, SAME, SCALARS, TEXT
from notifications.templating.nodes import CaseNode, ForNode, IfNode, OutputNode
from notifications.templating.variables import LABELS, NAME, RESERVED, Variable

LOOP_FIELDS = {"index": "integer", "length": "integer", "first": "boolean", "last": "boolean"}
KIND_LABELS = {
    **LABELS,
    "item": "清單裡的一項",
    "loop": "迴圈資訊",
    "nothing": "空值",
    "encoded": "網址編碼後的文字",
    "unknown": "未知",
}
COMPARISONS = {EqExpression, NeExpression, LtExpression, GtExpression, LeExpression, GeExpression}


@dataclass(frozen=True)
class Kind:
    """Of what type a value is; `fields` are those of an item, or of a list's items (none: a list of texts)."""

    name: str
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        return KIND_LABELS[self.name]


UNKNOWN = Kind("unknown")  # has been complained of already, so nothing more is said about it
LITERALS = {
    StringLiteral: "text",
    IntegerLiteral: "integer",
    FloatLiteral: "number",
    TrueLiteral: "boolean",
    FalseLiteral: "boolean",
    Nil: "nothing",
    Empty: "nothing",
    Blank: "nothing",
}


def kind_of_variable(variable: Variable) -> Kind:
    return Kind(variable.type, {entry.name: entry.type for entry in variable.fields})


class Analysis:
    """`faults` after `walk`; `kinds` says of each output, by its place, of which kind it is."""

    def __init__(self, variables: Sequence[Variable]) -> None:
        self.scopes: list[dict[str, Kind]] = [{variable.name: kind_of_variable(variable) for variable in variables}]
        self.faults: list[Fault] = []
        self.kinds: dict[int, Kind] = {}

    def complain(self, token: Token | None, message: str, beside: Token | None = None) -> Kind:
        place = place_of(token)
        self.faults.append(Fault((place_of(beside) or 0) if place is None else place, message))
        return UNKNOWN

    # --- Nodes

    def walk(self, nodes: Iterable[Node]) -> None:
        for node in nodes:
            match node:
                case OutputNode():
                    self.kinds[node.token.start_index] = self._printed(node)
                case IfNode():
                    for expression, inside in node.branches:
                        if expression is not None:
                            self._condition(expression)
                        self.walk(inside)
                case CaseNode():
                    self._compared(node.subject, self._kind(node.subject))
                    for choices, inside in node.branches:
                        for choice in choices:
                            self._compared(choice, self._kind(choice))
                        self.walk(inside)
                case ForNode():
                    self._loop(node)

    def _printed(self, node: OutputNode) -> Kind:
        kind = self._kind(node.expression)
        if kind.name in ("list", "item", "loop", "nothing"):
            return self.complain(node.token, f"{kind.label}不能直接輸出{_advice(kind)}")
        return kind

    def _loop(self, node: ForNode) -> None:
        expression = node.expression
        kind = self._kind(expression.iterable) if isinstance(expression.iterable, Path) else None
        if kind is None:
            self.complain(node.token, "for 只能逐項處理宣告為清單的變數，不能用固定值")
            kind = UNKNOWN
        elif kind.name not in ("list", "unknown"):
            kind = self.complain(node.token, f"for 只能逐項處理清單，「{expression.iterable}」是{kind.label}")
        for number in (expression.limit, expression.offset):
            if number is not None and self._kind(number).name not in ("integer", "unknown"):
                self.complain(node.token, "limit 與 offset 只能是整數")
        if expression.cols is not None:
            self.complain(node.token, "for 不能用 cols")
        name = str(expression.identifier)
        if not NAME.fullmatch(name) or name in RESERVED:
            self.complain(node.token, f"「{name}」不能當作迴圈裡的名稱，請用小寫英文字母、數字與底線")
        elif any(name in scope for scope in self.scopes):
            self.complain(node.token, f"「{name}」已經是別的變數，迴圈裡請換一個名稱")
        item = kind if kind is UNKNOWN else Kind("item", kind.fields) if kind.fields else Kind("text")
        self.scopes.append({name: item, "forloop": Kind("loop", LOOP_FIELDS)})
        self.walk(node.block)
        self.scopes.pop()
        self.walk(node.default)

    # --- Conditions

    def _condition(self, expression: Expression) -> None:
        match expression:
            case LogicalAndExpression() | LogicalOrExpression():
                for part in (expression.left, expression.right):
                    other = isinstance(part, (LogicalAndExpression, LogicalOrExpression))
                    if other and type(part) is not type(expression):
                        self.complain(expression.token, "同一個條件裡不要混用 and 與 or，請分成兩層 if")
                    self._condition(part)
            case ContainsExpression():
                self._contains(expression)
            case _ if type(expression) in COMPARISONS:
                self._comparison(expression)
            case _:
                kind = self._kind(expression)
                if kind.name in ("item", "loop"):
                    self.complain(expression.token, f"{kind.label}不能當作條件{_advice(kind)}")

    def _comparison(self, expression: Any) -> None:
        left, right = self._kind(expression.left), self._kind(expression.right)
        if UNKNOWN in (left, right):
            return
        if not isinstance(expression, (EqExpression, NeExpression)):
            if not (left.name in NUMBERS and right.name in NUMBERS):
                self.complain(
                    expression.token, f"大小只能比較數字，這裡是{left.label}與{right.label}", expression.left.token
                )
            return
        one_is_nothing = "nothing" in (left.name, right.name)
        for side, kind in ((expression.left, left), (expression.right, right)):
            if not (one_is_nothing and kind.name == "list"):
                self._compared(side, kind)
        if not one_is_nothing and {left.name, right.name} <= set(SCALARS) and not _alike(left, right):
            self.complain(
                expression.token, f"{left.label}與{right.label}永遠不會相等，請比較同一種值", expression.left.token
            )

    def _compared(self, expression: Expression, kind: Kind) -> None:
        if kind.name not in (*SCALARS, "nothing", "unknown"):
            self.complain(expression.token, f"{kind.label}不能比較{_advice(kind)}")

    def _contains(self, expression: ContainsExpression) -> None:
        left, right = self._kind(expression.left), self._kind(expression.right)
        if UNKNOWN in (left, right):
            return
        holder = left.name in TEXT or (left.name == "list" and not left.fields)
        if not holder or right.name not in TEXT:
            self.complain(expression.token, "contains 只能找文字（或文字清單）裡的文字", expression.left.token)

    # --- Values

    def _kind(self, expression: Expression) -> Kind:
        if isinstance(expression, FilteredExpression):
            kind = self._kind(expression.left)
            for applied in expression.filters or []:
                kind = self._filtered(kind, applied)
            return kind
        if isinstance(expression, Path):
            return self._path(expression)
        if type(expression) in LITERALS:
            value: Any = getattr(expression, "value", 0)
            if isinstance(value, (int, float)) and not abs(value) <= NUMBER:
                return self.complain(expression.token, "數字太大")
            return Kind(LITERALS[type(expression)])
        if type(expression) in COMPARISONS or isinstance(expression, ContainsExpression):
            return self.complain(expression.token, "比較的結果不能再拿來比較")
        return self.complain(expression.token, "這裡只能是變數或固定值")

    def _path(self, path: Path) -> Kind:
        name, *fields = path.path
        if not isinstance(name, str):
            return self.complain(path.token, "變數名稱不能放在方括號裡")
        known: dict[str, Kind] = {}
        for scope in self.scopes:
            known.update(scope)
        if name not in known:
            return self.complain(path.token, f"沒有宣告變數「{name}」{_meant(name, known)}")
        kind = known[name]
        for entry in fields:
            if kind is UNKNOWN:
                return kind
            if not isinstance(entry, str):
                return self.complain(path.token, f"「{path}」：方括號裡只能是欄位名稱")
            if kind.name == "list" and entry == "size":
                kind = Kind("integer")
            elif kind.name in ("item", "loop") and entry in kind.fields:
                kind = Kind(kind.fields[entry])
            elif kind.name in ("item", "loop"):
                return self.complain(path.token, f"「{name}」沒有欄位「{entry}」{_meant(entry, kind.fields)}")
            else:
                return self.complain(path.token, f"「{name}」是{kind.label}，沒有欄位「{entry}」{_advice(kind)}")
        return kind

    def _filtered(self, kind: Kind, applied: Filter) -> Kind:
        spec, token = FILTERS.get(applied.name), applied.token
        given = [self._kind(argument.value) for argument in applied.args]
        if spec is None:
            return self.complain(token, f"沒有過濾器「{applied.name}」{_meant(applied.name, FILTERS)}")
        if any(getattr(argument, "name", None) for argument in applied.args):
            return self.complain(token, f"過濾器「{applied.name}」的參數不能有名稱")
        if not spec.needed <= len(given) <= len(spec.arguments):
            wanted = f"{spec.needed} 到 {len(spec.arguments)}" if spec.arguments else "0"
            return self.complain(token, f"過濾器「{applied.name}」要 {wanted} 個參數，這裡有 {len(given)} 個")
        if UNKNOWN in (kind, *given):
            return UNKNOWN
        if kind.name not in spec.takes:
            return self.complain(token, f"過濾器「{applied.name}」不能用在{kind.label}")
        if kind.name in LISTS and kind.fields and applied.name != "size":
            return self.complain(token, f"過濾器「{applied.name}」只能用在文字清單，請用 for 逐項輸出")
        for allowed, argument in zip(spec.arguments, given, strict=False):
            if argument.name not in allowed:
                return self.complain(token, f"過濾器「{applied.name}」的參數不能是{argument.label}")
        if spec.gives == SAME:
            same = all(argument.name == kind.name for argument in given)
            both_numbers = all(argument.name in NUMBERS for argument in (kind, *given))
            return kind if same else Kind("number" if both_numbers else "text")
        return Kind(spec.gives)


def _alike(left: Kind, right: Kind) -> bool:
    """Whether values of the two kinds can be equal."""
    return left.name == right.name or any({left.name, right.name} <= set(kinds) for kinds in (TEXT, NUMBERS))


def _meant(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name[:40], list(known), 1, cutoff=0.5)
    return f"，是不是「{close[0]}」？" if close else ""


def _advice(kind: Kind) -> str:
    if kind.name == "list":
        return "，請用 for 逐項輸出" if kind.fields else "，請用 for 或 join"
    if kind.name == "item" and kind.fields:
        return f"，請寫出欄位，例如「{next(iter(kind.fields))}」"
    return ""
