"""The markup that a template writes itself, judged by rendering: nh3 must leave it as it is.

Each branch is rendered on its own with hostile values, and must come out of nh3 with the same tags and attributes. Then
every branch closes what it opens, so any way through the template is well nested. Values are escaped when they are
written; the only places in a tag where they may stand are `href` and `title`.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from itertools import accumulate, zip_longest
from typing import Any

import nh3
from liquid.ast import BlockNode, Node
from liquid.builtin.content import ContentNode
from liquid.builtin.output import OutputNode
from liquid.builtin.tags.comment_tag import CommentNode
from liquid.builtin.tags.for_tag import BreakNode, ContinueNode, ForNode
from liquid.template import BoundTemplate

from notifications.models import Format
from notifications.templating.bounds import FAULTS, MARKUP_DEPTH, URL_LENGTH
from notifications.templating.faults import Fault, fault_at
from notifications.templating.language import RENDER_ERRORS, Context
from notifications.templating.variables import Variable

PLAIN: frozenset[str] = frozenset()
LINK = frozenset({"href"})
CELL = frozenset({"colspan", "rowspan", "align", "valign", "width"})
TELEGRAM_TAGS: dict[str, frozenset[str]] = {
    **dict.fromkeys(["b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "tg-spoiler", "pre"], PLAIN),
    "a": LINK,
    "code": frozenset({"class"}),
    "blockquote": frozenset({"expandable"}),
}
MAIL_TAGS: dict[str, frozenset[str]] = {
    **dict.fromkeys(["p", "br", "hr", "div", "span", "b", "strong", "i", "em", "u", "ins", "s", "del", "small"], PLAIN),
    **dict.fromkeys(["sub", "sup", "h1", "h2", "h3", "h4", "blockquote", "pre", "code"], PLAIN),
    **dict.fromkeys(["caption", "thead", "tbody", "tfoot", "ul", "ol", "li", "dl", "dt", "dd"], PLAIN),
    "a": LINK | {"title"},
    "table": frozenset({"border", "cellpadding", "cellspacing", "width", "align"}),
    "tr": frozenset({"align", "valign"}),
    "td": CELL,
    "th": CELL,
}
VOID = ("br", "hr")
TAGS: Mapping[str, tuple[str, dict[str, frozenset[str]]]] = {
    Format.TELEGRAM: ("Telegram", TELEGRAM_TAGS),
    Format.EMAIL_HTML: ("電子郵件", MAIL_TAGS),
}
# Private characters, which `check_template` refuses, around what `{{ … }}` printed and in the place of a block.
START, END, BLOCK = "\U000f0000", "\U000f0001", "\U000f0002"
MARKS = dict.fromkeys(map(ord, (START, END, BLOCK)))
VALUE = re.compile(f"{START}([^{END}]*){END}")
ATTRIBUTE = re.compile(rf"\s+([a-zA-Z-]+)(?:\s*=\s*(?:\"([^\"<>{BLOCK}]*)\"|'([^'<>{BLOCK}]*)'))?")
TAG = re.compile(rf"<(/?)([a-zA-Z][a-zA-Z0-9-]*)((?:{ATTRIBUTE.pattern})*)\s*/?>")
OTHER_ENTITY = r"&(?!(?:lt|gt|amp|quot);)[a-zA-Z][a-zA-Z0-9]*;"  # unknown to Telegram
# What is judged: a tag or a <, an entity, a block.
TOKEN = re.compile(rf"{TAG.pattern}|<\S*|{OTHER_ENTITY}|{BLOCK}")
# As nh3 writes tags: attributes in double quotes, in which < and > may stand.
KEPT_TAG = re.compile(r"<(/?)([a-z][a-z0-9-]*)((?:\s+[a-z-]+=\"[^\"]*\")*)>")
KEPT_ATTRIBUTE = re.compile(r"\s([a-z-]+)=\"[^\"]*\"")
LANGUAGE_CLASS = re.compile(r"language-[a-zA-Z0-9+#-]{1,30}")
# A literal host must be complete before any value.
ADDRESS = re.compile(r"https?://[a-z0-9.-]+(:[0-9]+)?([/?#][^\s\"'<>]*)?", re.IGNORECASE)
MAIL_ADDRESS = re.compile(rf"mailto:[^\s\"'<>{START}]+")
HARMLESS = re.compile(r"[\w.~%,$+-]*", re.ASCII)  # leads nowhere else, whatever part of an address it is
UNSAFE_ADDRESS = (
    "href 不安全：要是網址類型（url）的變數，或 http://、https:// 開頭的完整網址，網址裡其他的值要加上 | url_encode；"
    "否則可能變成 javascript: 之類的危險連結"
)
# Values that try to leave their place: first long, then as short as can be, with everything else missing.
HOSTILE_TEXT = "/../javascript:alert(1)//@evil.example:1?x=<b>&amp;\"' onclick=x #"
SHORT_TEXT = "@"
HOSTILE_URL = "https://url.example/".ljust(URL_LENGTH, "x")  # of full length, so that `truncate` shows
SAMPLES: dict[str, Any] = {
    "integer": 7,
    "number": 7.5,
    "boolean": True,
    "date": dt.date(2026, 11, 25),
    "datetime": dt.datetime(2026, 11, 25, tzinfo=dt.UTC),
}
LOOP = {"index": 1, "length": 1, "first": True, "last": True}


# Without "*", nh3 would allow `lang` and `title` everywhere.
CLEANERS = {
    format: nh3.Cleaner(
        tags=set(allowed),
        attributes={"*": set(), **{tag: set(names) for tag, names in allowed.items()}},
        url_schemes={"http", "https", "mailto"},
        link_rel=None,
    )
    for format, (_, allowed) in TAGS.items()
}


def check_markup(template: BoundTemplate, *, format: str, variables: Sequence[Variable]) -> list[Fault]:
    """What is wrong with the markup of a template whose names and types are right; nothing for formats without any."""
    if format not in TAGS:
        return []
    faults: list[Fault] = []
    for short in (False, True):
        values = {variable.name: _hostile(variable, short=short) for variable in variables}
        judge = _Judge(format, Context(template, values, escaped=True), address="" if short else HOSTILE_URL)
        judge.judge(template.nodes, [], 0)
        faults += judge.faults
    return faults


def _hostile(variable: Variable, *, short: bool) -> Any:
    if variable.type == "list":
        text = SHORT_TEXT if short else HOSTILE_TEXT
        return [{entry.name: _hostile(entry, short=short) for entry in variable.fields} or text]
    if variable.type == "text":
        return SHORT_TEXT if short else HOSTILE_TEXT
    if variable.type == "url":
        return "" if short else HOSTILE_URL
    return None if short else variable.example or SAMPLES[variable.type]


class _Judge:
    """Judges the branches of one template, rendered with one set of values."""

    def __init__(self, format: str, context: Context, *, address: str) -> None:
        self.telegram = format == Format.TELEGRAM
        self.channel, self.allowed = TAGS[format]
        self.cleaner = CLEANERS[format]
        self.context = context
        self.context.deadline = math.inf  # each branch is rendered once, so the template's length bounds the time
        self.address = address  # what a variable of type url prints
        self.faults: list[Fault] = []

    def judge(self, nodes: Sequence[Node], around: list[str], in_loop: int) -> None:
        """One branch within the open elements `around`, of which `in_loop` were open when the innermost loop began."""
        printed = [self._printed(node) for node in nodes]
        starts, text = list(accumulate(map(len, printed), initial=0))[:-1], "".join(printed)
        opened, tags, found_before = list(around), [], len(self.faults)
        for found in TOKEN.finditer(text):
            number = bisect_right(starts, found.start()) - 1
            place = _place(nodes[number], printed[number], found.start() - starts[number])
            if found[2]:
                tag = (found[1], found[2].lower(), sorted(name.lower() for name, *_ in ATTRIBUTE.findall(found[3])))
                tags += [(tag, place)] if tag[1] != "tbody" else []
                if not found[1] and tag[1] not in VOID:
                    opened.append(tag[1])
                elif opened and opened[-1] == tag[1]:
                    opened.pop()
            for message in self._faults(found, nodes[number], opened, in_loop):
                self.faults.append(fault_at(*place, message))
            if len(self.faults) > FAULTS or len(opened) > MARKUP_DEPTH:
                return
            if found.group() == BLOCK:
                self._enter(nodes[number], opened, in_loop)
        if tags and len(self.faults) == found_before:
            self._compare(text.translate(MARKS), tags, around)

    def _printed(self, node: Node) -> str:
        buffer = StringIO()
        if not isinstance(node, (ContentNode, OutputNode, CommentNode)):
            return BLOCK
        try:
            node.render(self.context, buffer)
        except RENDER_ERRORS:
            return f"{START}{SHORT_TEXT}{END}"  # other values may print anything
        return f"{START}{buffer.getvalue()}{END}" if isinstance(node, OutputNode) else buffer.getvalue()

    def _enter(self, node: Node, opened: list[str], in_loop: int) -> None:
        if isinstance(node, ForNode):
            loop: Any = node.expression
            [item] = loop.iterable.evaluate(self.context)
            with self.context.extend({loop.identifier: item, "forloop": LOOP}):
                self.judge(node.block.nodes, opened, len(opened))
            if node.default:
                self.judge(node.default.nodes, opened, in_loop)
        else:
            for child in node.children(self.context):
                if isinstance(child, BlockNode):
                    self.judge(child.nodes, opened, in_loop)
                else:
                    self._enter(child, opened, in_loop)

    def _faults(self, found: re.Match[str], node: Node, opened: list[str], in_loop: int) -> Iterator[str]:
        """What is wrong with one tag, entity or block, whatever is around it."""
        if found[2]:
            yield from self._inside(found[1], found[2].lower(), found[3])
            if len(opened) > MARKUP_DEPTH:
                yield f"標籤裡的標籤最多 {MARKUP_DEPTH} 層"
        elif found.group() == BLOCK:
            if isinstance(node, (BreakNode, ContinueNode)) and len(opened) > in_loop:
                yield "break 與 continue 之前要先關閉迴圈裡開啟的標籤"
        elif found.group().startswith("<"):
            hint = "屬性值要用引號，標籤裡不能有 {% %}；若不是標籤的開頭，「<」請寫成 &lt;"
            yield f"「{found.group().translate(MARKS)[:20]}」的寫法不對：{hint}"
        for entity in re.findall(OTHER_ENTITY, found.group()) if self.telegram else ():
            yield f"Telegram 不認得「{entity}」，請直接輸入那個字"

    def _inside(self, slash: str, tag: str, attributes: str) -> Iterator[str]:
        if tag not in self.allowed:
            yield f"{self.channel}範本不能用 <{slash}{tag}>；可用：{'、'.join(self.allowed)}"
            return
        names = {"href"} if slash else set()
        for found in ATTRIBUTE.finditer(attributes):
            name, value = found[1].lower(), found[2] or found[3] or ""
            names.add(name)
            fixed = name in ("href", "title") or START not in value
            if name not in self.allowed[tag] or not fixed or (name == "class" and not LANGUAGE_CLASS.fullmatch(value)):
                yield f"<{slash}{tag}> 不能有 {name}，或不能是這個值；除了 href 與 title，屬性值裡也不能有變數"
            elif name == "href" and not self._is_safe(value):
                yield UNSAFE_ADDRESS
        if tag == "a" and "href" not in names:
            yield '<a> 要有 href="…"'

    def _is_safe(self, address: str) -> bool:
        """Whether it is sure where a link leads: to an address of a variable, or to a literal host."""
        values = VALUE.findall(address)
        if address.startswith(START):
            known = values.pop(0) == self.address
        else:
            pattern = VALUE.sub(START, address)
            known = bool(ADDRESS.fullmatch(pattern) or MAIL_ADDRESS.fullmatch(pattern))
        return known and all(HARMLESS.fullmatch(value) for value in values)

    def _compare(self, text: str, tags: list[Any], around: list[str]) -> None:
        """Report the first tag that nh3 changes. It adds <tbody> to every table, so that counts as none."""
        before = "".join('<a href="https://a.example/">' if name == "a" else f"<{name}>" for name in around)
        after = "".join(f"</{name}>" for name in reversed(around))
        kept = [
            (found[1], found[2], sorted(KEPT_ATTRIBUTE.findall(found[3])))
            for found in KEPT_TAG.finditer(self.cleaner.clean(f"{before}{text}{after}"))
            if found[2] != "tbody"
        ]
        outside: list[Any] = [("/", name, []) for name in reversed(around) if name != "tbody"]
        expected = [*(tag for tag, _ in tags), *outside]
        for number, (tag, other) in enumerate(zip_longest(expected, kept[len(outside) :])):
            if tag != other:
                # What nh3 closes and the branch does not was opened last by the tag of that name.
                unclosed = [one for one in tags if other and one[0][:2] == ("", other[1])]
                (slash, name, _), (source, index) = tags[number] if number < len(tags) else (unclosed or tags)[-1]
                hint = "開啟的標籤要在同一段關閉，不能交錯，連結裡面不能再有連結"
                self.faults.append(
                    fault_at(source, index, f"<{slash}{name}> 沒有在同一段裡成對，或不能放在這裡：{hint}")
                )
                return


def _place(node: Node, printed: str, offset: int) -> tuple[str, int]:
    """The template, and the offset in it of a character that a node printed."""
    source, place = node.token.source, node.token.start_index
    if isinstance(node, ContentNode):  # its token begins with the blanks that were trimmed
        place = source.find(printed, place) + offset
    return source, place
