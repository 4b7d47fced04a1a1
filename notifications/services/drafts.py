"""Messages before they are inserted into the outbox, and the bounds of each."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts.models import User
from momo.core.errors import ValidationFailed
from notifications.channels.mail import is_address
from notifications.markup import is_blank, plain_text
from notifications.models import Chat, Subscription

MAX_KEY = 190  # characters; the parts and files of a long text append their number
MAX_SUBJECT = 500
MAX_BODY = 200 * 1024  # bytes of text
# Of HTML, for mail and Telegram: a template may render to 64 KB, and each & in it becomes five bytes.
MAX_HTML = 400 * 1024
MAX_RECIPIENTS = 50  # of one mail; servers take 100 (RFC 5321)
MAX_FILES = 10
MAX_NAME = 200  # characters of a file's name
MAX_TYPE = 100
MAX_FILES_BYTES = 10 * 1024 * 1024
_MIB = 1024 * 1024


@dataclass(frozen=True)
class File:
    """A file as a caller hands it over; `name` is what the recipient sees."""

    name: str
    content: bytes
    content_type: str

    @property
    def identity(self) -> tuple[str, str]:
        """What makes two files the same."""
        return hashlib.sha256(self.content).hexdigest(), self.name


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What mails and Telegram messages have in common. `due` is the earliest time to send; None is at once."""

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
    """One mail. `others` are further addresses beside `to`, `cc` those in copy; all get the same mail."""

    to: str
    subject: str
    text: str
    html: str = ""
    reply_to: str = ""
    others: Sequence[str] = ()
    cc: Sequence[str] = ()

    @property
    def recipients(self) -> Sequence[str]:
        """All addresses."""
        return (self.to, *self.others, *self.cc)


@dataclass(frozen=True, kw_only=True)
class ChatText(Draft):
    """One text, of any length, to one chat; `body` is Telegram's HTML.

    `is_answer`: somebody waits for it in the chat, so that it leaves before digests, and its files are pictures.
    `buttons` are rows of (text, data), below the last text; `edits` is Telegram's number of the message that it
    replaces, if it is one message without a picture; `topic` that of the group's topic. An answer's age counts from
    `asked_at`.
    """

    chat: Chat
    body: str
    is_answer: bool = False
    buttons: Sequence[Sequence[tuple[str, str]]] = ()
    edits: int | None = None
    topic: int | None = None
    asked_at: datetime | None = None


def check_draft(draft: Draft) -> None:
    """Raise ValidationFailed with every field that is beyond its bounds."""
    faults: dict[str, list[str]] = {}
    for name, fault in _faults(draft):
        faults.setdefault(name, []).append(fault)
    if faults:
        raise ValidationFailed(fields=faults)


def _faults(draft: Draft) -> Iterator[tuple[str, str]]:
    if not 0 < len(draft.key) <= MAX_KEY:
        yield "key", f"防重複代號要有 1 到 {MAX_KEY} 個字"
    texts = {"key": draft.key}
    match draft:
        case Mail():
            texts |= {"subject": draft.subject, "text": draft.text, "html": draft.html}
            yield from _mail_faults(draft)
        case ChatText():
            texts |= {"body": draft.body}
            # Telegram refuses a message without visible text.
            if is_blank(plain_text(draft.body)) and not draft.files:
                yield "body", "訊息沒有內容"
    for name, text in texts.items():
        if fault := _text_fault(text, MAX_HTML if name in ("html", "body") else MAX_BODY):
            yield name, fault
    for fault in _file_faults(draft.files):
        yield "files", fault


def _mail_faults(mail: Mail) -> Iterator[tuple[str, str]]:
    answers = [mail.reply_to] if mail.reply_to else []
    for name, addresses in {"to": [mail.to], "others": mail.others, "cc": mail.cc, "reply_to": answers}.items():
        if not all(map(is_address, addresses)):
            yield name, "請輸入有效的電子郵件地址"
    if len(mail.recipients) > MAX_RECIPIENTS:
        yield "cc", f"一封郵件最多 {MAX_RECIPIENTS} 個收件者，這一封有 {len(mail.recipients)} 個"
    if len({address.casefold() for address in mail.recipients}) < len(mail.recipients):
        yield "cc", "同一個地址在收件者與副本裡出現兩次"
    if len(mail.subject) > MAX_SUBJECT:
        yield "subject", f"主旨最多 {MAX_SUBJECT} 個字，這一個有 {len(mail.subject)} 個"
    elif mail.subject and mail.subject.splitlines() != [mail.subject]:
        yield "subject", "主旨不能換行"
    if not mail.text.strip() and not mail.html.strip():
        yield "text", "郵件沒有內容"


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


def _file_faults(files: Sequence[File]) -> Iterator[str]:
    if len(files) > MAX_FILES:
        yield f"最多 {MAX_FILES} 個附件，這一則有 {len(files)} 個"
    if (size := sum(len(file.content) for file in files)) > MAX_FILES_BYTES:
        yield f"附件合計最多 {MAX_FILES_BYTES // _MIB} MB，這一則有 {size / _MIB:,.1f} MB"
    for file in files:
        if not 0 < len(file.name) <= MAX_NAME or not file.name.isprintable() or {"/", "\\"} & set(file.name):
            yield f"附件的檔名要有 1 到 {MAX_NAME} 個字，不含控制字元與路徑：{file.name[:40]}"
        if not 0 < len(file.content_type) <= MAX_TYPE or not file.content_type.isascii() or not file.content:
            yield f"附件「{file.name[:40]}」是空的，或類型不正確"
