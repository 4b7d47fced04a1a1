"""The file that comes with an answer: its kind is read from its content, its name is only shown."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from momo.core.errors import PayloadTooLarge, ValidationFailed
from momo.core.texts import one_line

KINDS = "PDF、JPG、PNG、WEBP、HEIC、Excel（xlsx、xls）或 Word（docx）"
STEM = 100  # characters
_HEIC = (b"heic", b"heix", b"mif1", b"msf1")
_MACROS = (b"vbaProject.bin", "_VBA_PROJECT".encode("utf-16-le"))


@dataclass(frozen=True)
class Attachment:
    """A file that may be stored; the ending of `name` is that of its content."""

    name: str
    content: bytes


def read_attachment(file: UploadedFile[bytes]) -> Attachment:
    """Raises PayloadTooLarge, and ValidationFailed for kinds that are not accepted."""
    limit = settings.VENDOR_ATTACHMENT_BYTES
    if (file.size or 0) > limit:
        raise PayloadTooLarge(f"附件超過 {limit / 1024 / 1024:g} MB")
    content = file.read()
    ending = _ending(content)
    if not ending:
        raise ValidationFailed(fields={"attachment": [f"附件只收 {KINDS}，檔案不可含巨集"]})
    stem = one_line(PurePath(file.name or "").stem).replace("/", "").replace("\\", "")[:STEM]
    return Attachment(f"{stem or '附件'}.{ending}", content)


def _ending(content: bytes) -> str:
    """The file name's ending that the content deserves; empty for contents that are not accepted.

    The directories of Office files hold the names of their parts uncompressed.
    """
    for magic, ending in ((b"%PDF-", "pdf"), (b"\xff\xd8\xff", "jpg"), (b"\x89PNG\r\n\x1a\n", "png")):
        if content.startswith(magic):
            return ending
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "webp"
    if content[4:8] == b"ftyp" and content[8:12] in _HEIC:
        return "heic"
    if any(part in content for part in _MACROS):
        return ""
    if content.startswith(b"PK\x03\x04") and b"[Content_Types].xml" in content:
        return "xlsx" if b"xl/workbook" in content else "docx" if b"word/document" in content else ""
    old_workbook = content.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") and "Workbook".encode("utf-16-le") in content
    return "xls" if old_workbook else ""
