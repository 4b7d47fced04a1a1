"""Runs written for each channel."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable

import nh3

from notifications.markup.layout import Attributes, read_runs, tokens
from notifications.markup.runs import CODE, LINK, QUOTE, Mark, Marks, Run, common, spell_links, utf16_length
from notifications.models import Format

_TELEGRAM_LINKS = ("http://", "https://", "tg://")
_MAIL_LINKS = ("http://", "https://", "mailto:", "tel:")
# Only ASCII: Chinese text follows an address without a space.
_BARE = re.compile(r"(https?://[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+)")
_AFTER = ".,;:!?'"

# Browsers copy these into every paragraph that follows while they are open; with attributes without limit.
_PLAIN = frozenset(("b", "code", "em", "i", "s", "small", "strike", "strong", "tt", "u"))
_VOID = frozenset(("br", "col", "hr", "img"))
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_TAGS = {
    *(*_PLAIN, *_VOID, *_HEADINGS),
    *("a", "blockquote", "caption", "center", "colgroup", "dd", "del", "div", "dl", "dt", "ins", "li", "ol", "p"),
    *("pre", "span", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul"),
}
_BOX = {"align", "bgcolor", "style", "valign", "width"}
_ATTRIBUTES = {
    **dict.fromkeys(("div", "p", "span", "tr", *_HEADINGS, "ul", "ol", "li"), _BOX),
    **dict.fromkeys(("td", "th"), _BOX | {"colspan", "height", "rowspan"}),
    **dict.fromkeys(("blockquote", "pre"), _BOX & {"style"}),
    "table": {*_BOX, "border", "cellpadding", "cellspacing"},
    "a": {"href", "style", "title"},
    "img": {"alt", "height", "src", "style", "width"},
}
# None of these takes an address, lays something over something else, or makes it vanish.
_STYLES = {
    *("background-color", "border", "border-bottom", "border-collapse", "border-left", "border-radius"),
    *("border-right", "border-top", "color", "font-family", "font-size", "font-style", "font-weight", "line-height"),
    *("margin", "margin-bottom", "margin-left", "margin-right", "margin-top", "max-width", "padding"),
    *("padding-bottom", "padding-left", "padding-right", "padding-top", "text-align", "text-decoration"),
    *("vertical-align", "white-space", "width"),
}
# A picture that the mail itself carries, by the name of its file.
_CARRIED = re.compile(r"cid:[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SCHEMES = {"src": ("https://",), "href": ("http://", "https://", "mailto:", "tel:")}
_DEPTH = 100  # open elements; deeper ones lose their tags and keep their text
_ATTRIBUTE_LENGTH = 2048


def to_telegram(body: str, format: str) -> str:
    """`body` as Telegram's HTML: only its tags and entities, nested only as it allows. Maybe "" for nothing visible."""
    return write_telegram(spell_links(read_runs(body, format), _TELEGRAM_LINKS))


def to_mail_html(body: str, format: str) -> str:
    """`body` as a fragment of HTML for mail, without anything that runs or loads by itself but pictures over https."""
    if format == Format.EMAIL_HTML:
        return tidy(body)
    runs = list(spell_links(read_runs(body, format), _MAIL_LINKS))
    return tidy(_written(_without_double_breaks(runs), _mail_tags, _mail_text))


def to_text(body: str, format: str) -> str:
    """`body` as plain text in lines; links become `text (address)`."""
    return "".join(text for text, _ in spell_links(read_runs(body, format)))


def plain_text(html: str) -> str:
    """Exactly what Telegram shows of its HTML, without the addresses of links."""
    return "".join(text for text, _ in read_runs(html, Format.TELEGRAM))


def visible_length(html: str) -> int:
    """Length of Telegram's HTML as Telegram counts it: UTF-16 code units of what it shows."""
    return utf16_length(plain_text(html))


def write_telegram(runs: Iterable[Run]) -> str:
    """Runs as Telegram's HTML."""
    return _written(runs, _telegram_tags, lambda text, _: html.escape(text, quote=False))


def _written(runs: Iterable[Run], tags: Callable[[Mark], tuple[str, str]], written: Callable[[str, Marks], str]) -> str:
    """Runs as HTML: `tags` gives the start and end tags of a mark, `written` a text with its marks."""
    parts: list[str] = []
    stack: Marks = ()
    for text, marks in [*runs, ("", ())]:
        kept = common(stack, marks)
        parts += [tags(mark)[1] for mark in reversed(stack[kept:])]
        parts += [tags(mark)[0] for mark in marks[kept:]]
        parts.append(written(text, marks))
        stack = marks
    return "".join(parts)


