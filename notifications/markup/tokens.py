"""Cuts HTML into tags and text, in time that grows with its length whatever it holds.

The parser of the standard library is quadratic on hostile input, and one that builds a tree as browsers do makes
megabytes out of kilobytes of open tags. A fragment of a message needs no tree.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from notifications.markup.text import clean_text

# Elements whose content is no text for people.
_SKIPPED = frozenset(
    ("iframe", "math", "noscript", "object", "script", "select", "style", "svg", "template", "textarea", "title")
)
_ENDS = {name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE) for name in _SKIPPED}
_NAME = re.compile(r"</?([a-zA-Z][a-zA-Z0-9-]*)(?=[\s/>])")
_REST = re.compile(r"(?:[^\"'>]|\"[^\"]*\"|'[^']*')*+>")
_ATTRIBUTE = re.compile(r"([^\s\"'<>/=]+)(?:\s*+=\s*+(\"[^\"]*\"|'[^']*'|[^\s\"'>]+))?")
_ATTRIBUTES = 20  # of one tag; no tag that we know has more than a few


@dataclass(frozen=True)
class Tag:
    """A start tag, or an end tag; names are in lower case."""

    name: str
    ends: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict)


def tokens(source: str) -> Iterator[Tag | str]:
    """The tags and texts of a fragment of HTML, entities resolved and texts cleaned.

    A `<` that begins no tag is text, as browsers have it; comments and what is inside of scripts are left out.
    """
    source = clean_text(source)
    last_end = source.rfind(">")
    quotes_match = True
    begin = position = 0

    while (found := source.find("<", position)) >= 0:
        end, tag = 0, None
        if source.startswith("<!--", found):
            closed = source.find("-->", found + 4)
            end = closed + 3 if closed >= 0 else len(source)
        elif found < last_end and source.startswith(("<!", "<?"), found):
            end = source.index(">", found) + 1
        elif found < last_end and (name := _NAME.match(source, found)):
            rest = _REST.match(source, name.end()) if quotes_match else None
            # One quote is never closed: looked for once, and no more heeded from there on.
            quotes_match = rest is not None
            end = rest.end() if rest else source.index(">", name.end()) + 1
            tag = Tag(name[1].lower(), source[found + 1] == "/", _attributes(source[name.end() : end - 1]))
        if not end:
            position = found + 1
            continue
        yield from _text(source[begin:found])
        if tag:
            yield tag
            if tag.name in _SKIPPED and not tag.ends:
                closing = _ENDS[tag.name].search(source, end)
                end = closing.start() if closing else len(source)
        begin = position = end
    yield from _text(source[begin:])


def _text(source: str) -> Iterator[str]:
    if text := clean_text(html.unescape(source)):
        yield text


def _attributes(source: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(source):
        value = match[2] or ""
        if value[:1] in ("'", '"'):
            value = value[1:-1]
        found.setdefault(match[1].lower(), clean_text(html.unescape(value)))
        if len(found) == _ATTRIBUTES:
            break
    return found
