"""Looks of what stands in a mail: styles on the elements themselves, since mail programs drop style sheets.

Tables are laid out with attributes and padding of cells, as Outlook demands; what an element says itself wins.
"""

from __future__ import annotations

import re

INK, SOFT, LINE, BRAND = "#1f2328", "#52525b", "#d4d4d8", "#be185d"
FONTS = "'PingFang TC','Microsoft JhengHei','Noto Sans TC',Arial,sans-serif"
_LOOKS = {
    "h1": f"margin:0 0 12px;font-size:22px;line-height:1.35;color:{INK}",
    "h2": f"margin:0 0 8px;font-size:20px;line-height:1.35;color:{INK}",
    "h3": f"margin:24px 0 8px;font-size:16px;line-height:1.4;color:{INK}",
    "a": f"color:{BRAND};text-decoration:underline;overflow-wrap:anywhere",
    "blockquote": f"margin:12px 0;padding:4px 0 4px 12px;border-left:3px solid {LINE};color:{SOFT}",
    "pre": "margin:12px 0;padding:12px;background-color:#f4f4f5;font-size:13px;white-space:pre-wrap",
    "small": f"font-size:13px;color:{SOFT}",
    "img": "max-width:100%",
    "table": "width:100%;margin:8px 0 16px;border-collapse:collapse",
    # With their own fonts: Outlook passes those around a table not on to its cells.
    "th": f"padding:8px;border-bottom:2px solid {LINE};color:{SOFT};font:700 13px/1.5 {FONTS};word-break:keep-all",
    "td": f"padding:8px;border-bottom:1px solid {LINE};color:{INK};font:15px/1.5 {FONTS};vertical-align:top",
}
_TAG = re.compile(r'<(/?)([a-z][a-z0-9]*)((?:\s+[a-z-]+(?:="[^"]*")?)*)\s*>')
_STYLE = re.compile(r'\sstyle="([^"]*)"')
_CELLS = ("th", "td")


def styled(html: str) -> str:
    """`html`, a fragment of a mail as `to_mail_html` writes it, with its looks.

    A table that has a style or a border of its own keeps it, and its cells stay as they are: it may be a layout.
    """
    own: list[bool] = []  # of the tables that are open, whether they look after themselves

    def look(found: re.Match[str]) -> str:
        end, name, attributes = found.groups()
        if name == "table":
            if end:
                del own[-1:]
            else:
                own.append("style=" in attributes or "border=" in attributes)
                attributes += "" if own[-1] else ' width="100%" border="0" cellpadding="8" cellspacing="0"'
        if end or name not in _LOOKS or (name in ("table", *_CELLS) and own[-1:] == [True]):
            return f"<{end}{name}{attributes}>"
        return f"<{name}{_with_style(name, attributes)}>"

    return _TAG.sub(look, html)


def _with_style(name: str, attributes: str) -> str:
    given = _STYLE.search(attributes)
    style = _LOOKS[name]
    if name in _CELLS and "align=" not in attributes.replace("valign=", ""):
        style += ";text-align:left"
    if given:
        style += f";{given[1]}"
        attributes = _STYLE.sub("", attributes)
    return f'{attributes} style="{style}"'
