"""The markup that a template writes itself: only harmless tags, well nested whatever branch is taken.

Values are escaped when they are written, so what is left to check are the template's own letters. Each branch and each
loop closes what it opens; so every way through a template comes out well nested.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from liquid.ast import Node

from notifications.models import Format
from notifications.templating.analysis import Kind
from notifications.templating.faults import Fault
from notifications.templating.nodes import BreakNode, CaseNode, ContinueNode, ForNode, IfNode, OutputNode, TextNode

# Stand for an output, a block, and a way out of a loop, while letters are looked at; no template may hold them.
OUTPUT, BLOCK, LEAVE = "\U000f0000", "\U000f0001", "\U000f0002"
ATTRIBUTE = re.compile(r"\s+([a-zA-Z-]+)(?:\s*=\s*(?:\"([^\"<>]*)\"|'([^'<>]*)'))?")
TAG = re.compile(rf"<(/?)([a-zA-Z][a-zA-Z0-9-]*)((?:{ATTRIBUTE.pattern})*)\s*(/?)>")
ENTITY = re.compile(r"&([a-zA-Z][a-zA-Z0-9]*);")
TELEGRAM_ENTITIES = {"lt", "gt", "amp", "quot"}
# A literal address has a host of its own before anything is put in; then only what cannot change where it leads.
LITERAL = re.compile(r"https?://[a-z0-9.-]+(:[0-9]+)?([/?#][^\s\"'<>]*)?", re.IGNORECASE)
MAIL = re.compile(rf"mailto:[^\s\"'<>{OUTPUT}]+")
HARMLESS = ("integer", "number", "date", "encoded")
LANGUAGE = re.compile(r"language-[a-zA-Z0-9+#-]{1,30}")

PLAIN: frozenset[str] = frozenset()
LINK = frozenset({"href"})
CELL = frozenset({"colspan", "rowspan", "align", "valign", "width"})
TELEGRAM_TAGS: dict[str, frozenset[str]] = {
    **dict.fromkeys(("b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "tg-spoiler", "pre"), PLAIN),
    "a": LINK,
    "code": frozenset({"class"}),
    "blockquote": frozenset({"expandable"}),
}
MAIL_TAGS: dict[str, frozenset[str]] = {
    **dict.fromkeys(
        [
            "p",
            "br",
            "hr",
            "div",
            "span",
            "b",
            "strong",
            "i",
            "em",
            "u",
            "ins",
            "s",
            "del",
            "small",
            "sub",
            "sup",
            "h1",
            "h2",
            "h3",
            "h4",
            "blockquote",
            "pre",
            "code",
            "caption",
            "thead",
            "tbody",
            "tfoot",
        ],
        PLAIN,
    ),
    **dict.fromkeys(("ul", "ol", "li", "dl", "dt", "dd"), PLAIN),
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


def check_markup(nodes: Sequence[Node], *, format: str, kinds: Mapping[int, Kind]) -> list[Fault]:
    """What is wrong with the tags of a template; nothing for formats without markup. `kinds` are the outputs' own."""
    if format not in TAGS:
        return []
    checker = _Checker(format, kinds)
    checker.branch(nodes, opened=False)
    return checker.faults


@dataclass
class _Letters:
    """One branch as letters, and where each part of them stands in the template."""

    text: str = ""
    starts: list[int] = field(default_factory=list)
    places: list[tuple[int, bool]] = field(default_factory=list)

    def add(self, text: str, place: int, *, literal: bool) -> None:
        self.starts.append(len(self.text))
        self.places.append((place, literal))
        self.text += text

    def place(self, offset: int) -> int:
        number = bisect_right(self.starts, offset) - 1
        place, literal = self.places[number]
        return place + (offset - self.starts[number] if literal else 0)


