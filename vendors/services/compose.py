"""The mail to a vendor, as it is sent and as it is previewed: subject, text, HTML and workbook."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.html import escape

from momo.core.secret_paths import ANSWER
from momo.core.thresholds import thresholds
from notifications.channels.mail import BadAddress, read_address
from notifications.services.drafts import File
from notifications.services.notify import Text
from notifications.services.templates import event_renderer
from vendors.events import LABELS
from vendors.exports import mail_workbook
from vendors.models import Stockout, Vendor
from vendors.models.mails import MailKind

# What the table of a mail shows; the others are in the workbook. A rendered body may have 64 KB, and some mail programs
# cut a page of more than 102 KB.
TABLE_ROWS = 100
TABLE_BYTES = 36 * 1024
ROW_BYTES = 200  # of a row's markup
NAME = 200  # characters of a name that templates show


@dataclass(frozen=True)
class Composed:
    """A mail before it is in the outbox."""

    text: Text
    file: File
    template_version: int


class Composer:
    """Composes the mails of one kind; its template is read once."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._render = event_renderer(kind)

    def compose(
        self,
        *,
        vendor: Vendor,
        rows: Sequence[Stockout],
        note: str,
        link: str,
        link_until: datetime,
    ) -> Composed:
        """The mail about `rows` to `vendor`; the rows with the highest sales come first."""
        now = timezone.now()
        ordered = sorted(rows, key=lambda row: (-(row.monthly_sales or 0), row.product_code, row.pk))
        shown = list(_shown(ordered, self.kind, now))
        values = {
            "vendor_name": vendor.name,
            "items": shown,
            "item_count": len(ordered),
            "more_count": len(ordered) - len(shown),
            "workbook": True,
            "link": link,
            "link_until": link_until,
            "reply_to": _reply_to(),
            "note": note,
        }
        if self.kind != MailKind.STOCKOUT:
            values["days"] = max((_days(row, now) for row in ordered), default=0)
        if self.kind == MailKind.ESCALATION:
            values |= {"vendor_code": vendor.code, "contact": vendor.contact, "phone": vendor.phone}
        rendered, version = self._render(values)
        file = mail_workbook(vendor, ordered, day=timezone.localdate(now))
        return Composed(Text(rendered, LABELS[MailKind(self.kind)]), file, version)


def preview(kind: str, *, vendor: Vendor, rows: Sequence[Stockout], note: str) -> Composed:
    """The mail as it would be sent now; its link leads nowhere."""
    link = f"{settings.PUBLIC_URL}{ANSWER}preview"
    return Composer(kind).compose(vendor=vendor, rows=rows, note=note, link=link, link_until=link_ends(timezone.now()))


def link_ends(now: datetime) -> datetime:
    """Until when the link of a mail of `now` is valid."""
    return now + timedelta(days=thresholds.VENDOR_LINK_DAYS)


def _shown(rows: Sequence[Stockout], kind: str, now: datetime) -> Iterator[dict[str, Any]]:
    size = 0
    for row in rows[:TABLE_ROWS]:
        name = row.product_name[:NAME]
        size += ROW_BYTES + len(escape(row.product_code + name).encode())
        if size > TABLE_BYTES:
            return
        item = {"code": row.product_code, "name": name, "monthly_sales": row.monthly_sales, "stock": row.stock}
        yield item if kind == MailKind.STOCKOUT else {**item, "days": _days(row, now)}


def _days(row: Stockout, now: datetime) -> int:
    """Days since the vendor was first written to about the row."""
    first: date = timezone.localdate(row.notified_at or now)
    return (timezone.localdate(now) - first).days


def _reply_to() -> str:
    try:
        return read_address(settings.EMAIL_REPLY_TO).mailbox if settings.EMAIL_REPLY_TO else ""
    except BadAddress:
        return ""
