"""Mails to vendors and what was answered go after their time, once nothing is open any more."""

from __future__ import annotations

import datetime as dt
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone

from tests.vendors.answering import make_mail
from tests.vendors.makers import make_stockout, make_vendor
from vendors.models import MailLine, Stockout, Submission, SubmittedLine, VendorMail, VendorSending
from vendors.retention import expired

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def answer(mail: VendorMail, line: Stockout, number: int = 1, **values: Any) -> Submission:
    made = Submission(mail=mail, number=number, based_on=0, token=uuid.uuid4(), attachment_name="單.pdf", **values)
    if not made.attachment:
        made.attachment.save("x", ContentFile(b"%PDF-"), save=False)
        made.attachment_size = 5
    made.save()
    SubmittedLine.objects.create(submission=made, line=line, answer="discontinued")
    return made


def counts(**ahead: int) -> dict[str, int]:
    some = expired(now=timezone.now() + dt.timedelta(**ahead))
    return {name: one.count() for name, one in some.items() if one.count()}


def deleted(**ahead: int) -> list[int]:
    return [one.delete()[0] for one in expired(now=timezone.now() + dt.timedelta(**ahead)).values()]


def test_what_is_over_goes_and_what_is_open_stays(django_capture_on_commit_callbacks: Any, tmp_path: Path) -> None:
    vendor = make_vendor()
    done, still, waits = (make_stockout(vendor) for _ in range(3))
    over, kept = make_mail(vendor, done), make_mail(vendor, done, still)
    held = make_mail(vendor, done, status="held")
    VendorSending.objects.update(finished_at=timezone.now())
    Stockout.objects.filter(pk=done.pk).update(status="resolved", mail=over)
    for mail in (over, kept):
        answer(mail, done)
    assert counts(days=364) == {}
    assert counts(days=366) == {"廠商回覆的附件": 1}
    assert counts(days=738) == {"廠商郵件": 1, "廠商回覆的附件": 1}

    with django_capture_on_commit_callbacks(execute=True):
        assert deleted(days=738)[:3] == [0, 1, 1]
        assert deleted(days=738)[:3] == [1, 0, 0]
    assert set(VendorMail.objects.all()) == set(VendorMail.objects.filter(pk__in=[kept.pk, held.pk]))
    assert (Submission.objects.get().mail, VendorSending.objects.count(), MailLine.objects.count()) == (kept, 2, 3)
    done.refresh_from_db()
    assert (done.mail, waits.status) == (None, "pending")
    assert [path.name for path in tmp_path.rglob("*.bin")] == [
        Path(Submission.objects.get().attachment.name or "").name
    ]


def test_a_file_goes_with_its_last_answer_and_the_answers_stay(tmp_path: Path) -> None:
    vendor = make_vendor()
    line = make_stockout(vendor, status="resolved")
    mail = make_mail(vendor, line)
    draft = answer(mail, line, is_draft=True, created_at=timezone.now() - dt.timedelta(days=100))
    answer(mail, line, 2, attachment=draft.attachment.name, attachment_size=5)
    assert counts(days=300) == {}
    files = expired(now=timezone.now() + dt.timedelta(days=366))["廠商回覆的附件"]
    assert (files.count(), files.size()) == (1, 5)
    assert files.delete()[0] == 1
    assert list(tmp_path.rglob("*.bin")) == []
    assert set(Submission.objects.values_list("attachment", "attachment_name")) == {("", "單.pdf")}


def test_files_of_no_answer(tmp_path: Path) -> None:
    vendor = make_vendor()
    line = make_stockout(vendor)
    kept = answer(make_mail(vendor, line), line)
    stray = tmp_path / Path(kept.attachment.name or "").parent / "x.bin"
    stray.write_bytes(b"x")
    assert counts(hours=23) == {}
    assert counts(hours=25) == {"沒有紀錄的附件": 1}
    assert deleted(hours=25) == [0, 0, 0, 1]
    assert Path(kept.attachment.path).exists()
    assert not stray.exists()
