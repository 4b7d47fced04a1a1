"""What the answer page shows: the rows of a mail, what was said about each, and the submissions so far.

Ids of submissions are a clock: `submit` locks the vendor, so that a submission that ends later has a higher id than
all that can be seen before. A form carries the newest id that it shows (`seen`).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Count, F, Q, Window
from django.db.models.functions import RowNumber

from vendors.models import AnswerKind, MailLine, Stockout, Submission, SubmittedLine, VendorMail

# Rows of one form: each has up to six fields, and DATA_UPLOAD_MAX_NUMBER_FIELDS is 5,000.
PAGE_ROWS = 500
HISTORY_SHOWN = 50
ITEMS_NOTIFIED = 100


class Answer(NamedTuple):
    """What is said about one row; an empty `answer` is nothing yet. Its fields are columns of rows and of entries."""

    answer: str = ""
    restock_date: date | None = None
    restock_quantity: int | None = None  # pieces
    substitute: str = ""

    @classmethod
    def of(cls, row: Stockout | SubmittedLine) -> Answer:
        return cls(row.answer, row.restock_date, row.restock_quantity, row.substitute)

    def __str__(self) -> str:
        label = str(AnswerKind(self.answer).label) if self.answer else "尚未回覆"
        amount = f"{self.restock_quantity:,} 件" if self.restock_quantity else ""
        said = [str(self.restock_date or ""), amount, self.substitute]
        return " ".join([label, "，".join(filter(None, said))]).strip()


@dataclass(frozen=True)
class Row:
    """A row with its newest entry, and the entry of somebody else that must be chosen from first, if there is one."""

    line: Stockout
    entry: SubmittedLine | None = None
    other: SubmittedLine | None = None

    @property
    def in_force(self) -> Answer:
        return Answer.of(self.line)

    @property
    def shown(self) -> Answer:
        """What the form shows: a draft that is newer than what is in force, else what is in force."""
        draft = self.entry if self.entry and self.entry.submission.is_draft else None
        return Answer.of(draft) if draft and (draft.answer or not self.line.answer) else self.in_force


@dataclass(frozen=True)
class AnswerPage:
    """One page of a mail's rows; `history` begins with the newest submission."""

    rows: Sequence[Row]
    count: int  # of all rows
    number: int  # of this page, from 1
    history: Sequence[Submission]

    @property
    def pages(self) -> int:
        return max(1, -(-self.count // PAGE_ROWS))

    @property
    def seen(self) -> int:
        shown = [row.entry.submission_id for row in self.rows if row.entry]
        return max([*shown, *(submission.pk for submission in self.history[:1])], default=0)

    @property
    def draft(self) -> Submission | None:
        """The newest submission if it is a draft: whoever opens the page continues it."""
        return self.history[0] if self.history and self.history[0].is_draft else None


def answer_page(mail: VendorMail, *, page: int = 1) -> AnswerPage:
    """Return a page of the rows of `mail`, the last one if there are fewer. Four queries."""
    count = MailLine.objects.filter(mail=mail).count()
    number = min(max(page, 1), max(1, -(-count // PAGE_ROWS)))
    first = (number - 1) * PAGE_ROWS
    chosen = MailLine.objects.filter(mail=mail).select_related("line").order_by("pk")[first : first + PAGE_ROWS]
    rows = rows_with_entries(mail, [entry.line for entry in chosen])
    return AnswerPage(rows, count, number, submissions_of(mail))


def rows_of(mail: VendorMail, ids: Iterable[int]) -> list[Row]:
    """Return the rows of `mail` with these ids; others are left out."""
    return rows_with_entries(mail, list(Stockout.objects.filter(mail_lines__mail=mail, pk__in=ids).order_by("pk")))


def rows_with_entries(mail: VendorMail, lines: Sequence[Stockout]) -> list[Row]:
    """Join rows with what was said about them. One query."""
    latest = latest_entries(mail, [line.pk for line in lines], each=2)
    return [_row(line, *latest.get(line.pk, ())) for line in lines]


def _row(line: Stockout, entry: SubmittedLine | None = None, before: SubmittedLine | None = None) -> Row:
    """`before` waits for a choice if the draft `entry` was made without seeing it and says something else."""
    if entry is None or before is None or not entry.submission.is_draft or Answer.of(entry) == Answer.of(before):
        return Row(line, entry)
    own = before.submission.mail_id == entry.submission.mail_id
    unseen = before.submission.number > entry.submission.based_on if own else True
    return Row(line, entry, before if unseen else None)


def latest_entries(
    mail: VendorMail, ids: Sequence[int], *, each: int = 1, until: int | None = None
) -> Mapping[int, list[SubmittedLine]]:
    """Return the newest entries about each row, of submissions up to the id `until`, the newest first.

    A row may be in several mails of its vendor: answers under all of their links count, drafts only under this one.
    """
    entries = SubmittedLine.objects.filter(line__in=ids).filter(
        Q(submission__mail=mail) | Q(submission__is_draft=False)
    )
    if until is not None:
        entries = entries.filter(submission__lte=until)
    place = Window(RowNumber(), partition_by="line_id", order_by=F("submission_id").desc())
    found: dict[int, list[SubmittedLine]] = {}
    ranked = entries.annotate(place=place).filter(place__lte=each).select_related("submission")
    for entry in ranked.order_by("line_id", "-submission_id"):
        found.setdefault(entry.line_id, []).append(entry)
    return found


def submissions_of(mail: VendorMail) -> list[Submission]:
    """Return the last submissions of a mail, the newest first, each with `rows`: how many it is about."""
    return list(mail.submissions.annotate(rows=Count("entries")).order_by("-number")[:HISTORY_SHOWN])


def entries_of(submission: Submission) -> list[tuple[SubmittedLine, Answer]]:
    """Return what a submission says, each entry with what was said before under any link. Two queries."""
    entries = list(submission.entries.select_related("line").order_by("pk"))
    ids, until = [entry.line_id for entry in entries], submission.pk - 1
    before = latest_entries(submission.mail, ids, until=until)
    return [(entry, Answer.of(before[entry.line_id][0]) if entry.line_id in before else Answer()) for entry in entries]


# --- Notifications --------------------------------------------------------------------------------------------------


def folded(text: str) -> str:
    """Names for comparisons: full-width and half-width, upper and lower case are equal."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def reply_variables(submission: Submission, entries: Sequence[SubmittedLine]) -> dict[str, Any]:
    """Return the variables of the template `vendor_replied`; `entries` with their rows."""
    vendor, kinds = submission.mail.vendor, [entry.answer for entry in entries]
    return {
        "vendor_name": vendor.name,
        "vendor_code": vendor.code,
        "person": submission.person,
        "remark": submission.remark,
        "attachment": submission.attachment_name,
        "time": submission.created_at.isoformat(),
        "item_count": len(entries),
        "restock_count": kinds.count(AnswerKind.RESTOCK),
        "substitute_count": kinds.count(AnswerKind.SUBSTITUTE),
        "discontinued_count": kinds.count(AnswerKind.DISCONTINUED),
        "items": [
            {
                "code": entry.line.product_code,
                "name": entry.line.product_name,
                "pm": entry.line.pm,
                "answer": entry.get_answer_display(),
                "restock_date": entry.restock_date,
                "restock_quantity": entry.restock_quantity,
                "substitute": entry.substitute,
                "said": str(Answer.of(entry)),
            }
            for entry in entries[:ITEMS_NOTIFIED]
        ],
        "more": max(0, len(entries) - ITEMS_NOTIFIED),
        "url": f"{settings.PUBLIC_URL}/admin/vendors/submission/{submission.pk}/change/",
    }


def recent_replies(limit: int) -> Sequence[Mapping[str, Any]]:
    """Return the variables of the last `limit` answers, the newest first, for previews of the template."""
    found = Submission.objects.filter(is_draft=False).select_related("mail__vendor")
    submissions = list(found.prefetch_related("entries__line").order_by("-pk")[:limit])
    return [
        {"label": f"{one.mail.vendor} #{one.pk}", "variables": reply_variables(one, list(one.entries.all()))}
        for one in submissions
    ]
