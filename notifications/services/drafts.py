"""Messages before they are written, and what one may hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from accounts.models import User
from momo.rest.errors import ValidationFailed
from notifications.markup import is_blank, plain_text
from notifications.models import Chat, Subscription
from notifications.services.attachments import MAX_NAME, MAX_TYPE, File, size_of

MAX_KEY = 190  # parts and files of a long text add their number to it
MAX_SUBJECT = 500
MAX_BODY = 200 * 1024  # bytes of text
# Of HTML, mail's and Telegram's: a template may give 64 KB, and each & of it is five bytes there.
MAX_HTML = 400 * 1024
MAX_FILES = 10
MAX_FILES_BYTES = 10 * 1024 * 1024
_MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What mails and Telegram messages have in common. `due`: not before; None is at once."""

    key: str
    event: str
    files: Sequence[File] = ()
    due: datetime | None = None
    template_code: str = ""
    template_version: int | None = None
    subscription: Subscription | None = None
    user: User | None = None


@dataclass(frozen=True, kw_only=True)
class Mail(Draft):
    """One mail to one address."""

    to: str
    subject: str
    text: str
    html: str = ""
    reply_to: str = ""


@dataclass(frozen=True, kw_only=True)
class ChatText(Draft):
    """One text, of any length, to one chat; `body` is Telegram's HTML."""

    chat: Chat
    body: str


def check_draft(draft: Draft) -> None:
    """Raises ValidationFailed naming all that is beyond the bounds."""
    faults: dict[str, list[str]] = {}
    texts = {"key": draft.key}
    if not draft.key or len(draft.key) > MAX_KEY:
        faults["key"] = [f"唯一鍵要有 1 到 {MAX_KEY} 個字"]
    match draft:
        case Mail():
            texts |= {"subject": draft.subject, "text": draft.text, "html": draft.html}
            faults |= _mail_faults(draft)
        case ChatText():
            texts |= {"body": draft.body}
            # What shows nothing is no message to Telegram.
            if is_blank(plain_text(draft.body)) and not draft.files:
                faults["body"] = ["訊息沒有內容"]
    for name, text in texts.items():
        if fault := _text_fault(text, MAX_HTML if name in ("html", "body") else MAX_BODY):
            faults.setdefault(name, []).append(fault)
    if wrong := _file_faults(draft.files):
        faults["files"] = wrong
    if faults:
        raise ValidationFailed(fields=faults)


def _mail_faults(mail: Mail) -> Mapping[str, list[str]]:
    faults = {}
    for name, address in (("to", mail.to), ("reply_to", mail.reply_to)):
        if (name == "to" or address) and not _is_address(address):
            faults[name] = ["請輸入有效的電子郵件地址"]
    if len(mail.subject) > MAX_SUBJECT:
        faults["subject"] = [f"主旨最多 {MAX_SUBJECT} 個字，這一個有 {len(mail.subject)} 個"]
    elif mail.subject and mail.subject.splitlines() != [mail.subject]:
        faults["subject"] = ["主旨不能換行"]
    if not mail.text.strip() and not mail.html.strip():
        faults["text"] = ["郵件沒有內容"]
    return faults


def _is_address(address: str) -> bool:
    try:
        validate_email(address)
    except ValidationError:
        return False
    return len(address) <= 254


def _text_fault(text: str, limit: int) -> str:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return "含有不完整的字元，無法寄送"
    if "\0" in text:
        return "含有無法儲存的控制字元"
    if size > limit:
        return f"內容最多 {limit // 1024} KB，這一則有 {size / 1024:,.0f} KB"
    return ""


def _file_faults(files: Sequence[File]) -> list[str]:
    faults = []
    if len(files) > MAX_FILES:
        faults.append(f"最多 {MAX_FILES} 個附件，這一則有 {len(files)} 個")
    if (size := size_of(files)) > MAX_FILES_BYTES:
        faults.append(f"附件合計最多 {MAX_FILES_BYTES // _MIB} MB，這一則有 {size / _MIB:,.1f} MB")
    for file in files:
        if not 0 < len(file.name) <= MAX_NAME or not file.name.isprintable():
            faults.append(f"附件的檔名要有 1 到 {MAX_NAME} 個字，且不含控制字元")
        elif "/" in file.name or "\\" in file.name:
            faults.append(f"附件的檔名不能有路徑：{file.name}")
        if not 0 < len(file.content_type) <= MAX_TYPE or not file.content_type.isascii():
            faults.append(f"附件「{file.name[:40]}」的類型不正確")
        if not file.content:
            faults.append(f"附件「{file.name[:40]}」是空的")
    return faults
