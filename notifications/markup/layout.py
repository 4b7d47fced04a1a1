"""Lays HTML out as lines of text: paragraphs, lists, tables and headings become line breaks, bullets and bars."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from notifications.markup.runs import CODE, LINK, Mark, Marks, Run, common, in_force, link_target
from notifications.markup.text import clean_text
from notifications.markup.tokens import Tag, tokens
from notifications.models import Format

_KINDS = {
    **dict.fromkeys(("b", "strong", "h1", "h2", "h3", "h4", "h5", "h6", "th"), "b"),
    **dict.fromkeys(("i", "em", "cite", "dfn"), "i"),
    **dict.fromkeys(("u", "ins"), "u"),
    **dict.fromkeys(("s", "strike", "del"), "s"),
    **dict.fromkeys(("code", "kbd", "samp", "tt"), "code"),
    "tg-spoiler": "spoiler",
    "pre": "pre",
    "blockquote": "blockquote",
}
# Line breaks around an element: 2 leave an empty line, 1 only begins a new one.
_BREAKS = {
    **dict.fromkeys(("p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "table", "pre", "blockquote"), 2),
    **dict.fromkeys(("address", "article", "aside", "caption", "center", "dd", "div", "dt", "figure", "footer"), 1),
    **dict.fromkeys(("form", "header", "hr", "li", "main", "nav", "section", "tbody", "tfoot", "thead", "tr"), 1),
}
_VOID = frozenset(("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"))
_CELLS = frozenset({"td", "th"})
_LISTS = frozenset({"ul", "ol"})
_RULE = "─" * 10
_LANGUAGE = re.compile(r"(?:^|\s)language-([A-Za-z0-9_+#.-]{1,40})(?:\s|$)")
_SPACES = re.compile(r"([ \t\n]+)")
_DEPTH = 200  # open elements; deeper ones are not told apart


@dataclass
class _Open:
    name: str
    mark: Mark | None
    # Of a list the number of its next item, 0 for bullets; of a row how many cells it has so far.
    count: int = 0


class _Layout:
    """Takes tags and texts and makes runs. With `keep_space` spaces and line breaks stand as in Telegram's HTML."""

    def __init__(self, keep_space: bool) -> None:
        self.runs: list[Run] = []
        self._keep_space = keep_space
        self._open: list[_Open] = []
        self._breaks = 0  # line breaks that are due before the next text
        self._space: Marks | None = None  # where a space is due
        self._cell_begins = False
        self._pre_begins = False
        self._current: Marks | None = None

    def feed(self, token: Tag | str) -> None:
        if isinstance(token, str):
            self._text(token)
        elif token.ends:
            self._end(token.name)
        else:
            self._start(token.name, token.attributes)

    def _marks(self) -> Marks:
        if self._current is None:
            self._current = in_force([each.mark for each in self._open if each.mark])
        return self._current

    # Elements.

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "br":
            self._line_break()
            return
        if name == "li":
            self._close_item()
        self._block(name)
        if name == "hr":
            self._append(_RULE)
            self._breaks = 1
        elif name == "img":
            self._text(attributes.get("alt", ""))
        if name in _VOID or len(self._open) >= _DEPTH:
            return
        if name in _CELLS:
            self._begin_cell()
        opened = _Open(name, self._mark_of(name, attributes))
        if name == "ol":
            start = attributes.get("start", "1")
            opened.count = int(start) if start.isascii() and start.isdigit() and len(start) < 7 else 1
        self._open.append(opened)
        self._current = None
        self._pre_begins = name == "pre"
        if name == "li":
            self._append(self._bullet())
            self._cell_begins = True

    def _end(self, name: str) -> None:
        if name == "br":
            self._line_break()
            return
        place = next((index for index in reversed(range(len(self._open))) if self._open[index].name == name), None)
        if place is not None:
            mark = self._open[place].mark
            if mark and mark.kind == LINK and not self._keep_space:
                self._name_bare_link(mark)
            del self._open[place]
            self._current = None
        self._cell_begins = False
        self._block(name)

    def _mark_of(self, name: str, attributes: Mapping[str, str]) -> Mark | None:
        if name == "a":
            target = link_target(attributes.get("href", ""))
            return Mark(LINK, target) if target else None
        if name == "span" and "tg-spoiler" in attributes.get("class", "").split():
            return Mark("spoiler")
        kind = _KINDS.get(name)
        if kind is None:
            return None
        mark = Mark(kind)
        if kind == "blockquote" and "expandable" in attributes:
            mark.value = "expandable"
        language = _LANGUAGE.search(attributes.get("class", "")) if kind in CODE else None
        if language and kind == "pre":
            mark.value = language[1]
        elif language and self._open and (outer := self._open[-1].mark) and outer.kind == "pre":
            outer.value = language[1]
        return mark

    def _name_bare_link(self, link: Mark) -> None:
        """A link around a picture without a text would be lost."""
        if not (self.runs and link in self.runs[-1][1]):
            self._append(link.value)

    def _bullet(self) -> str:
        lists = [each for each in self._open if each.name in _LISTS]
        indent = "  " * max(0, len(lists) - 1)
        if not lists or lists[-1].name == "ul":
            return f"{indent}• "
        lists[-1].count += 1
        return f"{indent}{lists[-1].count - 1}. "

    def _close_item(self) -> None:
        """An item ends the one before it, whose end tag may be missing."""
        for index in reversed(range(len(self._open))):
            if self._open[index].name in _LISTS:
                return
            if self._open[index].name == "li":
                del self._open[index]
                self._current = None
                return

    def _begin_cell(self) -> None:
        row = next((each for each in reversed(self._open) if each.name == "tr"), None)
        if row is not None:
            row.count += 1
            if row.count > 1:
                self._breaks, self._space = 0, None
                self._append(" | ")
        self._cell_begins = True

    # Lines.

    def _block(self, name: str) -> None:
        breaks = _BREAKS.get(name, 0)
        if self._keep_space and name in ("pre", "blockquote"):
            return
        if name in _LISTS and any(each.name in _LISTS for each in self._open):
            breaks = 1
        if breaks and not self._cell_begins:
            self._breaks = max(self._breaks, breaks)
            self._space = None

    def _line_break(self) -> None:
        self._space = None
        self._append("\n")

    def _text(self, text: str) -> None:
        if self._keep_space:
            if self._breaks:
                # Whoever writes elements that make lines may also write each on a line of its own.
                bare = text.lstrip("\n")
                self._breaks = max(self._breaks, len(text) - len(bare))
                text = bare
            self._append(text)
        elif any(each.name == "pre" for each in self._open):
            # As browsers have it, a line break right after the tag is none.
            self._append(text[1:] if self._pre_begins and text[0] == "\n" else text)
            self._pre_begins = False
        else:
            for piece in filter(None, _SPACES.split(text)):
                if piece[0] in " \t\n":
                    self._space = self._marks() if self._space is None else self._space
                else:
                    self._append(piece)

    def _append(self, text: str) -> None:
        if not text:
            return
        marks = self._marks()
        last = self.runs[-1][0] if self.runs else "\n"
        if self._breaks and self.runs:
            there = len(last) - len(last.rstrip("\n"))
            missing = max(0, self._breaks - there)
            shared = marks[: common(self.runs[-1][1], marks)]
            if missing:
                self.runs.append(("\n" * missing, shared))
        elif self._space is not None and last[-1] not in " \n":
            self.runs.append((" ", self._space))
        self._breaks, self._space, self._cell_begins = 0, None, False
        self.runs.append((text, marks))


def html_runs(source: str, *, keep_space: bool) -> list[Run]:
    """The runs of a fragment of HTML; without `keep_space` laid out as a browser would, trimmed."""
    layout = _Layout(keep_space)
    for token in tokens(source):
        layout.feed(token)
    return layout.runs if keep_space else _trimmed(layout.runs)


def _trimmed(runs: list[Run]) -> list[Run]:
    while runs and not runs[0][0].strip():
        del runs[0]
    while runs and not runs[-1][0].strip():
        del runs[-1]
    if runs:
        runs[0] = (runs[0][0].lstrip("\n"), runs[0][1])
        runs[-1] = (runs[-1][0].rstrip(), runs[-1][1])
    return runs


def read_runs(body: str, format: str) -> list[Run]:
    """The runs of a text in one of `Format`; of texts without markup one, of nothing none."""
    if format == Format.TELEGRAM:
        return html_runs(body, keep_space=True)
    if format == Format.EMAIL_HTML:
        return html_runs(body, keep_space=False)
    text = clean_text(body)
    return [(text, ())] if text else []
