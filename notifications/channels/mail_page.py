"""The page of a mail: brand above, the text, and below it why one gets this mail.

Tables and widths as attributes, since Outlook lays out with Word; no style sheet, since other programs drop it.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe

from momo.core.texts import clean_text, one_line
from notifications.events import MANUAL_EVENT, TEST_EVENT, event_kind
from notifications.markup.style import FONTS, styled
from notifications.models import Subscription

PREHEADER = 140  # characters that mail programs show beside the subject


def mail_page(body: str, **values: Any) -> str:
    """The document of a mail; `body` is HTML as `to_mail_html` writes it. See `mail_body` for `values`."""
    return render_to_string("notifications/mail.html", _context(body, **values))


def mail_body(body: str, **values: Any) -> str:
    """What stands in the document, for previews. `subject` and `text` are of the mail, `reason` is shown below it."""
    return render_to_string("notifications/mail_body.html", _context(body, **values))


def with_pictures(body: str, pictures: Mapping[str, bytes]) -> str:
    """HTML with the pictures that its mail carries (PNG by file name) inside, for previews."""
    for name, png in pictures.items():
        body = body.replace(f'"cid:{name}"', f'"data:image/png;base64,{b64encode(png).decode()}"')
    return body


def _context(
    body: str, *, subject: str, text: str, event: str = "", subscription: Subscription | None = None
) -> dict[str, Any]:
    change = f"{settings.PUBLIC_URL}/admin/notifications/subscription/" if subscription is not None else ""
    return {
        "title": subject,
        "preheader": preheader(subject, text),
        "body": mark_safe(styled(clean_text(body))),  # noqa: S308 - cleaned when the message was enqueued
        "reason": reason(event, subscription),
        "change_url": change,
        "site": settings.PUBLIC_URL,
        "fonts": FONTS,
    }


def preheader(subject: str, text: str) -> str:
    """What lists of mails show after the subject: the text without a first line that the subject repeats."""
    first, _, others = text.strip().partition("\n")
    return one_line(others if subject.startswith(first.strip()) else text)[:PREHEADER]


def reason(event: str, subscription: Subscription | None) -> str:
    """Why one gets this mail."""
    kind = event_kind(event)
    if subscription is not None:
        return f"您收到這封信，是因為訂閱了「{subscription.name or (kind.label if kind else event)}」。"
    if event == TEST_EVENT:
        return "這是一封測試信，由 MOMO Pro 的後台寄出。"
    if event == MANUAL_EVENT:
        return "這封信由 MOMO Pro 的使用者寄出。"
    if kind is not None and kind.reason:
        return kind.reason
    return f"這封「{kind.label}」由 MOMO Pro 寄給系統管理員。" if kind else "這封信由 MOMO Pro 寄出。"
