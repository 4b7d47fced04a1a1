"""Previews of messages: badges of states, bubbles of a chat, mails in a sandboxed frame."""

from __future__ import annotations

import json
from typing import Any

import nh3
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from momo.admin.kit.display import BAD, GOOD, INFO, NO_VALUE, QUIET, WARN, badge, choice_badge
from notifications.models import Format, OutboxMessage
from notifications.templating.variables import LABELS

Status = OutboxMessage.Status
FORMAT_TONES: dict[str, str] = {Format.TELEGRAM: INFO, Format.EMAIL_HTML: GOOD}
status_badge = choice_badge(
    {
        Status.PENDING: INFO,
        Status.UNSENT: WARN,
        Status.CLAIMED: INFO,
        Status.SENDING: INFO,
        Status.SENT: GOOD,
        Status.HELD: WARN,
        Status.FAILED: BAD,
    }
)

# The tags that Telegram shows. The text holds no others already; the page does not rely on that.
_BUBBLE = nh3.Cleaner(
    tags={"a", "b", "blockquote", "code", "i", "pre", "s", "tg-spoiler", "u"},
    attributes={"a": {"href"}},
    url_schemes={"http", "https", "mailto", "tel", "tg"},
    link_rel="noopener noreferrer",
    set_tag_attribute_values={"a": {"target": "_blank"}},
)
# The frame loads nothing: no scripts, no styles from elsewhere, and only pictures that are inside the page. Links open
# in a new tab: in the frame they would replace the mail, and most sites refuse to be framed. Our `base` is the first
# one, so browsers ignore any in the mail; a `_blank` tab has no access to the page that opened it.
_DOCUMENT = (
    '<!doctype html><html lang="zh-Hant"><head><meta charset="utf-8">'
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; img-src data:\">"
    '<meta name="referrer" content="no-referrer"><base target="_blank">'
    "<style>body{{background:#fff;color:#1f2937;font:14px/1.6 system-ui,sans-serif;margin:12px;"
    "overflow-wrap:anywhere}}table{{max-width:100%}}</style></head><body>{}</body></html>"
)


def format_badge(value: str) -> SafeString:
    """Return the label of a format as a badge; an unknown format as it is stored."""
    return badge(dict(Format.choices).get(value, value), FORMAT_TONES.get(value, QUIET))


def bubble(html: str) -> SafeString:
    """Return Telegram's HTML as a chat shows it."""
    inner = mark_safe(_BUBBLE.clean(html))  # noqa: S308 - cleaned just now
    return format_html('<div class="mo-chat"><div class="mo-bubble">{}</div></div>', inner)


def frame(html: str, *, title: str) -> SafeString:
    """Return HTML of a mail in a frame without scripts, forms and origin; links open in a new tab."""
    return format_html(
        '<iframe class="mo-frame" sandbox="allow-popups allow-popups-to-escape-sandbox" '
        'referrerpolicy="no-referrer" title="{}" srcdoc="{}"></iframe>',
        title,
        _DOCUMENT.format(html),
    )


def variables_table(variables: Any) -> SafeString:
    """Return a table of a template's declarations, to read only; fields of a list are below it as 清單.欄位."""
    rows = [
        (prefix + str(one.get("name", "")), one)
        for variable in variables or []
        for prefix, one in (
            ("", variable),
            *((f"{variable.get('name', '')}.", field) for field in variable.get("fields") or []),
        )
    ]
    if not rows:
        return format_html("{}", NO_VALUE)
    cells = (
        (
            name,
            LABELS.get(one.get("type", ""), one.get("type", "")),
            "必填" if one.get("required") else NO_VALUE,
            _example(one.get("example")),
            one.get("description") or NO_VALUE,
        )
        for name, one in rows
    )
    row = (
        '<tr><td><code>{}</code></td><td class="mo-nowrap">{}</td><td class="mo-nowrap">{}</td>'
        '<td><div class="mo-example">{}</div></td><td class="mo-words">{}</td></tr>'
    )
    return format_html(
        '<div class="mo-scroll mo-scroll--alone"><table class="mo-table mo-table--variables"><thead><tr>'
        "<th>名稱</th><th>類型</th><th>必填</th><th>範例</th><th>說明</th></tr></thead><tbody>{}</tbody></table></div>",
        format_html_join("", row, cells),
    )


def _example(value: Any) -> str:
    if value is None:
        return NO_VALUE
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)


def plain(text: str) -> SafeString:
    """Return text with its spaces and line breaks."""
    return format_html('<pre class="mo-plain">{}</pre>', text)
