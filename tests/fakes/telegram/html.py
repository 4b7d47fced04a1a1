"""HTML as the Bot API reads it, which is not as browsers do: whatever is not in its list is refused.

Source: core.telegram.org/bots/api#html-style. Texts are counted in UTF-16 units, after entities are parsed.
"""

from __future__ import annotations

import re

TAGS = {
    *("b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "a", "code", "pre", "blockquote"),
    *("tg-spoiler", "span", "tg-emoji"),
}
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]*)((?:\s+[a-zA-Z-]+(?:\s*=\s*(?:\"[^\"<>]*\"|'[^'<>]*'))?)*)\s*>")
_ATTRIBUTE = re.compile(r"([a-zA-Z-]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'))?")
_ENTITY = re.compile(r"&(#x[0-9a-fA-F]+|#[0-9]+|[a-zA-Z]+);")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_ALLOWED = {
    "a": {"href"},
    "span": {"class"},
    "code": {"class"},
    "blockquote": {"expandable"},
    "tg-emoji": {"emoji-id"},
}
_LINK = re.compile(r"(https?://|tg://|mailto:|tel:)\S+\Z")


class BadMarkup(ValueError):
    """What Telegram answers with 400."""

    def __init__(self, why: str) -> None:
        super().__init__(f"Bad Request: can't parse entities: {why}")


def visible(html: str) -> str:
    """The text that people see. Raises BadMarkup."""
    seen: list[str] = []
    opened: list[str] = []
    place = 0
    while place < len(html):
        if html[place] == "<":
            found = _TAG.match(html, place)
            if found is None:
                raise BadMarkup(f"Unsupported start tag at byte offset {place}")
            _tag(found, opened)
            place = found.end()
        elif html[place] == "&":
            found = _ENTITY.match(html, place)
            if found is None:
                # Telegram takes a lone ampersand for one; ours are always written as an entity.
                raise BadMarkup(f"Unescaped ampersand at byte offset {place}")
            seen.append(_character(found[1]))
            place = found.end()
        elif html[place] == ">":
            raise BadMarkup(f"Unescaped > at byte offset {place}")
        else:
            seen.append(html[place])
            place += 1
    if opened:
        raise BadMarkup(f"Can't find end tag corresponding to start tag {opened[-1]}")
    return "".join(seen)


def length(text: str) -> int:
    """In UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _tag(found: re.Match[str], opened: list[str]) -> None:
    closing, name = bool(found[1]), found[2].lower()
    attributes = {one[1].lower(): one[2] or one[3] or "" for one in _ATTRIBUTE.finditer(found[3])}
    if name not in TAGS:
        raise BadMarkup(f'Unsupported start tag "{name}" at byte offset {found.start()}')
    if closing:
        if not opened or opened[-1] != name:
            raise BadMarkup(f'Unmatched end tag at byte offset {found.start()}, expected "</{(opened or [""])[-1]}>"')
        opened.pop()
        return
    if set(attributes) - _ALLOWED.get(name, set()):
        raise BadMarkup(f'Tag "{name}" has attributes that it must not have')
    if name == "span" and attributes.get("class") != "tg-spoiler":
        raise BadMarkup('Tag "span" must have class "tg-spoiler"')
    if name == "a" and not _LINK.match(attributes.get("href", "")):
        raise BadMarkup("Link without an address")
    if name == "a" and "a" in opened:
        raise BadMarkup("Link inside of a link")
    if {"pre", "code"} & set(opened) and not (name == "code" and opened[-1] == "pre"):
        raise BadMarkup(f'Tag "{name}" inside of code')
    if name == "blockquote" and "blockquote" in opened:
        raise BadMarkup("Quotation inside of a quotation")
    opened.append(name)


def _character(entity: str) -> str:
    if entity.startswith("#"):
        number = int(entity[2:], 16) if entity[1] in "xX" else int(entity[1:])
        if not 0 < number < 0x110000 or 0xD800 <= number < 0xE000:
            raise BadMarkup(f"Entity &{entity}; is no character")
        return chr(number)
    if entity not in _NAMED:
        raise BadMarkup(f"Unknown entity &{entity};")
    return _NAMED[entity]