def _telegram_tags(mark: Mark) -> tuple[str, str]:
    if mark.kind == LINK:
        # Telegram knows no entity for an apostrophe, but needs none between double quotes.
        address = html.escape(mark.value, quote=False).replace('"', "&quot;")
        return f'<a href="{address}">', "</a>"
    if mark.kind == "pre" and mark.value:
        return f'<pre><code class="language-{mark.value}">', "</code></pre>"
    return f"<{mark.kind} expandable>" if mark.value else f"<{mark.kind}>", f"</{mark.kind}>"


def _mail_tags(mark: Mark) -> tuple[str, str]:
    if mark.kind == LINK:
        return f'<a href="{html.escape(mark.value)}">', "</a>"
    return ("", "") if mark.kind == "tg-spoiler" else (f"<{mark.kind}>", f"</{mark.kind}>")


def _mail_text(text: str, marks: Marks) -> str:
    kinds = {mark.kind for mark in marks}
    if "pre" in kinds:
        return html.escape(text)
    if kinds & {LINK, *CODE}:
        return _mail_lines(text)
    # Addresses are the pieces with odd numbers.
    pieces = enumerate(_BARE.split(text))
    return "".join(_mail_link(piece) if number % 2 else _mail_lines(piece) for number, piece in pieces)


def _mail_link(address: str) -> str:
    """A link to an address in a sentence, and after the link what belongs to the sentence."""
    end = len(address)
    while address[end - 1] in _AFTER or (
        address[end - 1] == ")" and address.count(")", 0, end) > address.count("(", 0, end)
    ):
        end -= 1
    shown = html.escape(address[:end])
    return f'<a href="{shown}">{shown}</a>{html.escape(address[end:])}'


def _mail_lines(text: str) -> str:
    # Of two spaces a browser would show one.
    return html.escape(text.replace("  ", "\u00a0 ")).replace("\n", "<br>")


def _without_double_breaks(runs: list[Run]) -> list[Run]:
    """Runs without the line breaks beside quotes and preformatted text, which are blocks of their own in mail."""
    blocks = [next((mark for mark in marks if mark.kind in (QUOTE, "pre")), None) for _, marks in runs]
    made: list[Run] = []
    for (text, marks), before, own, after in zip(runs, [None, *blocks], blocks, [*blocks[1:], None], strict=False):
        if before and before is not own:
            text = text.removeprefix("\n")
        if after and after is not own:
            text = text.removesuffix("\n")
        made.append((text, marks))
    return made


def _address(tag: str, attribute: str, value: str) -> str | None:
    """Pictures only over TLS or from the mail itself, and nothing relative: a mail has no address of its own."""
    if (tag, attribute) == ("img", "src") and _CARRIED.fullmatch(value):
        return value
    return value if value.strip().lower().startswith(_SCHEMES.get(attribute, ("",))) else None


_CLEANER = nh3.Cleaner(
    tags=_TAGS,
    attributes=_ATTRIBUTES,
    attribute_filter=_address,
    filter_style_properties=_STYLES,
    url_schemes={"cid", "http", "https", "mailto", "tel"},
    link_rel="noopener noreferrer",
    strip_comments=True,
)


def tidy(source: str) -> str:
    """A fragment of HTML that is safe in a mail, with every element closed. Idempotent but for spaces.

    nh3 decides what is safe. Elements are closed before, since its parser, which builds a tree as browsers do, makes
    megabytes out of kilobytes of open tags.
    """
    parts: list[str] = []
    stack: list[str] = []
    for token in tokens(source):
        if isinstance(token, str):
            parts.append(html.escape(token, quote=False))
            continue
        name, attributes = token
        if name[0] == "/" and name[1:] in stack:
            while (closed := stack.pop()) != name[1:]:
                parts.append(f"</{closed}>")
            parts.append(f"<{name}>")
        elif name in _TAGS and (name in _VOID or len(stack) < _DEPTH):
            parts.append(_start(name, attributes))
            stack += [] if name in _VOID else [name]
    parts += [f"</{name}>" for name in reversed(stack)]
    return _CLEANER.clean("".join(parts))


def _start(name: str, attributes: Attributes) -> str:
    allowed = _ATTRIBUTES.get(name, ())
    written = "".join(
        f' {key}="{html.escape(value)}"'
        for key, value in attributes.items()
        if key in allowed and len(value) <= _ATTRIBUTE_LENGTH
    )
    return f"<{name}{written}>"
