"""Text of replies: escaped for Telegram's HTML, with readable numbers and comparisons."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

from momo.core.formats import Number, number, percent

UP, DOWN, SAME, NONE = "▲", "▼", "＝", "—"
PAGE_LINES = 10  # of a list, before the buttons for more


def escape(text: object) -> str:
    """Escape `& < >` and drop control characters, so that any data is valid in a reply."""
    clean = "".join(c for c in str(text) if c >= " " and not "\ud800" <= c <= "\udfff" and c != "\x7f")
    return html.escape(clean, quote=False)


def bold(text: object) -> str:
    """Return `text`, escaped, in bold."""
    return f"<b>{escape(text)}</b>"


def link(text: object, url: str) -> str:
    """Return a link; the bare text if `url` is not http or https, or Telegram would not take it for an address."""
    if not re.fullmatch(r"https?://\S+", url) or not url.isprintable():
        return escape(text)
    return f'<a href="{html.escape(url, quote=True)}">{escape(text)}</a>'


def whole(value: Number | None) -> str:
    """Digits with thousands separators, `1,234,567`; a dash for None."""
    return NONE if value is None else number(value, places=0, thousands=True)


def change(value: float | None) -> str:
    """A change in percent with its direction, `▲12.5%`; a dash when there is nothing to compare with."""
    if value is None:
        return NONE
    sign = UP if value > 0 else DOWN if value < 0 else SAME
    return f"{sign}{percent(abs(value), places=1, thousands=True)}"


def lines(*parts: str | Iterable[str]) -> str:
    """Join lines; parts may be lines or groups of lines; empty parts are blank lines."""
    out: list[str] = []
    for part in parts:
        out += [part] if isinstance(part, str) else list(part)
    return "\n".join(out).strip("\n")
