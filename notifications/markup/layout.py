"""Lays HTML out as lines of text: paragraphs, lists, tables and headings become line breaks, bullets and bars.

lxml's parser (libxml2) cuts tags and texts, but nests elements by the rules of HTML 4: it ends a <b> at a <p> and a <a>
at a <table>, gives up at a depth of 256, and takes quadratic time for end tags that are missing. So each tag reaches it
as a <br>, which nests nothing; what is left to libxml2 are attributes, quotes and entities, in time that grows with the
length of any source.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import groupby
from operator import itemgetter

from lxml import etree

from momo.core.texts import clean_text
from notifications.markup.runs import CODE, LINK, Mark, Marks, Run, common, link_target, within
from notifications.models import Format

Attributes = Mapping[str, str]
# The name of a tag in lower case, an end tag's with "/" in front, and its attributes; or a text.
Token = tuple[str, Attributes] | str

# Elements whose content is no text to read.
_HIDDEN = "iframe|math|noscript|object|script|select|style|svg|template|textarea|title"
_CUT = re.compile(
    rf"<!--.*?(?:-->|\Z)|<({_HIDDEN})(?=[\s/>]).*?(?:</\1(?=[\s/>])[^>]*>?|\Z)|<[!?][^<>]*>|<(/?[a-z][a-z0-9-]*)(?=[\s/>])|<",
    re.IGNORECASE | re.DOTALL,
)

_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_KINDS = {
    **dict.fromkeys(("b", "strong", *_HEADINGS, "th"), "b"),
    **dict.fromkeys(("i", "em", "cite", "dfn"), "i"),
    **dict.fromkeys(("u", "ins"), "u"),
    **dict.fromkeys(("s", "strike", "del"), "s"),
    **dict.fromkeys(("code", "kbd", "samp", "tt"), "code"),
    **{name: name for name in ("tg-spoiler", "pre", "blockquote")},
}
# Line breaks around an element: 2 leave an empty line, 1 only begins a new one.
_BREAKS = {
    **dict.fromkeys(("p", *_HEADINGS, "ul", "ol", "dl", "table", "pre", "blockquote"), 2),
    **dict.fromkeys(("address", "article", "aside", "caption", "center", "dd", "div", "dt", "figure", "footer"), 1),
    **dict.fromkeys(("form", "header", "hr", "li", "main", "nav", "section", "tbody", "tfoot", "thead", "tr"), 1),
}
_VOID = frozenset(("area", "base", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"))
_LISTS = frozenset({"ul", "ol"})
_RULE = "─" * 10
_LANGUAGE = re.compile(r"(?:^|\s)language-([A-Za-z0-9_+#.-]{1,40})(?:\s|$)")
_SPACES = re.compile(r"([ \t\n]+)")
_DEPTH = 200  # open elements; deeper ones lose their tags and keep their text
_INDENTED = 10  # lists in lists; deeper ones are not indented further, or a source would grow without limit


class _Target:
    """Collects what the parser reports."""

    def __init__(self) -> None:
        self.tokens: list[Token] = []

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "br":
            self.tokens.append((attributes["tag"].lower(), {key: clean_text(attributes[key]) for key in attributes}))

    def end(self, name: str) -> None:
        pass

    def data(self, text: str) -> None:
        if text := clean_text(text):
            self.tokens.append(text)

    def close(self) -> list[Token]:
        return self.tokens


def tokens(source: str) -> list[Token]:
    """The tags and texts of a fragment of HTML, entities resolved and texts cleaned; a text may come in pieces.

    A `<` that begins no tag is text; comments and what is inside of scripts and the like are left out.
    """
    source = clean_text(source)
    last_end = source.rfind(">")

    def flat(found: re.Match[str]) -> str:
        if found[2] and found.start() < last_end:
            return f'<br tag="{found[2]}" '
        return "&lt;" + found[0][1:] if found[2] or found[0] == "<" else ""

    parser = etree.HTMLParser(target=_Target())
    # Without an element around it, spaces at the beginning would be dropped.
    parser.feed("<html><body><div>" + _CUT.sub(flat, source))
    found: list[Token] = parser.close()
    return found


@dataclass
class _Open:
    name: str
    mark: Mark | None
    # Of an `ol` the number of its next item, of a row the number of its cells so far.
    count: int = 0


class _Layout:
    """Takes tokens and makes runs. With `keep_space`, spaces and line breaks stay as in Telegram's HTML."""

    def __init__(self, keep_space: bool) -> None:
        self.runs: list[Run] = []
        self._keep_space = keep_space
        self._open: list[_Open] = []
        self._marks: Marks = ()
        self._breaks = 0  # line breaks that are due before the next text
        self._space: Marks | None = None  # the marks of a space that is due
        self._at_start = False  # of a cell or item, where blocks begin no new line
        self._pre_begins = False

    # Elements.

    def tag(self, name: str, attributes: Attributes) -> None:
        """A start tag; an end tag if `name` begins with a slash."""
        if name in ("br", "/br"):
            self._space = None
            self.append("\n")
        elif name[0] == "/":
            self._close(name[1:])
            self._at_start = False
            self._block(name[1:])
        else:
            self._start(name, attributes)

    def _start(self, name: str, attributes: Attributes) -> None:
        if name == "li":
            self._close("li", inside=_LISTS)  # its end tag may be missing
        self._block(name)
        if name == "hr":
            self.append(_RULE)
            self._breaks = 1
        elif name == "img":
            self.text(attributes.get("alt", ""))
        if name in _VOID or len(self._open) >= _DEPTH:
            return
        if name in ("td", "th"):
            self._begin_cell()
        start = attributes.get("start", "")
        count = int(start) if name == "ol" and re.fullmatch("[0-9]{1,6}", start) else int(name == "ol")
        self._open.append(_Open(name, self._mark_of(name, attributes), count))
        self._set_marks()
        self._pre_begins = name == "pre"
        if name == "li":
            self.append(self._bullet())
            self._at_start = True

    def _close(self, name: str, inside: Collection[str] = ()) -> None:
        """Close the innermost open element of this name, if there is one within the innermost of `inside`."""
        for index in reversed(range(len(self._open))):
            opened = self._open[index]
            if opened.name == name:
                mark = opened.mark
                if mark and mark.kind == LINK and not (self._keep_space or (self.runs and mark in self.runs[-1][1])):
                    self.append(mark.value)  # a link around a picture without a text would be lost
                del self._open[index]
                self._set_marks()
            if opened.name == name or opened.name in inside:
                return

    def _set_marks(self) -> None:
        self._marks = reduce(within, (each.mark for each in self._open if each.mark), ())

    def _mark_of(self, name: str, attributes: Attributes) -> Mark | None:
        classes = attributes.get("class", "")
        if name == "a":
            target = link_target(attributes.get("href", ""))
            return Mark(LINK, target) if target else None
        if name == "span":
            return Mark("tg-spoiler") if "tg-spoiler" in classes.split() else None
        if name not in _KINDS:
            return None
        mark = Mark(_KINDS[name])
        if name == "blockquote" and "expandable" in attributes:
            mark.value = "expandable"
        language = _LANGUAGE.search(classes) if mark.kind in CODE else None
        # Telegram takes the language of a block from the code inside.
        block = self._open[-1].mark if self._open and mark.kind == "code" else mark
        if language and block and block.kind == "pre":
            block.value = language[1]
        return mark

    def _bullet(self) -> str:
        lists = [each for each in self._open if each.name in _LISTS]
        indent = "  " * min(len(lists) - 1, _INDENTED)
        if not lists or lists[-1].name == "ul":
            return f"{indent}• "
        lists[-1].count += 1
        return f"{indent}{lists[-1].count - 1}. "

    def _begin_cell(self) -> None:
        row = next((each for each in reversed(self._open) if each.name == "tr"), None)
        if row is not None:
            row.count += 1
            if row.count > 1:
                self._breaks, self._space = 0, None
                self.append(" | ")
        self._at_start = True

    # Lines.

    def _block(self, name: str) -> None:
        breaks = _BREAKS.get(name, 0)
        if self._keep_space and name in ("pre", "blockquote"):
            return
        if name in _LISTS and any(each.name in _LISTS for each in self._open):
            breaks = 1
        if breaks and not self._at_start:
            self._breaks = max(self._breaks, breaks)
            self._space = None

    def text(self, text: str) -> None:
        """Text as it stands in the source."""
        if self._keep_space:
            if self._breaks:
                # Line breaks that are written beside a block are those that it makes.
                bare = text.lstrip("\n")
                self._breaks = max(self._breaks, len(text) - len(bare))
                text = bare
            self.append(text)
        elif any(each.name == "pre" for each in self._open):
            # As in browsers, a line break right after the tag does not count.
            self.append(text.removeprefix("\n") if self._pre_begins else text)
            self._pre_begins = False
        else:
            for piece in filter(None, _SPACES.split(text)):
                if not piece.isspace() or piece[0] not in " \t\n":
                    self.append(piece)
                elif self._space is None:
                    self._space = self._marks

    def append(self, text: str) -> None:
        """Text as it is shown, after the line breaks or the space that are due."""
        if not text:
            return
        last, marks = self.runs[-1] if self.runs else ("\n", ())
        if self._breaks and self.runs:
            missing = self._breaks - (len(last) - len(last.rstrip("\n")))
            if missing > 0:
                self.runs.append(("\n" * missing, marks[: common(marks, self._marks)]))
        elif self._space is not None and last[-1] not in " \n":
            self.runs.append((" ", self._space))
        self._breaks, self._space, self._at_start = 0, None, False
        self.runs.append((text, self._marks))


def _html_runs(source: str, *, keep_space: bool) -> list[Run]:
    """The runs of a fragment of HTML; without `keep_space` laid out as in a browser, trimmed."""
    layout = _Layout(keep_space)
    for token in tokens(source):
        if isinstance(token, str):
            layout.text(token)
        else:
            layout.tag(*token)
    runs = [("".join(text for text, _ in group), marks) for marks, group in groupby(layout.runs, itemgetter(1))]
    return runs if keep_space else _trimmed(runs)


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
    """The runs of a text in one of `Format`: one of a text without markup, none of an empty text."""
    if format in (Format.TELEGRAM, Format.EMAIL_HTML):
        return _html_runs(body, keep_space=format == Format.TELEGRAM)
    text = clean_text(body)
    return [(text, ())] if text else []
