"""Sendings: which rows are written about to whom, and which are not and why. A worker prepares the mails.

One transaction locks the rows, writes the sending with its mails, and marks the rows as queued; of two calls with the
same rows the second finds them queued. Locks are taken in the order of the trigger on the outbox: messages, mails,
rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from momo.core.errors import Conflict, ValidationFailed
from momo.core.texts import clean_text
from notifications.models import OutboxMessage
from notifications.services import control
from vendors.models import MailLine, Stockout, StockoutBatch, Vendor, VendorAddress, VendorMail, VendorSending
from vendors.models.mails import MailKind
from vendors.services.closing import lock_rows
from vendors.services.compose import link_ends

MAX_IDS = 20_000
MAX_NOTE = 2_000  # characters
MAX_RECIPIENTS = 50  # of one mail, as the outbox has it
Status = Stockout.Status

_QUEUE_ROWS = """
UPDATE vendors_stockout s SET status = 'queued', mail_id = m.id
FROM vendors_vendormail m JOIN vendors_mailline l ON l.mail_id = m.id
WHERE m.sending_id = %s AND s.id = l.line_id
"""


@dataclass(frozen=True)
class Recipients:
    """Usable addresses of a vendor; without `to` nothing is sent. `bounced` are recipients that were refused."""

    to: Sequence[str] = ()
    cc: Sequence[str] = ()
    bounced: Sequence[str] = ()


@dataclass(frozen=True)
class Group:
    """What becomes one mail."""

    vendor: Vendor
    recipients: Recipients
    rows: list[Stockout] = field(default_factory=list)


@dataclass(frozen=True)
class Plan:
    """What would be sent, and what not: `skipped` is [{"id", "reason"}], `without` ids of rows that lack an address."""

    groups: list[Group]
    skipped: list[dict[str, Any]]
    without: list[int]


@dataclass(frozen=True)
class SendingResult:
    """How many rows are queued in how many mails; `sending` is None where nothing is sent."""

    queued: int
    mails: int
    skipped: list[dict[str, Any]]
    sending: VendorSending | None = None


def send_stockouts(
    *,
    ids: Sequence[int] | None = None,
    batch: StockoutBatch | None = None,
    user: User | None,
    note: str = "",
    include_duplicates: bool = False,
    resend: bool = False,
) -> SendingResult:
    """Queue one mail for each vendor about the rows `ids`, or all rows of `batch`.

    Rows that failed are sent again; with `resend` only those, and rows of `ids` that were sent already. The failed
    messages of rows that are sent again are cancelled, so that nobody sends them too. Raises ValidationFailed for too
    many ids and too long a note, Conflict for a batch that is not in force.
    """
    note = clean_text(note).strip()
    if len(note) > MAX_NOTE:
        raise ValidationFailed(fields={"note": [f"最多 {MAX_NOTE:,} 個字，這一段有 {len(note):,} 個"]})
    wanted = _wanted(ids, batch)
    with transaction.atomic():
        mails = VendorMail.objects.filter(pk__in=wanted.exclude(mail=None).values("mail"))
        messages = OutboxMessage.objects.filter(pk__in=mails.values("message"))
        for held in (messages, mails):
            list(held.order_by("pk").select_for_update(no_key=True).values("pk"))
        # Read after they are locked: what a statement joins to a row that it waited for is from before the wait.
        lock_rows(wanted)
        plan = _plan(wanted, ids=ids, include_duplicates=include_duplicates, resend=resend)
        Stockout.objects.filter(pk__in=plan.without).update(status=Status.NO_EMAIL)
        if not plan.groups:
            return SendingResult(0, 0, plan.skipped)
        before = {row.mail_id for group in plan.groups for row in group.rows if row.mail_id}
        sending = write_sending(MailKind.STOCKOUT, plan.groups, batch=batch, note=note, user=user, skipped=plan.skipped)
        failed = VendorMail.objects.filter(pk__in=before, message__status="failed").values("message")
        control.decide_many(control.CANCEL, OutboxMessage.objects.filter(pk__in=failed), user=user)
    queued = sum(len(group.rows) for group in plan.groups)
    return SendingResult(queued, len(plan.groups), plan.skipped, sending)


def plan_stockouts(
    *,
    ids: Sequence[int] | None = None,
    batch: StockoutBatch | None = None,
    include_duplicates: bool = False,
    resend: bool = False,
) -> Plan:
    """What `send_stockouts` would do now. Raises as it does; changes nothing."""
    return _plan(_wanted(ids, batch), ids=ids, include_duplicates=include_duplicates, resend=resend)


def write_sending(kind: str, groups: Sequence[Group], **values: Any) -> VendorSending:
    """Write a sending with a mail for each group, in the caller's transaction; its task is started on commit.

    Only mails about stockouts become the mails of their rows: what becomes of a reminder changes no row.
    """
    now = timezone.now()
    given = {"user": None, **values}
    sending = VendorSending.objects.create(kind=kind, created_by=given.pop("user"), created_at=now, **given)
    mails = VendorMail.objects.bulk_create(
        VendorMail(
            sending=sending,
            vendor=group.vendor,
            kind=kind,
            day=timezone.localdate(now),
            to=list(group.recipients.to),
            cc=list(group.recipients.cc),
            created_at=now,
            link_expires_at=link_ends(now),
        )
        for group in groups
    )
    lines = (MailLine(mail=mail, line=row) for mail, group in zip(mails, groups, strict=True) for row in group.rows)
    MailLine.objects.bulk_create(lines, batch_size=5000)
    if kind == MailKind.STOCKOUT:
        with connection.cursor() as cursor:
            cursor.execute(_QUEUE_ROWS, [sending.pk])
    transaction.on_commit(sending.enqueue)
    return sending


def recipients_of(vendors: Iterable[int]) -> defaultdict[int, Recipients]:
    """The usable addresses of vendors, by their ids; one query."""
    found: dict[int, dict[str, list[str]]] = defaultdict(lambda: {"to": [], "cc": [], "bounced": []})
    active = VendorAddress.objects.filter(vendor__in=set(vendors), is_active=True)
    for address in active.order_by("vendor", "pk"):
        if address.bounced_at is None:
            found[address.vendor_id][address.kind].append(address.email)
        elif address.kind == VendorAddress.Kind.TO:
            found[address.vendor_id]["bounced"].append(f"{address.email}（{address.bounce_reason or '退信'}）")
    made: defaultdict[int, Recipients] = defaultdict(Recipients)
    for vendor, given in found.items():
        to = given["to"][:MAX_RECIPIENTS]
        made[vendor] = Recipients(to, given["cc"][: MAX_RECIPIENTS - len(to)], given["bounced"])
    return made


def why_not_to(vendor: Vendor, recipients: Recipients) -> str:
    """Why no mail can be sent to a vendor; empty where one can."""
    if not vendor.is_active:
        return f"廠商 {vendor} 已停用"
    if recipients.to:
        return ""
    if recipients.bounced:
        return f"廠商 {vendor} 的信箱被退信：{'、'.join(recipients.bounced)[:300]}，請更新信箱後再寄"
    return f"廠商 {vendor} 沒有可用的收件者信箱"


# --- Which rows -----------------------------------------------------------------------------------------------------


def _wanted(ids: Sequence[int] | None, batch: StockoutBatch | None) -> QuerySet[Stockout]:
    rows = Stockout.objects.select_related("vendor", "batch", "mail")
    if batch is not None:
        if batch.undone_at is not None or batch.published_at is None:
            raise Conflict(f"批次 {batch} {'已復原' if batch.undone_at else '還沒有匯入完成'}，不能寄送")
        return rows.filter(batch=batch.same_as_id or batch.pk)
    if not ids:
        raise ValidationFailed(fields={"stockout_ids": ["請至少選一筆缺貨"]})
    if len(ids) > MAX_IDS:
        raise ValidationFailed(fields={"stockout_ids": [f"一次最多 {MAX_IDS:,} 筆，這一次有 {len(ids):,} 筆"]})
    return rows.filter(pk__in=[pk for pk in ids if 0 < pk < 2**63])


def _plan(wanted: QuerySet[Stockout], *, ids: Sequence[int] | None, include_duplicates: bool, resend: bool) -> Plan:
    rows = list(wanted.order_by("pk"))
    recipients = recipients_of(row.vendor_id for row in rows)
    known = {row.pk for row in rows}
    skipped = [{"id": pk, "reason": "沒有這筆缺貨"} for pk in dict.fromkeys(ids or ()) if pk not in known]
    groups: dict[int, Group] = {}
    without = []
    for row in rows:
        to = recipients[row.vendor_id]
        reason = _why_not(row, include_duplicates=include_duplicates, resend=resend, chosen=ids is not None)
        if not reason and (reason := why_not_to(row.vendor, to)) and row.vendor.is_active:
            without.append(row.pk)
        if reason:
            skipped.append({"id": row.pk, "reason": reason})
        else:
            groups.setdefault(row.vendor_id, Group(row.vendor, to)).rows.append(row)
    return Plan(sorted(groups.values(), key=lambda group: group.vendor.code), skipped, without)


def _why_not(row: Stockout, *, include_duplicates: bool, resend: bool, chosen: bool) -> str:
    """Why a row is not sent, whatever the addresses of its vendor; empty where nothing speaks against it."""
    if row.batch.undone_at is not None or row.batch.published_at is None:
        return f"所屬的批次 {row.batch} 已復原或還沒有匯入完成"
    if row.status == Status.RESOLVED:
        return f"已結案：{row.get_resolved_reason_display() or '人工結案'}"
    if row.status == Status.REPLIED:
        return "廠商已回覆"
    if row.status == Status.QUEUED:
        return f"已在寄送中{_mail_of(row)}"
    if row.status == Status.SENT and not (resend and chosen):
        return f"已通知過{_mail_of(row)}"
    if row.duplicate_of_id is not None and not include_duplicates:
        return f"與缺貨 #{row.duplicate_of_id} 重複"
    if resend and row.status not in (Status.FAILED, Status.SENT):
        return "不是寄送失敗的缺貨"
    return ""


def _mail_of(row: Stockout) -> str:
    mail = row.mail
    if mail is None:
        return ""
    at = timezone.localtime(mail.sent_at or mail.created_at)
    held = "，待人工確認" if mail.status == VendorMail.Status.HELD else ""
    return f"（郵件 {mail}，{at:%Y-%m-%d %H:%M}{held}）"
