"""How messages look: badges of their states, bubbles of a chat, mails in a frame that can do nothing."""

from __future__ import annotations

import nh3
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from momo.admin_kit.display import BAD, GOOD, INFO, QUIET, WARN, badge
from notifications.models import Format, OutboxMessage

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
# A frame asks nobody for anything: no pictures, no styles and no scripts of somebody else's.
_DOCUMENT = (
    '<!doctype html><html lang="zh-Hant"><head><meta charset="utf-8">'
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
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
    """HTML of a mail in a frame without scripts, forms, and an origin."""
    return format_html(
        '<iframe class="mo-frame" sandbox="" referrerpolicy="no-referrer" title="{}" srcdoc="{}"></iframe>',
        title,
        _DOCUMENT.format(html),
    )


def plain(text: str) -> SafeString:
    """Text as it was written, lines and all."""
    return format_html('<pre class="mo-plain">{}</pre>', text)
