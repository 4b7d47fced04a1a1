"""The worker's side of a sending: mails are rendered and enqueued, a few in one transaction.

Their rows are locked meanwhile, and each has a key of its own in the outbox, so that workers that follow each other, or
run at once, enqueue a mail once. One transaction for each mail takes three times as long.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from momo.core.errors import ServiceError
from momo.core.work import Heartbeat, run_work, sweep
from notifications.services.drafts import check_draft
from notifications.services.outbox import Mail, enqueue_many
from vendors.models import MailLine, Stockout, VendorMail, VendorSending
from vendors.models.mails import MailKind
from vendors.services.closing import lock_rows
from vendors.services.compose import Composer
from vendors.services.links import answer_url
from vendors.services.sendings import Recipients, recipients_of, why_not_to

Status = VendorMail.Status
AT_ONCE = 50  # mails in one transaction: some hundred milliseconds of work
_ENQUEUED = """
UPDATE vendors_vendormail m SET message_id = x.message, status = 'queued', "to" = x.addresses, cc = x.copies
FROM unnest(%(mails)s::bigint[], %(messages)s::bigint[], %(to)s::jsonb[], %(cc)s::jsonb[])
    AS x(id, message, addresses, copies)
WHERE m.id = x.id
"""
NOTHING_LEFT = "寄出之前，這些缺貨都已回覆或結案"


def run_sending(sending_id: int) -> VendorSending | None:
    """Prepare the mails of a sending that are not in the outbox yet. Returns it as it ended; None as `run_work`."""
    return run_work(VendorSending.objects.all(), sending_id, attempt=_attempt, end=_give_up)


def sweep_sendings() -> None:
    """Release the sendings of silent workers, then enqueue those whose task was never sent, or is lost."""
    sweep(VendorSending.objects.all(), end=_give_up)


def _attempt(sending: VendorSending) -> None:
    waiting = sending.mails.filter(status=Status.PENDING).order_by("pk").values_list("pk", flat=True)
    with Heartbeat(sending, seconds=settings.VENDOR_HEARTBEAT_TIMEOUT / 4):
        ids = list(waiting)
        for start in range(0, len(ids), AT_ONCE):
            prepare_mails(ids[start : start + AT_ONCE])
    lost = sending.mails.filter(message=None).count()
    done = sending.mails.count() - lost
    message = f"{done:,} 封郵件已排入寄送" + (f"，{lost:,} 封沒有寄出" if lost else "")
    sending.finish(status=VendorSending.Status.DONE, message=message, finished_at=timezone.now())


def _give_up(sending: VendorSending, attempts: int) -> None:
    reason = f"試了 {attempts} 次都沒有完成"
    with transaction.atomic():
        for mail in sending.mails.filter(status=Status.PENDING).order_by("pk").select_for_update():
            _end(mail, Status.FAILED, reason)
        sending.finish(status=VendorSending.Status.FAILED, message=reason, finished_at=timezone.now())


@transaction.atomic
def prepare_mails(mail_ids: Sequence[int]) -> None:
    """Enqueue those of the mails of one sending that are pending, or end them where they cannot be sent any more.

    What happened since the request counts: addresses are those of now, and rows that were answered or resolved are out.
    """
    pending = VendorMail.objects.filter(pk__in=mail_ids, status=Status.PENDING).order_by("pk")
    mails = list(pending.select_related("vendor", "sending__created_by").select_for_update(of=("self",)))
    if not mails:
        return
    composer, rows = Composer(mails[0].kind), _rows(mails)
    addresses = recipients_of(mail.vendor_id for mail in mails)
    drafts: list[tuple[VendorMail, Mail]] = []
    for mail in mails:
        if mail.kind != MailKind.ESCALATION:
            mail.to, mail.cc = list(addresses[mail.vendor_id].to), list(addresses[mail.vendor_id].cc)
        recipients = Recipients(mail.to, mail.cc, addresses[mail.vendor_id].bounced)
        if not rows[mail.pk]:
            _end(mail, Status.CANCELLED, NOTHING_LEFT)
        elif reason := why_not_to(mail.vendor, recipients):
            _end(mail, Status.FAILED, reason, without_address=mail.vendor.is_active)
        else:
            draft = _draft(mail, composer, rows[mail.pk])
            try:
                check_draft(draft)
            except ServiceError as error:
                _end(mail, Status.FAILED, str(error))
            else:
                drafts.append((mail, draft))
    written = enqueue_many([draft for _, draft in drafts])
    with connection.cursor() as cursor:
        values: dict[str, Any] = {
            "mails": [mail.pk for mail, _ in drafts],
            "messages": [message.pk for (message,) in written],
            "to": [json.dumps(mail.to) for mail, _ in drafts],
            "cc": [json.dumps(mail.cc) for mail, _ in drafts],
        }
        cursor.execute(_ENQUEUED, values)


def _rows(mails: Sequence[VendorMail]) -> dict[int, list[Stockout]]:
    """The rows that each mail is still about; the others are taken out of it."""
    found: dict[int, list[Stockout]] = {mail.pk: [] for mail in mails}
    gone = []
    held = Stockout.objects.filter(mail_lines__mail__in=mails).order_by("mail_lines__pk")
    for row in held.annotate(held=F("mail_lines"), in_mail=F("mail_lines__mail")):
        if mails[0].kind == MailKind.STOCKOUT:
            stays = row.mail_id == row.in_mail and row.status == Stockout.Status.QUEUED
        else:
            stays = row.status == Stockout.Status.SENT
        if stays:
            found[row.in_mail].append(row)
        else:
            gone.append(row.held)
    if gone:
        MailLine.objects.filter(pk__in=gone).delete()
    return found


def _draft(mail: VendorMail, composer: Composer, rows: Sequence[Stockout]) -> Mail:
    composed = composer.compose(
        vendor=mail.vendor,
        rows=rows,
        note=mail.sending.note,
        link=answer_url(mail),
        link_until=mail.link_expires_at,
    )
    text = composed.text
    first, *others = mail.to
    return Mail(
        key=f"vendor-mail:{mail.pk}",
        event=mail.kind,
        to=first,
        others=others,
        cc=mail.cc,
        subject=text.subject,
        text=text.plain,
        html=text.html,
        files=(composed.file,),
        template_code=mail.kind,
        template_version=composed.template_version,
        user=mail.sending.created_by,
    )


def _end(mail: VendorMail, status: Status, reason: str, *, without_address: bool = False) -> None:
    """End a mail that never was in the outbox, and say so in its rows."""
    mail.status, mail.reason = status, reason
    mail.save(update_fields=["status", "reason"])
    ended = Stockout.Status.NO_EMAIL if without_address else Stockout.Status.FAILED
    rows = Stockout.objects.filter(mail=mail, status=Stockout.Status.QUEUED)
    Stockout.objects.filter(pk__in=lock_rows(rows)).update(status=ended)
