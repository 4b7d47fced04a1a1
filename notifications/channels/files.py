"""Mails kept as files, where no server takes them: what a developer sees instead of a mailbox.

A mail's name follows from its message alone, so the same message kept again takes the same place.
"""

from __future__ import annotations

import hashlib
import heapq
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesHeaderParser, BytesParser
from pathlib import Path

import nh3
from django.conf import settings
from django.utils import timezone

from momo.rest.errors import NotFound
from notifications.models import OutboxMessage

_NAME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}/[0-9]{1,19}-[0-9a-f]{16}\.eml")
_HEADERS_LIMIT = 64 * 1024  # octets read of a mail for a list

# What a frame may show: no picture or style that somebody else's server would be asked for.
_TAGS = nh3.ALLOWED_TAGS - {"img"}


@dataclass(frozen=True)
class KeptFile:
    """A file attached to a kept mail; `size` in octets."""

    name: str
    content_type: str
    size: int


@dataclass(frozen=True)
class KeptMail:
    """A mail that was kept. What it holds (from `text` on) is empty in lists.

    `time` is when it was kept, `size` in octets. `html` is cleaned, still for a frame with `sandbox` only.
    """

    name: str
    time: datetime
    to: str
    subject: str
    size: int
    text: str = ""
    html: str = ""
    attachments: tuple[KeptFile, ...] = ()
    raw: bytes = b""


def keep(message: OutboxMessage, mail: EmailMessage) -> str:
    """Write a mail below EMAIL_FILES_DIR, whole or not at all, and return its name. Raises OSError."""
    digest = hashlib.sha256(message.key.encode(errors="replace")).hexdigest()[:16]
    day = timezone.localtime(message.created_at).date()
    name = f"{day}/{message.pk}-{digest}.eml"
    path = settings.EMAIL_FILES_DIR / name
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(mail.as_bytes())
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    _sync(path.parent)
    return name


def kept_mails(limit: int = 200) -> list[KeptMail]:
    """The newest `limit` mails that were kept, the newest first."""
    newest = heapq.nlargest(limit, _all(), key=lambda found: (found[1].st_mtime_ns, found[0]))
    mails = []
    for name, _ in newest:
        with suppress(OSError):  # gone meanwhile
            mails.append(_listed(name))
    return mails


def kept_mail(name: str) -> KeptMail:
    """One of them with all that it holds. Raises NotFound, also for a name that none of ours has."""
    if not _NAME.fullmatch(name):
        raise NotFound("沒有這封郵件")
    path = settings.EMAIL_FILES_DIR / name
    try:
        raw = path.read_bytes()
        status = path.stat()
    except OSError as error:
        raise NotFound("沒有這封郵件") from error
    mail = BytesParser(policy=policy.SMTPUTF8).parsebytes(raw)
    assert isinstance(mail, EmailMessage)
    return KeptMail(
        name=name,
        time=datetime.fromtimestamp(status.st_mtime, UTC),
        to=str(mail.get("To", "")),
        subject=str(mail.get("Subject", "")),
        size=len(raw),
        text=_content(mail, "plain"),
        html=nh3.clean(
            _content(mail, "html"),
            tags=_TAGS,
            clean_content_tags={"script", "style", "title"},
            url_schemes={"http", "https", "mailto"},
            link_rel="noopener noreferrer",
        ),
        attachments=tuple(_file(part) for part in mail.iter_attachments()),
        raw=raw,
    )


def _all() -> Iterator[tuple[str, os.stat_result]]:
    folder: Path = settings.EMAIL_FILES_DIR
    for path in folder.glob("*/*.eml"):
        name = f"{path.parent.name}/{path.name}"
        if _NAME.fullmatch(name):
            with suppress(OSError):
                yield name, path.stat()


def _listed(name: str) -> KeptMail:
    with open(settings.EMAIL_FILES_DIR / name, "rb") as file:
        status = os.fstat(file.fileno())
        head = BytesHeaderParser(policy=policy.SMTPUTF8).parsebytes(file.read(_HEADERS_LIMIT))
    return KeptMail(
        name=name,
        time=datetime.fromtimestamp(status.st_mtime, UTC),
        to=str(head.get("To", "")),
        subject=str(head.get("Subject", "")),
        size=status.st_size,
    )


def _content(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    if part is None:
        return ""
    try:
        return str(part.get_content())
    except (LookupError, ValueError):  # no character set that we know
        content = part.get_payload(decode=True)
        return content.decode("utf-8", "replace") if isinstance(content, bytes) else ""


def _file(part: EmailMessage) -> KeptFile:
    content = part.get_payload(decode=True)
    size = len(content) if isinstance(content, bytes) else 0
    return KeptFile(part.get_filename() or "file", part.get_content_type(), size)


def _sync(folder: Path) -> None:
    """Let the new name survive a loss of power too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
