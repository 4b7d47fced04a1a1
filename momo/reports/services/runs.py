"""Sends reports: each run makes the report once, and writes its messages in the transaction that ends it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from momo.core.errors import ServiceError, ValidationFailed
from momo.core.work import Heartbeat, run_work, sweep
from momo.reports.models import Report, ReportRun
from momo.reports.selectors import recipients
from momo.reports.services.files import EVENT, Forms, forms_of
from momo.reports.services.schedule import create_due, release_waiting
from notifications.channels.mail import is_address
from notifications.events import ALERT_EVENT
from notifications.markup import to_text
from notifications.models import Format
from notifications.services.drafts import MAX_KEY, ChatText, File, Mail
from notifications.services.notify import notify
from notifications.services.outbox import enqueue, enqueue_many

PREVIEW_MARK = "［預覽］"
Status = ReportRun.Status


def run_report(run_id: int) -> ReportRun | None:
    """Make and send one run of a report. Returns it as it ended; None as `run_work`."""
    return run_work(ReportRun.objects.select_related("report"), run_id, attempt=_attempt, end=_give_up)


def advance_reports() -> None:
    """Every minute: create what is due, start what waits no longer, continue what a dead worker left."""
    now = timezone.now()
    create_due(now=now)
    release_waiting(now=now)
    sweep(ReportRun.objects.select_related("report"), end=_give_up)


def send_to(report: Report, *, day: dt.date, user: User) -> str:
    """Send the report of `day`, marked as a preview, to one user. Returns the address; raises ValidationFailed."""
    if not is_address(user.email):
        raise ValidationFailed("您的帳號沒有電子郵件，請管理員在「使用者」補上")
    forms = forms_of(report, day=day)
    mail = _mail(forms, user.email, key=f"{EVENT}:{report.pk}:{uuid.uuid4()}", mark=PREVIEW_MARK, user=user)
    enqueue(mail)
    return user.email


def _attempt(run: ReportRun) -> None:
    with Heartbeat(run, seconds=settings.SYSTEM_HEARTBEAT_TIMEOUT / 4):
        try:
            forms = forms_of(run.report, day=run.day)
            to = recipients(run.report)
            drafts: list[Mail | ChatText] = [_mail(forms, one, key=_key(run, one)) for one in to.addresses]
            drafts += [
                ChatText(chat=chat, key=_key(run, chat.chat_id), event=EVENT, body=forms.message, files=forms.files)
                for chat in to.chats
            ]
        except ServiceError as refusal:
            return _end(run, Status.FAILED, str(refusal))
    with transaction.atomic():
        written = [messages for messages in enqueue_many(drafts) if messages]
        run.finish(
            status=Status.DONE,
            message=_outcome(len(written), to.without_address),
            missing=list(forms.edition.missing),
            messages=len(written),
            finished_at=timezone.now(),
        )
    return None


def _key(run: ReportRun, recipient: str) -> str:
    return f"{EVENT}:{run.pk}:{recipient}"[:MAX_KEY]


def _mail(forms: Forms, to: str, *, key: str, mark: str = "", **values: Any) -> Mail:
    files: list[File] = [*forms.inline, *forms.files]
    text = to_text(forms.message, Format.TELEGRAM)
    return Mail(
        to=to, subject=f"{mark}{forms.subject}", text=text, html=forms.mail, key=key, event=EVENT, files=files, **values
    )


def _outcome(messages: int, without_address: Sequence[User]) -> str:
    sent = f"{messages} 則訊息排入寄送" if messages else "沒有收件者，沒有寄出"
    names = "、".join(map(str, without_address))
    return f"{sent}；這些使用者沒有電子郵件：{names}" if names else sent


def _give_up(run: ReportRun, attempts: int) -> None:
    _end(run, Status.FAILED, f"試了 {attempts} 次都沒有完成：{run.message}".removesuffix("："))


@transaction.atomic
def _end(run: ReportRun, status: Status, message: str) -> None:
    variables = {"title": f"報表「{run.report.name}」沒有寄出", "message": message, "severity": "warning"}
    notify(ALERT_EVENT, key=f"{EVENT}:{run.pk}", variables=variables)
    run.finish(status=status, message=message, finished_at=timezone.now())
