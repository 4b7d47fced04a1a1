"""What of vendors may be deleted, for the clean-up of the whole system to count or delete.

Vendors, addresses and stockouts stay, and so does what is about a stockout that is still open.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from momo.core.retention import Amount, Expired, KeptFiles, OldRows, StrayFiles, register
from vendors.models import MailLine, Stockout, Submission, VendorMail, VendorSending

MAILS = 500  # a batch; each may have hundreds of rows
STRAY_AFTER = dt.timedelta(days=1)  # by then the submission of a file is committed, if it ever will be
FILE = Submission._meta.get_field("attachment")
_Status = VendorMail.Status


def _is_open(mail: str) -> Q:
    """Whether a row of a mail is not resolved, or waits for what becomes of it."""
    lines = MailLine.objects.filter(mail=OuterRef(mail)).exclude(line__status=Stockout.Status.RESOLVED)
    current = Stockout.objects.filter(mail=OuterRef(mail)).exclude(status=Stockout.Status.RESOLVED)
    return Q(Exists(lines)) | Q(Exists(current))


@dataclass(frozen=True)
class OldMails(Expired):
    """Mails that are over and whose link expired before a moment, with the answers to them and their files."""

    before: dt.datetime

    def rows(self) -> QuerySet[VendorMail]:
        """The mails."""
        over = VendorMail.objects.filter(
            status__in=(_Status.SENT, _Status.FAILED, _Status.CANCELLED),
            link_expires_at__lt=self.before,
        )
        return over.exclude(_is_open("pk")).order_by("pk")

    @property
    def table(self) -> str:
        return VendorMail._meta.label

    def amount(self) -> Amount:
        return OldRows(self.rows()).amount()

    def batches(self) -> Iterator[Amount]:
        while (deleted := self._delete_some()).rows:
            yield deleted

    @transaction.atomic
    def _delete_some(self) -> Amount:
        # Mails are locked before their rows, as the trigger on the outbox does.
        mails = self.rows().select_for_update(of=("self",), skip_locked=True)
        ids = list(mails.values_list("pk", flat=True)[:MAILS])
        chosen = VendorMail.objects.filter(pk__in=ids)
        amount = OldRows(chosen).amount()
        answers = Submission.objects.filter(mail__in=ids)
        files = list(answers.exclude(attachment="").values_list("attachment", flat=True))
        answers.delete()
        chosen.delete()
        # If the process dies here, the files are stray ones.
        for name in files:
            transaction.on_commit(partial(FILE.storage.delete, name))
        return amount


@dataclass(frozen=True)
class OldAttachments(KeptFiles):
    """Files of answers from before a moment about rows that are all resolved; the answers stay."""

    before: dt.datetime

    def rows(self) -> QuerySet[Submission]:
        """The answers. A later version of an answer shares the file of an earlier one, and keeps it."""
        younger = Submission.objects.filter(attachment=OuterRef("attachment"), created_at__gte=self.before)
        old = Submission.objects.filter(created_at__lt=self.before).exclude(attachment="")
        return old.exclude(_is_open("mail") | Q(Exists(younger)))

    @property
    def table(self) -> str:
        return f"{Submission._meta.label}.attachment"

    def sizes(self) -> dict[str, int]:
        return dict(self.rows().values_list("attachment", "attachment_size"))

    def remove(self, name: str) -> None:
        FILE.storage.delete(name)
        Submission.objects.filter(attachment=name).update(attachment="")


@register
def expired(*, now: dt.datetime) -> dict[str, Expired]:
    """What nothing needs any more at `now`, by a name for people; what mails keep stands before the mails."""
    mails = now - dt.timedelta(days=settings.VENDOR_MAIL_KEEP_DAYS)
    over = (VendorSending.Status.DONE, VendorSending.Status.FAILED)
    sendings = VendorSending.objects.filter(status__in=over, finished_at__lt=mails, mails=None)
    return {
        "沒有郵件的寄送": OldRows(sendings),
        "廠商回覆的附件": OldAttachments(now - dt.timedelta(days=settings.VENDOR_ATTACHMENT_KEEP_DAYS)),
        "廠商郵件": OldMails(mails),
        "沒有紀錄的附件": StrayFiles(now - STRAY_AFTER, FILE, "vendors"),
    }
