"""HTML for mail, cleaned of whatever could run, load or cover something."""

from __future__ import annotations

import html
from collections.abc import Mapping

import nh3

from notifications.markup.tokens import Tag, tokens

# Browsers copy these into every paragraph that follows while they are open; with attributes without limit.
_PLAIN = frozenset(("b", "code", "em", "i", "s", "small", "strike", "strong", "tt", "u"))
_VOID = frozenset(("br", "col", "hr", "img"))
_OTHERS = frozenset(
    (
        *("a", "blockquote", "caption", "center", "colgroup", "dd", "del", "div", "dl", "dt"),
        *("h1", "h2", "h3", "h4", "h5", "h6", "ins", "li", "ol", "p", "pre", "span", "sub", "sup"),
        *("table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul"),
    )
)
_TAGS = _PLAIN | _VOID | _OTHERS
_BOX = frozenset({"align", "bgcolor", "style", "valign", "width"})
_ATTRIBUTES: dict[str, set[str]] = {
    **{name: set(_BOX) for name in ("div", "p", "span", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li")},
    "table": {*_BOX, "border", "cellpadding", "cellspacing"},
    **{name: {*_BOX, "colspan", "height", "rowspan"} for name in ("td", "th")},
    "a": {"href", "style", "title"},
    "img": {"alt", "height", "src", "style", "width"},
    "blockquote": {"style"},
    "pre": {"style"},
}
# None of these takes an address, lays something over something else, or makes it vanish.
_STYLES = {
    *("background-color", "border", "border-bottom", "border-collapse", "border-left", "border-radius"),
    *("border-right", "border-top", "color", "font-family", "font-size", "font-style", "font-weight", "line-height"),
    *("margin", "margin-bottom", "margin-left", "margin-right", "margin-top", "max-width", "padding"),
    *("padding-bottom", "padding-left", "padding-right", "padding-top", "text-align", "text-decoration"),
    *("vertical-align", "white-space", "width"),
}
_DEPTH = 100  # open elements; deeper ones lose their tags and keep their text
_ATTRIBUTE_LENGTH = 2048


def _source(tag: str, attribute: str, value: str) -> str | None:
    """Pictures only over TLS, and nothing relative: a mail has no address of its own."""
    scheme = value.strip().lower()
    if attribute == "src":
        return value if scheme.startswith("https://") else None
    if attribute == "href":
        return value if scheme.startswith(("http://", "https://", "mailto:", "tel:")) else None
    return value


_CLEANER = nh3.Cleaner(
    tags=set(_TAGS),
    attributes=_ATTRIBUTES,
    attribute_filter=_source,
    filter_style_properties=_STYLES,
    url_schemes={"http", "https", "mailto", "tel"},
    link_rel="noopener noreferrer",
    strip_comments=True,
)


def tidy(source: str) -> str:
    """A fragment of HTML that is safe in a mail, with every element closed. Idempotent but for spaces."""
    parts: list[str] = []
    stack: list[str] = []
    for token in tokens(source):
        if isinstance(token, str):
            parts.append(html.escape(token, quote=False))
        elif token.name not in _TAGS:
            continue
        elif not token.ends:
            if token.name in _VOID:
                parts.append(_start(token))
            elif len(stack) < _DEPTH:
                parts.append(_start(token))
                stack.append(token.name)
        elif token.name in stack:
            while (name := stack.pop()) != token.name:
                parts.append(f"</{name}>")
            parts.append(f"</{token.name}>")
    parts += [f"</{name}>" for name in reversed(stack)]
    return _CLEANER.clean("".join(parts))


def _start(tag: Tag) -> str:
    attributes: Mapping[str, str] = {} if tag.name in _PLAIN else tag.attributes
    allowed = _ATTRIBUTES.get(tag.name, set())
    written = "".join(
        f' {name}="{html.escape(value)}"'
        for name, value in attributes.items()
        if name in allowed and len(value) <= _ATTRIBUTE_LENGTH
    )
    return f"<{tag.name}{written}>"
