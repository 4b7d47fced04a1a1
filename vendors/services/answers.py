"""Stores what a vendor submits under the link of a mail: each form once, over no answer that its sender did not see."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from uuid import UUID

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from momo.core.errors import Conflict, ValidationFailed
from notifications.services.notify import notify, subscriptions_of
from vendors.events import REPLIED
from vendors.models import Stockout, Submission, SubmittedLine, Vendor, VendorMail
from vendors.selectors.answers import Answer, Row, folded, latest_entries, reply_variables, rows_of
from vendors.services.attachments import Attachment

FOREIGN = "表單裡有不屬於這封信的商品，什麼都沒有儲存；請重新整理頁面後再試一次"
NOTHING = "請至少回覆一項商品、填寫備註，或附上檔案"


class Outcome(Enum):
    """What became of a form."""

    SENT = "sent"
    DRAFT = "draft"
    CONFLICT = "conflict"  # kept as a draft, until somebody chooses
    UNCHANGED = "unchanged"  # came before, or says nothing new


@dataclass(frozen=True, kw_only=True)
class Form:
    """A form as it was sent. `seen` is the newest submission that it showed, 0 for none; `token` makes it one form.

    `picked` are the rows whose sender chose between two answers.
    """

    token: UUID
    seen: int
    draft: bool
    answers: Mapping[int, Answer]  # by the ids of rows
    picked: Collection[int] = frozenset()
    person: str = ""
    remark: str = ""
    attachment: Attachment | None = None
    address: str | None = None
    user_agent: str = ""


@dataclass
class _Merge:
    """What of a form is new: entries to store, and the rows that somebody else changed meanwhile to something else."""

    entries: dict[int, Answer] = field(default_factory=dict)
    conflicts: list[int] = field(default_factory=list)


def closed_because(mail: VendorMail) -> str:
    """Why `mail`, with its vendor, takes no answers although its link is valid; empty if it does."""
    vendor = mail.vendor.merged_into or mail.vendor
    if not vendor.is_active:
        return "貴公司的缺貨通知已停用，不需要回覆這些商品"
    return "" if mail.mail_lines.exists() else "這封信的商品已經撤回，不需要回覆"


def is_expired(mail: VendorMail) -> bool:
    """Whether the link of `mail` has expired."""
    return mail.link_expires_at <= timezone.now()


def submit(*, mail: VendorMail, form: Form) -> tuple[Submission, Outcome]:
    """Store a form as a draft, or as an answer that updates the rows and notifies, in one transaction.

    A row that the form changed, and somebody else changed to something else since the form was made, makes the whole
    form a draft (CONFLICT): the page shows both until somebody chooses. The same form again changes nothing. Raises
    ValidationFailed, Conflict; then nothing is stored.
    """
    written: list[Submission] = []
    try:
        with transaction.atomic():
            return _submit(mail, form, written)
    except BaseException:
        for submission in written:
            submission.attachment.delete(save=False)
        raise


def _submit(mail: VendorMail, form: Form, written: list[Submission]) -> tuple[Submission, Outcome]:
    # All submissions of a vendor come one after the other, see `selectors.answers`; rows of merged vendors are shared.
    both = [mail.vendor_id, mail.vendor.merged_into_id or mail.vendor_id]
    vendors = Vendor.objects.filter(pk__in=both).order_by("pk").select_for_update(no_key=True)
    mail.vendor = {vendor.pk: vendor for vendor in vendors}[mail.vendor_id]
    kept = VendorMail.objects.select_for_update(no_key=True).get(pk=mail.pk)
    if reason := closed_because(mail) or ("連結已過期" if is_expired(kept) else ""):
        raise Conflict(reason)
    if known := Submission.objects.filter(token=form.token).first():
        if known.mail_id != mail.pk:
            raise ValidationFailed("表單不正確，請重新整理頁面後再試一次")
        return known, Outcome.UNCHANGED
    rows = rows_of(mail, form.answers)
    if len(rows) != len(form.answers):
        raise ValidationFailed(FOREIGN)
    merged, last = _merge(mail, form, rows), mail.submissions.order_by("-number").first()
    if not merged.entries and not _brings_more(form, last):
        if last is None:
            raise ValidationFailed(NOTHING)
        return last, Outcome.UNCHANGED
    draft, now = form.draft or bool(merged.conflicts), timezone.now()
    submission = _submission(kept, form, draft=draft, last=last, now=now)
    if form.attachment:
        submission.attachment.save("", ContentFile(form.attachment.content), save=False)
        written.append(submission)
    submission.save()
    lines = {row.line.pk: row.line for row in rows}
    entries = SubmittedLine.objects.bulk_create(
        SubmittedLine(submission=submission, line=lines[pk], **answer._asdict())
        for pk, answer in merged.entries.items()
    )
    kept.version = submission.number
    if not draft:
        kept.answered_at = kept.answered_at or now
        _answer_rows({pk: answer for pk, answer in merged.entries.items() if answer.answer}, lines, now)
        submission.mail = mail  # with its vendor
        _notify(submission, entries)
    kept.save(update_fields=["version", "answered_at"])
    return submission, Outcome.CONFLICT if merged.conflicts else Outcome.DRAFT if draft else Outcome.SENT


def _merge(mail: VendorMail, form: Form, rows: Sequence[Row]) -> _Merge:
    """Compare each row of the form with what the form was made from (`base`) and with what is there by now (`theirs`).

    An answer also takes up what others left as drafts, if the form showed it.
    """
    moved = [row.line.pk for row in rows if row.entry and row.entry.submission_id > form.seen]
    then = latest_entries(mail, moved, until=form.seen) if moved else {}
    merged = _Merge()
    for row in rows:
        pk, theirs, mine = row.line.pk, row.shown, form.answers[row.line.pk]
        base = theirs if pk not in moved else Answer.of(then[pk][0]) if pk in then else Answer()
        if mine == base and theirs != base:
            continue
        if not mine.answer and row.in_force.answer:
            raise ValidationFailed(f"品號 {row.line.product_code} 已經回覆過，可以修改，不能改回尚未回覆")
        if row.other and pk not in moved and pk not in form.picked and not form.draft:
            raise ValidationFailed(f"品號 {row.line.product_code} 有兩份不同的內容，請選擇要採用哪一份")
        if theirs not in (base, mine):
            merged.conflicts.append(pk)
        elif mine == theirs and pk not in form.picked and (form.draft or mine == row.in_force):
            continue
        merged.entries[pk] = mine
    return merged


def _brings_more(form: Form, last: Submission | None) -> bool:
    """Whether a form brings a remark or a file that the last submission of its kind has not."""
    if last is None or last.is_draft != form.draft:
        carried = last is not None and last.is_draft and bool(last.attachment)
        return bool(form.remark or form.attachment or carried)
    new_remark = form.remark not in ("", last.remark)
    return new_remark or (form.attachment is not None and not _same_file(last, form.attachment))


def _same_file(last: Submission, given: Attachment) -> bool:
    if not last.attachment or last.attachment_size != len(given.content):
        return False
    with last.attachment.open("rb") as kept:
        return bool(kept.read() == given.content)


def _submission(mail: VendorMail, form: Form, *, draft: bool, last: Submission | None, now: datetime) -> Submission:
    """The submission, not saved. An answer takes over the file of the draft before it, unless it brings its own."""
    based_on = mail.submissions.filter(pk__lte=form.seen).order_by("-number").values_list("number", flat=True).first()
    made = Submission(
        mail=mail,
        number=mail.version + 1,
        based_on=based_on or 0,
        token=form.token,
        is_draft=draft,
        person=form.person,
        remark=form.remark,
        address=form.address,
        user_agent=form.user_agent[:300],
        created_at=now,
    )
    if form.attachment:
        made.attachment_name, made.attachment_size = form.attachment.name, len(form.attachment.content)
    elif last and last.is_draft and last.attachment:
        made.attachment, made.attachment_name = last.attachment.name, last.attachment_name
        made.attachment_size = last.attachment_size
    return made


def _answer_rows(answers: Mapping[int, Answer], lines: Mapping[int, Stockout], now: datetime) -> None:
    """Write answers into their rows and those of the same vendor and product; resolved ones stay resolved."""
    by_root = {lines[pk].duplicate_of_id or pk: answer for pk, answer in answers.items()}
    group = Stockout.objects.filter(Q(pk__in=by_root) | Q(duplicate_of__in=by_root))
    changed = list(group.select_for_update(no_key=True).order_by("pk"))
    for line in changed:
        answer = answers.get(line.pk) or by_root[line.duplicate_of_id or line.pk]
        for name, value in answer._asdict().items():
            setattr(line, name, value)
        line.answered_at = line.answered_at or now
        if line.status != Stockout.Status.RESOLVED:
            line.status = Stockout.Status.REPLIED
    Stockout.objects.bulk_update(changed, [*Answer._fields, "answered_at", "status"])


def _notify(submission: Submission, entries: Sequence[SubmittedLine]) -> None:
    """Notify each subscription once, with the rows of its PMs; of a remark alone those whose PMs have rows here."""
    groups: dict[frozenset[str], set[int]] = defaultdict(set)
    for subscription in subscriptions_of(REPLIED):
        given = subscription.filters.get("pms") if isinstance(subscription.filters, dict) else None
        wanted = frozenset(folded(one) for one in given if isinstance(one, str)) if isinstance(given, list) else None
        groups[wanted or frozenset()].add(subscription.pk)
    everyone = set() if entries else {folded(pm) for pm in submission.mail.lines.values_list("pm", flat=True)}
    for pms, members in groups.items():
        own = [entry for entry in entries if not pms or folded(entry.line.pm) in pms]
        if own or (not entries and (not pms or pms & everyone)):
            notify(
                REPLIED,
                key=f"vendor-answer:{submission.pk}",
                variables=reply_variables(submission, own),
                only=lambda subscription, members=members: subscription.pk in members,  # type: ignore[misc]
            )
