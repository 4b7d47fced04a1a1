"""The attachment of an answer: bounded, of few kinds, never shown, and for staff only."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import Role
from momo.core.errors import ValidationFailed
from tests.kit.users import person, session_client
from tests.kit.workbooks import xlsx
from tests.vendors.answering import Visitor, make_mail, path_of
from tests.vendors.makers import make_stockout, make_vendor
from vendors.models import Stockout, Submission
from vendors.services import answers as service
from vendors.services.attachments import read_attachment

pytestmark = pytest.mark.django_db

PDF = b"%PDF-1.7 ..."
OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 100


def packed(*names: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return made.getvalue()


@pytest.fixture
def line() -> Stockout:
    return make_stockout(make_vendor())


@pytest.fixture
def visitor(line: Stockout, settings: Any, tmp_path: Path) -> Visitor:
    settings.MEDIA_ROOT = tmp_path
    visitor = Visitor(make_mail(line.vendor, line))
    visitor.opens()
    return visitor


def files() -> list[Path]:
    return [path for path in Path(project.MEDIA_ROOT).rglob("*") if path.is_file()]


def given(content: bytes, name: str = "到貨.pdf") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type="text/html")


@pytest.mark.parametrize(
    ("content", "ending"),
    [
        (PDF, "pdf"),
        (b"\xff\xd8\xff\xe0", "jpg"),
        (b"\x89PNG\r\n\x1a\n", "png"),
        (b"RIFF\x01\x02\x03\x04WEBPVP8 ", "webp"),
        (b"\0\0\0\x18ftypheic\0\0", "heic"),
        (packed("[Content_Types].xml", "xl/workbook.xml"), "xlsx"),
        (packed("[Content_Types].xml", "word/document.xml"), "docx"),
        (OLD + "Workbook".encode("utf-16-le"), "xls"),
    ],
)
def test_the_content_says_the_kind(content: bytes, ending: str) -> None:
    assert read_attachment(given(content, "../../evil.html")).name == f"evil.{ending}"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html><script>alert(1)</script>",
        b"MZ\x90\x00",
        b"a,b\n1,2\n",
        packed("a.txt"),
        packed("[Content_Types].xml", "xl/workbook.xml", "xl/vbaProject.bin"),
        OLD,
        OLD + "Workbook".encode("utf-16-le") + "_VBA_PROJECT_CUR".encode("utf-16-le"),
    ],
)
def test_other_contents_are_refused_whatever_their_name(content: bytes) -> None:
    with pytest.raises(ValidationFailed, match="附件只收 PDF"):
        read_attachment(given(content))


def test_it_is_stored_under_a_name_of_ours_and_only_staff_gets_it(visitor: Visitor) -> None:
    assert visitor.done(attachment=given(PDF, "../到貨<b>.html")) == "sent"

    submission = Submission.objects.get()
    assert (submission.attachment_name, submission.attachment_size) == ("到貨<b>.pdf", len(PDF))
    assert [path.name for path in files()] == [f"{submission.token}.bin"]
    visitor.opens()
    assert "附件 到貨<b>.pdf" in visitor.text
    assert str(submission.token) not in visitor.answer.content.decode()
    url = reverse("admin:vendors_submission_file", args=[submission.pk])
    assert Client().get(url).status_code == 302
    sent = session_client(person("amy", Role.USER)).get(url)
    assert b"".join(sent) == PDF
    assert sent["Content-Type"] == "application/octet-stream"
    assert sent["Content-Disposition"].startswith("attachment; filename*=utf-8''")
    assert sent["X-Content-Type-Options"] == "nosniff"
    assert Client().get(f"/media/{submission.attachment.name}").status_code == 404


def test_a_workbook_as_openpyxl_writes_it(visitor: Visitor) -> None:
    assert visitor.done(attachment=given(xlsx([["品號", "到貨日"]]), "計畫.xlsx")) == "sent"


def test_a_draft_keeps_its_file_and_sending_takes_it_over(visitor: Visitor) -> None:
    visitor.done("draft", attachment=given(PDF))
    visitor.opens()
    assert "草稿已附 到貨.pdf" in visitor.text

    assert visitor.done() == "sent"
    assert [one.attachment_name for one in Submission.objects.all()] == ["到貨.pdf"] * 2
    assert len(files()) == 1


def test_the_same_file_again_is_no_new_submission(visitor: Visitor) -> None:
    visitor.done(attachment=given(PDF))
    visitor.opens()
    assert visitor.done(attachment=given(PDF)) == "unchanged"
    visitor.opens()
    assert visitor.done(attachment=given(PDF + b"2")) == "sent"
    assert len(files()) == 2


def test_a_file_that_is_too_large_is_refused_and_the_form_stays(
    visitor: Visitor, line: Stockout, settings: Any
) -> None:
    settings.VENDOR_ATTACHMENT_BYTES = 1024
    visitor.says(line, "substitute", substitute="留著")

    assert visitor.sends(attachment=given(PDF + b"x" * 1024)).status_code == 413
    assert "附件超過" in visitor.text
    assert "留著" in visitor.answer.content.decode()
    assert (files(), Submission.objects.count()) == ([], 0)


def test_a_body_that_is_too_large_is_not_read(line: Stockout, settings: Any) -> None:
    settings.VENDOR_ATTACHMENT_BYTES, settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1024, 1024

    class Unread(io.BytesIO):
        def read(self, *args: Any) -> bytes:
            raise AssertionError

    path = path_of(make_mail(line.vendor, line))
    answer = Client().generic(
        "POST", path, "", "multipart/form-data; boundary=x", CONTENT_LENGTH="2049", **{"wsgi.input": Unread()}
    )
    assert answer.status_code == 413
    assert "送出的內容太大" in answer.content.decode()


@pytest.mark.parametrize("what", ["fields", "text", "broken"])
def test_too_many_fields_too_long_texts_and_broken_forms(what: str, visitor: Visitor, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS, settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 20, 5_000
    if what == "broken":
        answer = visitor.client.post(visitor.path, b"--x\r\nCont", content_type="multipart/form-data")
    else:
        more = {f"f{number}": "x" for number in range(30)} if what == "fields" else {"remark": "x" * 6_000}
        answer = visitor.sends(**more)

    assert answer.status_code == (400 if what == "broken" else 413)
    assert "沒有儲存" in answer.content.decode()
    assert not Submission.objects.exists()


def test_a_failure_leaves_no_file(visitor: Visitor, line: Stockout, monkeypatch: Any) -> None:
    def fail(*args: Any) -> None:
        raise ValidationFailed("壞了")

    monkeypatch.setattr(service, "_notify", fail)

    assert visitor.sends(attachment=given(PDF)).status_code == 400
    assert (files(), Submission.objects.count()) == ([], 0)
