"""Bounces that come back as mails (delivery status notifications, RFC 3464), which a mail server pipes in.

What comes in is anybody's: it is bounded, and counts only for an address to which we wrote lately.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from email import message_from_bytes
from email.message import Message

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from momo.core.errors import NotFound, PayloadTooLarge, ValidationFailed
from momo.core.texts import one_line
from notifications.models import OutboxMessage
from vendors.models import Stockout, VendorAddress, VendorMail
from vendors.services.closing import lock_rows

MAX_BYTES = 2 * 1024 * 1024
MAX_PARTS = 30  # of one mail: reading each line takes as long as there are parts around it
MAX_REASON = 500
RECENT = timedelta(days=30)
# Our Message-ID ends with the number of its message (`notifications.services.outbox`).
_MESSAGE_ID = re.compile(r"<[0-9a-f]{24}\.(\d{1,18})@[^\s<>]{1,200}>")
_PARTS = re.compile(rb"(?:multipart|message)/", re.IGNORECASE)


@dataclass(frozen=True)
class Bounce:
    """What a notification says about one recipient; `message_id` is empty where it does not return the headers."""

    address: str
    reason: str
    message_id: str


def read_bounce(*, content: bytes) -> list[VendorAddress]:
    """Mark the addresses of which the notification says that they never get the mail. Returns them.

    A mail that thereby reached nobody is failed, with its rows. Raises PayloadTooLarge, ValidationFailed for what is no
    notification of a final failure, and NotFound for addresses to which no mail to a vendor was sent lately.
    """
    if len(content) > MAX_BYTES:
        raise PayloadTooLarge(f"退信通知最大 {MAX_BYTES // 1024 // 1024} MB")
    bounces = parse_bounce(content)
    with transaction.atomic():
        marked = [address for bounce in bounces for address in _mark(bounce)]
    if not marked:
        named = "、".join(bounce.address for bounce in bounces[:5])
        raise NotFound(f"最近 {RECENT.days} 天沒有寄給廠商信箱 {named[:300]} 的郵件，沒有變動")
    return marked


def parse_bounce(content: bytes) -> list[Bounce]:
    """What a notification says of each recipient that failed for good. Raises ValidationFailed where there is none."""
    if len(_PARTS.findall(content)) > MAX_PARTS:
        raise ValidationFailed(f"這封郵件超過 {MAX_PARTS} 個部分，不是退信通知")
    try:
        parts = list(message_from_bytes(content).walk())
    except (ValueError, LookupError, RecursionError) as error:
        raise ValidationFailed("這不是一封讀得懂的郵件") from error
    status = next((part for part in parts if part.get_content_type() == "message/delivery-status"), None)
    if status is None or not isinstance(blocks := status.get_payload(), list):
        raise ValidationFailed("這不是退信通知（郵件裡沒有 message/delivery-status）")
    message_id = _message_id(parts[parts.index(status) + 1 :])
    read = (_bounce(block, message_id) for block in blocks if isinstance(block, Message))
    found = [bounce for bounce in read if bounce is not None]
    if not found:
        raise ValidationFailed("這封通知沒有說哪個信箱永久無法送達（例如只是延遲），沒有變動")
    return found


def _message_id(parts: list[Message]) -> str:
    """The Message-ID of the mail that came back: as a message, or as its headers alone."""
    for part in parts:
        texts = [str(part.get("Message-ID", ""))]
        if part.get_content_type() == "text/rfc822-headers":
            texts.append(str(part.get_payload()))
        for text in texts:
            if found := _MESSAGE_ID.search(text):
                return found[0]
    return ""


def _bounce(block: Message, message_id: str) -> Bounce | None:
    """What one block says; None for the block about the server, and for a recipient that did not fail for good."""
    code = str(block.get("Status", "")).strip()
    if str(block.get("Action", "")).strip().lower() != "failed" or code[:1] not in ("5", ""):
        return None
    named = str(block.get("Original-Recipient") or block.get("Final-Recipient") or "")
    address = one_line(named.rpartition(";")[2]).strip("<>")
    if "@" not in address or len(address) > 254:
        return None
    said = one_line(str(block.get("Diagnostic-Code", "")).partition(";")[2])
    return Bounce(address, one_line(f"{code} {said}")[:MAX_REASON] or "退信", message_id)


def _mark(bounce: Bounce) -> Iterator[VendorAddress]:
    mailbox, now = bounce.address.lower(), timezone.now()
    sent = VendorMail.objects.filter(sent_at__gte=now - RECENT)
    number = _MESSAGE_ID.fullmatch(bounce.message_id)
    if number:
        known = OutboxMessage.objects.filter(pk=int(number[1]), message_id=bounce.message_id)
        sent = sent.filter(message__in=known)
    # Locks are taken in the order of the trigger on the outbox: mails, rows, addresses.
    for address in VendorAddress.objects.filter(mailbox=mailbox).order_by("pk"):
        # The addresses of a mail are as they were written.
        to_it = Q(to__contains=address.email) | Q(cc__contains=address.email)
        mails = list(sent.filter(to_it, vendor=address.vendor_id).order_by("pk").select_for_update(no_key=True))
        if not mails:
            continue
        if number:
            _fail_if_nobody_got_it(mails[0], address, bounce.reason)
        address.bounced_at, address.bounce_reason = now, bounce.reason
        address.save(update_fields=["bounced_at", "bounce_reason"])
        yield address


def _fail_if_nobody_got_it(mail: VendorMail, address: VendorAddress, reason: str) -> None:
    refused = VendorAddress.objects.filter(vendor=mail.vendor_id).exclude(bounced_at=None)
    if set(mail.to) <= {address.email, *refused.values_list("email", flat=True)}:
        VendorMail.objects.filter(pk=mail.pk).update(status=VendorMail.Status.FAILED, reason=f"退信：{reason}")
        rows = Stockout.objects.filter(mail=mail, status=Stockout.Status.SENT)
        Stockout.objects.filter(pk__in=lock_rows(rows)).update(status=Stockout.Status.FAILED)
