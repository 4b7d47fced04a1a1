"""Mails kept as files where there is no server."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from momo.rest.errors import NotFound
from notifications.channels import files
from notifications.channels.base import Verdict
from notifications.channels.email import EmailSender
from notifications.channels.files import KeptFile, kept_mail, kept_mails
from notifications.models import OutboxMessage
from tests.notifications.mails import SENDER, attachment, mail_message

KEPT = "2026-11-25/1-0123456789abcdef.eml"
# 2026-11-25 in Taipei, still the 24th in London.
LATE = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.EMAIL_URL = ""
    settings.EMAIL_FROM = SENDER
    settings.EMAIL_FILES_DIR = tmp_path / "mail"
    return tmp_path / "mail"


def kept(message: OutboxMessage) -> str:
    sender = EmailSender()
    assert sender.open() is None
    outcome = sender.send(message)
    sender.close()
    assert outcome.verdict is Verdict.SENT
    assert outcome.message_id == message.message_id
    name = outcome.reason.rpartition(" ")[2]
    assert name in outcome.reason
    return name


def test_kept_and_shown() -> None:
    content = "品號\n".encode()
    message = mail_message(
        pk=7,
        created_at=LATE,
        subject="價格異動",
        body="文字\n.\n",
        body_html='<p onclick="x()">漲<script>alert(1)</script><img src="//a/x"><a href="javascript:x">a</a></p>',
        files=[attachment("報表.csv", content, "text/csv"), attachment("b.xlsx", b"PK")],
    )
    name = kept(message)
    assert name.startswith("2026-11-25/7-")
    (listed,) = kept_mails()
    assert (listed.name, listed.to, listed.subject) == (name, "wang@example.com", "價格異動")
    assert (listed.text, listed.html, listed.raw) == ("", "", b"")
    mail = kept_mail(name)
    assert mail.time == listed.time
    assert mail.size == listed.size == len(mail.raw)
    assert mail.text.replace("\r\n", "\n") == "文字\n.\n"
    assert "<p>漲<a" in mail.html
    assert not any(word in mail.html for word in ("script", "alert", "onclick", "img", "<title", "價格異動", "style"))
    assert mail.attachments == (
        KeptFile("報表.csv", "text/csv", len(content)),
        KeptFile("b.xlsx", "application/octet-stream", 2),
    )


def test_the_same_message_again_takes_the_same_place(folder: Path) -> None:
    first = kept(mail_message(pk=7, created_at=LATE, body="一"))
    again = kept(mail_message(pk=7, created_at=LATE, body="二"))
    assert first == again
    assert len(kept_mails()) == 1
    assert kept_mail(first).text.strip() == "二"
    # A database made anew counts from 1 again.
    assert kept(mail_message(pk=7, created_at=LATE, key="another")) != first
    assert len(list(folder.rglob("*"))) == 3, "the day, two mails, and nothing left over"


def test_newest_first_and_bounded(folder: Path) -> None:
    names = [kept(mail_message(pk=number, created_at=LATE, key=str(number))) for number in range(1, 6)]
    for age, name in enumerate(names):
        os.utime(folder / name, (1_000_000 - age, 1_000_000 - age))
    assert [mail.name for mail in kept_mails()] == names
    assert [mail.name for mail in kept_mails(2)] == names[:2]


def test_nothing_kept_yet() -> None:
    assert kept_mails() == []


def test_other_files_are_not_ours(folder: Path) -> None:
    kept(mail_message(pk=1, created_at=LATE))
    (folder / "2026-11-25" / "notes.eml").write_text("x")
    (folder / "2026-11-25" / ".secret.tmp").write_text("x")
    (folder / "other").mkdir()
    (folder / "other" / "1-0123456789abcdef.eml").write_text("x")
    assert len(kept_mails()) == 1


@pytest.mark.parametrize(
    "name",
    [
        *("", "x", "../settings.py", "/etc/passwd", "2026-11-25/../../etc/passwd", "2026-11-25"),
        *(KEPT, f"{KEPT}\n", f"{KEPT}\0", f"./{KEPT}", KEPT.upper(), KEPT.replace("/", "\\"), f"２{KEPT[1:]}"),
    ],
)
def test_name_that_none_of_ours_has(name: str) -> None:
    with pytest.raises(NotFound):
        kept_mail(name)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary(max_size=300))
@example(raw=b"Content-Type: multipart/mixed; boundary=x\n\n--x\n")
@example(raw=b"Content-Type: text/plain; charset=nonsense\nContent-Transfer-Encoding: base64\n\naGVsbG8=")
@example(raw=b"To: =?x?=\nSubject: =?utf-8?b?//8=?=\nDate: never\n")
def test_damaged_file_is_shown_as_far_as_it_goes(folder: Path, raw: bytes) -> None:
    path = folder / KEPT
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)
    (listed,) = kept_mails()
    assert listed.size == len(raw)
    assert kept_mail(KEPT).raw == raw


def test_folder_that_cannot_be_written(folder: Path) -> None:
    folder.write_text("in the way")
    outcome = EmailSender().send(mail_message(created_at=LATE))
    assert (outcome.verdict, outcome.everybody) == (Verdict.RETRY, True)
    assert "存成檔案" in outcome.reason


def test_disk_that_is_full_leaves_nothing_half_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    outcome = EmailSender().send(mail_message(created_at=LATE))
    assert outcome.verdict is Verdict.RETRY
    assert "No space left" in outcome.reason
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_wrong_recipient_is_kept_nowhere(folder: Path) -> None:
    assert EmailSender().send(mail_message(recipient="nobody")).verdict is Verdict.FAILED
    assert not folder.exists()


def test_our_own_address_that_is_none_is_everybodys(settings: Any, folder: Path) -> None:
    settings.EMAIL_FROM = "nobody"
    outcome = EmailSender().send(mail_message())
    assert (outcome.verdict, outcome.everybody) == (Verdict.RETRY, True)
    assert "EMAIL_FROM" in outcome.reason
    assert not folder.exists()
