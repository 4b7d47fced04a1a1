"""Runs written for each channel."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable

from notifications.markup.layout import read_runs
from notifications.markup.mail import tidy
from notifications.markup.runs import CODE, LINK, QUOTE, Mark, Marks, Run, common, spell_links
from notifications.markup.text import utf16_length
from notifications.models import Format

_TELEGRAM_LINKS = ("http://", "https://", "tg://")
_MAIL_LINKS = ("http://", "https://", "mailto:", "tel:")
# Only what is ASCII: Chinese text follows an address without a space.
_BARE = re.compile(r"https?://[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")
_AFTER = ".,;:!?'"


def to_telegram(body: str, format: str) -> str:
    """`body` as Telegram's HTML: only its tags and entities, nested only as it allows. Of nothing visible maybe ""."""
    return write_telegram(spell_links(read_runs(body, format), _TELEGRAM_LINKS))


def to_mail_html(body: str, format: str) -> str:
    """`body` as a fragment of HTML for mail, without anything that runs or loads by itself but pictures over https."""
    if format == Format.EMAIL_HTML:
        return tidy(body)
    runs = spell_links(read_runs(body, format), _MAIL_LINKS)
    return tidy(_written(_without_double_breaks(list(runs)), _mail_open, _mail_close, _mail_text))


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
    return _written(runs, _telegram_open, _telegram_close, _telegram_text)


def _written(
    runs: Iterable[Run],
    opened: Callable[[Mark], str],
    closed: Callable[[Mark], str],
    written: Callable[[str, Marks], str],
) -> str:
    parts: list[str] = []
    stack: Marks = ()
    for text, marks in runs:
        kept = common(stack, marks)
        parts += [closed(mark) for mark in reversed(stack[kept:])]
        parts += [opened(mark) for mark in marks[kept:]]
        parts.append(written(text, marks))
        stack = marks
    parts += [closed(mark) for mark in reversed(stack)]
    return "".join(parts)


def _telegram_text(text: str, marks: Marks) -> str:
    return html.escape(text, quote=False)


def _telegram_open(mark: Mark) -> str:
    if mark.kind == LINK:
        # Telegram knows no entity for an apostrophe, but needs none between double quotes.
        address = html.escape(mark.value, quote=False).replace('"', "&quot;")
        return f'<a href="{address}">'
    if mark.kind == "pre" and mark.value:
        return f'<pre><code class="language-{mark.value}">'
    if mark.kind == QUOTE and mark.value:
        return "<blockquote expandable>"
    return "<tg-spoiler>" if mark.kind == "spoiler" else f"<{mark.kind}>"


def _telegram_close(mark: Mark) -> str:
    if mark.kind == "pre" and mark.value:
        return "</code></pre>"
    return "</tg-spoiler>" if mark.kind == "spoiler" else f"</{mark.kind}>"


def _mail_open(mark: Mark) -> str:
    if mark.kind == LINK:
        return f'<a href="{html.escape(mark.value)}">'
    return "" if mark.kind == "spoiler" else f"<{mark.kind}>"


def _mail_close(mark: Mark) -> str:
    return "" if mark.kind == "spoiler" else f"</{mark.kind}>"


def _mail_text(text: str, marks: Marks) -> str:
    kinds = {mark.kind for mark in marks}
    if "pre" in kinds:
        return html.escape(text)
    if kinds & {LINK, *CODE}:
        return _mail_lines(text)
    parts, position = [], 0
    for match in _BARE.finditer(text):
        address = _without_punctuation(match[0])
        parts += [_mail_lines(text[position : match.start()]), f'<a href="{html.escape(address)}">']
        parts += [html.escape(address), "</a>"]
        position = match.start() + len(address)
    parts.append(_mail_lines(text[position:]))
    return "".join(parts)


def _mail_lines(text: str) -> str:
    # Of two spaces a browser would show one.
    return html.escape(text.replace("  ", "\u00a0 ")).replace("\n", "<br>")


def _without_punctuation(address: str) -> str:
    """An address in a sentence, without what belongs to the sentence."""
    while address[-1] in _AFTER or (address[-1] == ")" and address.count(")") > address.count("(")):
        address = address[:-1]
    return address


def _without_double_breaks(runs: list[Run]) -> list[Run]:
    """Quotes and preformatted text are blocks in mail, which begin and end a line by themselves."""
    made: list[Run] = []
    for index, (text, marks) in enumerate(runs):
        before = _block_of(runs[index - 1][1]) if index else None
        after = _block_of(runs[index + 1][1]) if index + 1 < len(runs) else None
        own = _block_of(marks)
        if before and before is not own and text.startswith("\n"):
            text = text[1:]
        if after and after is not own and text.endswith("\n"):
            text = text[:-1]
        made.append((text, marks))
    return made


def _block_of(marks: Marks) -> Mark | None:
    return next((mark for mark in marks if mark.kind in (QUOTE, "pre")), None)
