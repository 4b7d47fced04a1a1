"""How messages look: badges of their states, bubbles of a chat, mails in a frame that can do nothing."""

from __future__ import annotations

import json
from typing import Any

import nh3
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from momo.admin_kit.display import BAD, GOOD, INFO, NOTHING, QUIET, WARN, badge
from notifications.models import Format, OutboxMessage
from notifications.templating.variables import LABELS

Status = OutboxMessage.Status
STATUS_TONES = {
    Status.WAITING: QUIET,
    Status.PENDING: INFO,
    Status.CLAIMED: INFO,
    Status.SENDING: INFO,
    Status.SENT: GOOD,
    Status.HELD: WARN,
    Status.FAILED: BAD,
    Status.CANCELLED: QUIET,
}
FORMAT_TONES = {Format.TELEGRAM: INFO, Format.EMAIL_HTML: GOOD, Format.EMAIL_TEXT: QUIET, Format.PLAIN: QUIET}

# What Telegram itself shows. The text was made for it already; this is the page's own guard.
_BUBBLE = nh3.Cleaner(
    tags={"a", "b", "blockquote", "code", "i", "pre", "s", "tg-spoiler", "u"},
    attributes={"a": {"href"}},
    url_schemes={"http", "https", "mailto", "tel", "tg"},
    link_rel="noopener noreferrer",
    set_tag_attribute_values={"a": {"target": "_blank"}},
)
# A frame asks nobody for anything: no pictures, no styles and no scripts of somebody else's. Its links open elsewhere:
# within it they would take the mail's place, and most sites let nobody frame them. Ours is the first `base`, and so the
# one that counts; browsers cut a `_blank` off from the page that it was opened by.
_DOCUMENT = (
    '<!doctype html><html lang="zh-Hant"><head><meta charset="utf-8">'
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'\">"
    '<meta name="referrer" content="no-referrer"><base target="_blank">'
    "<style>body{{background:#fff;color:#1f2937;font:14px/1.6 system-ui,sans-serif;margin:12px;"
    "overflow-wrap:anywhere}}table{{max-width:100%}}</style></head><body>{}</body></html>"
)


def status_badge(message: OutboxMessage) -> SafeString:
    return badge(message.get_status_display(), STATUS_TONES[Status(message.status)])


def format_badge(value: str) -> SafeString:
    """A format by its label; one that is none of ours as it is written."""
    known = value in Format.values
    return badge(Format(value).label if known else value, FORMAT_TONES[Format(value)] if known else QUIET)


def bubble(html: str) -> SafeString:
    """Telegram's HTML as a chat shows it."""
    inner = mark_safe(_BUBBLE.clean(html))  # noqa: S308 - cleaned just now
    return format_html('<div class="mo-chat"><div class="mo-bubble">{}</div></div>', inner)


def frame(html: str, *, title: str) -> SafeString:
    """HTML of a mail in a frame without scripts, forms, and an origin; links open in a tab of their own."""
    return format_html(
        '<iframe class="mo-frame" sandbox="allow-popups allow-popups-to-escape-sandbox" '
        'referrerpolicy="no-referrer" title="{}" srcdoc="{}"></iframe>',
        title,
        _DOCUMENT.format(html),
    )


def variables_table(variables: Any) -> SafeString:
    """Declarations of a template for who only reads; fields of a list stand below it as 清單.欄位."""
    rows = [
        (prefix + str(one.get("name", "")), one)
        for variable in variables or []
        for prefix, one in (
            ("", variable),
            *((f"{variable.get('name', '')}.", field) for field in variable.get("fields") or []),
        )
    ]
    if not rows:
        return format_html("{}", NOTHING)
    cells = (
        (
            name,
            LABELS.get(one.get("type", ""), one.get("type", "")),
            "必填" if one.get("required") else NOTHING,
            _example(one.get("example")),
            one.get("description") or NOTHING,
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
        return NOTHING
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)


def plain(text: str) -> SafeString:
    """Text as it was written, lines and all."""
    return format_html('<pre class="mo-plain">{}</pre>', text)