class _Checker:
    def __init__(self, format: str, kinds: Mapping[int, Kind]) -> None:
        self.telegram = format == Format.TELEGRAM
        self.channel, self.allowed = TAGS[format]
        self.kinds = kinds
        self.faults: list[Fault] = []

    def branch(self, nodes: Sequence[Node], *, opened: bool) -> None:
        """One list of nodes. `opened`: something around it was opened inside of the loop that it is in."""
        letters = _Letters()
        blocks: dict[int, Node] = {}
        for node in nodes:
            place = node.token.start_index
            match node:
                case TextNode():
                    letters.add(node.text, place, literal=True)
                case OutputNode():
                    letters.add(OUTPUT, place, literal=False)
                case BreakNode() | ContinueNode():
                    letters.add(LEAVE, place, literal=False)
                case _:
                    blocks[len(letters.text)] = node
                    letters.add(BLOCK, place, literal=False)
        self._scan(letters, blocks, opened)

    def _scan(self, letters: _Letters, blocks: Mapping[int, Node], opened: bool) -> None:
        stack: list[tuple[str, int]] = []
        text, position = letters.text, 0
        while position < len(text):
            sign = text[position]
            if sign == "<":
                found = TAG.match(text, position)
                if found is None:
                    self._complain(letters, position, _unreadable(text[position : position + 60]))
                    position += 1
                    continue
                self._tag(letters, found, stack)
                position = found.end()
                continue
            if sign == BLOCK:
                self._block(blocks[position], opened=opened or bool(stack))
            elif sign == LEAVE and (opened or stack):
                self._complain(letters, position, "break 與 continue 之前要先關閉迴圈裡開啟的標籤")
            elif sign == "&" and self.telegram:
                entity = ENTITY.match(text, position)
                if entity and entity.group(1) not in TELEGRAM_ENTITIES:
                    self._complain(letters, position, f"Telegram 不認得「{entity.group()}」，請直接輸入那個字")
            position += 1
        for name, offset in stack:
            self._complain(letters, offset, f"<{name}> 沒有在同一段裡關閉")

    def _block(self, node: Node, *, opened: bool) -> None:
        match node:
            case IfNode():
                for _, inside in node.branches:
                    self.branch(inside, opened=opened)
            case CaseNode():
                for _, inside in node.branches:
                    self.branch(inside, opened=opened)
            case ForNode():
                self.branch(node.block, opened=False)
                self.branch(node.default, opened=opened)

    def _tag(self, letters: _Letters, found: re.Match[str], stack: list[tuple[str, int]]) -> None:
        closes, name, attributes = found.group(1), found.group(2).lower(), found.group(3)
        offset = found.start()
        if name not in self.allowed:
            known = "、".join(self.allowed)
            self._complain(letters, offset, f"{self.channel}範本不能用 <{name}>；可用：{known}")
        elif closes:
            if attributes.strip():
                self._complain(letters, offset, f"</{name}> 裡面不能有其他內容")
            if not stack or stack[-1][0] != name:
                wanted = f"，這裡該是 </{stack[-1][0]}>" if stack else ""
                self._complain(letters, offset, f"</{name}> 在這一段裡沒有相對應的 <{name}>{wanted}")
            if any(opened == name for opened, _ in stack):
                while stack.pop()[0] != name:
                    pass
        else:
            self._attributes(letters, name, found)
            if name not in VOID:
                if name == "a" and any(opened == "a" for opened, _ in stack):
                    self._complain(letters, offset, "連結裡面不能再有連結")
                if found.group(found.re.groups):
                    self._complain(letters, offset, f"<{name}/> 要寫成 <{name}></{name}>")
                else:
                    stack.append((name, offset))

    def _attributes(self, letters: _Letters, tag: str, found: re.Match[str]) -> None:
        if tag == "a" and not re.search(r"\shref\s*=", found.group(3), re.IGNORECASE):
            self._complain(letters, found.start(), '<a> 要有 href="…"')
        for attribute in ATTRIBUTE.finditer(found.group(3)):
            name = attribute.group(1).lower()
            value = next((part for part in attribute.groups()[1:] if part is not None), "")
            offset = found.start(3) + attribute.start(1)
            if name not in self.allowed[tag]:
                self._complain(letters, offset, f"<{tag}> 不能有 {name}")
            elif BLOCK in value or LEAVE in value:
                self._complain(letters, offset, f"{name} 裡面不能有 {{% %}}，請把整個標籤放進去")
            elif name == "href":
                self._address(letters, offset, found.start(3) + attribute.end() - len(value) - 1, value)
            elif name == "class" and not LANGUAGE.fullmatch(value):
                self._complain(letters, offset, "class 只能是 language- 加上程式語言的名稱")
            elif OUTPUT in value and name != "title":
                self._complain(letters, offset, f"{name} 裡面不能有變數")

    def _address(self, letters: _Letters, offset: int, start: int, value: str) -> None:
        """Where a link leads must be sure: a value of type url, or a literal address."""
        kinds = [
            (number, self.kinds.get(letters.place(start + number), Kind("unknown")))
            for number, sign in enumerate(value)
            if sign == OUTPUT
        ]
        if any(kind.name == "unknown" for _, kind in kinds):
            return  # complained of already
        if kinds and kinds[0][0] == 0 and kinds[0][1].name == "url":
            rest = kinds[1:]
        elif not value.startswith(OUTPUT) and (LITERAL.fullmatch(value) or (not kinds and MAIL.fullmatch(value))):
            rest = kinds
        elif kinds and kinds[0][0] == 0:
            why = f"開頭的變數是{kinds[0][1].label}，裡面可能是 javascript: 之類的危險連結；請把變數宣告為網址（url）"
            self._complain(letters, offset, f"href 不安全：{why}")
            return
        else:
            self._complain(letters, offset, "href 要是網址類型的變數，或 http://、https:// 開頭的完整網址")
            return
        for _, kind in rest:
            if kind.name not in HARMLESS:
                self._complain(letters, offset, f"href 裡的{kind.label}請加上 | url_encode，才不會改變連結的去處")

    def _complain(self, letters: _Letters, offset: int, message: str) -> None:
        self.faults.append(Fault(letters.place(offset), message))


def _unreadable(text: str) -> str:
    if re.match(r"</?[a-zA-Z!?]", text):
        shown = re.split(r"[>\s]", text.translate({ord(OUTPUT): "{{ }}", ord(BLOCK): "{% %}", ord(LEAVE): "{% %}"}))[0]
        return f"「{shown}」的寫法不對：屬性值要用引號，標籤要以 > 結束，裡面不能有 {{% %}} 或註解"
    return "「<」若不是標籤的開頭，請寫成 &lt;"
