"""Builds the mail of one OutboxMessage with its attachments, on Django's EmailMultiAlternatives. Sends nothing.

Headers with text in them are encoded here (RFC 2047) and stored as they are to be sent: Django leaves a subject alone
that looks like an encoded word, turns the domain faß.de into fass.de, which is another one, and encodes a local part
beyond ASCII, which no server takes for an address. Bodies are base64, so that every server takes them; only an address
with a local part beyond ASCII makes the headers UTF-8, which needs a server with SMTPUTF8.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email import policy
from email.charset import BASE64, Charset
from email.header import Header
from email.message import Message
from email.mime.image import MIMEImage
from email.utils import format_datetime, quote
from functools import lru_cache

import idna
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.core.validators import validate_email
from django.utils import timezone

from momo.core.texts import clean_text, one_line
from notifications.channels.mail_page import mail_page
from notifications.markup import to_text
from notifications.models import Attachment, Format, OutboxMessage

LINE = 76  # characters of a line that holds an encoded word, RFC 2047
SUBJECT_LIMIT = 500  # characters
ADDRESS_LIMIT = 254  # characters
NAME_LIMIT = 200  # characters of a display name
FILE_NAME_LIMIT = 255  # octets of a file's name, as file systems have it; a header's line has room for 300

_UTF8 = Charset("utf-8")
_UTF8.body_encoding = BASE64
_POLICY = policy.SMTP.clone(refold_source="none")
_UTF8_POLICY = policy.SMTPUTF8.clone(refold_source="none")

# RFC 5321 with RFC 6531: dotted atoms or a quoted string, then a name or an address in brackets.
_ATOM = r"[^\s()<>\[\]:;@\\,.\"\x00-\x20\x7f-\x9f\ud800-\udfff]+"
_ADDRESS = re.compile(
    rf"""(?P<local>{_ATOM}(?:\.{_ATOM})*|"(?:[ !#-\[\]-~]|\\[ -~])*")@(?P<domain>\[[0-9A-Za-z:.]+\]|[^\s@\[\]<>"]+)""",
    re.VERBOSE,
)
_NAMED = re.compile(r'(?P<name>"(?:[^"\\]|\\.)*"\s*|[^<>"]*)<(?P<mailbox>[^<>]+)>')
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_MESSAGE_ID = re.compile(r"<[!-;=?A-~]+@[!-;=?A-~]+>")
_CONTENT_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}")


class BadAddress(ValueError):
    """An address that no mail can be sent to or from; `str()` is fit for people."""


@dataclass(frozen=True)
class Address:
    """A mailbox as SMTP wants it: the domain in ASCII."""

    mailbox: str
    name: str = ""


@dataclass(frozen=True)
class MimeMail:
    """A mail as it is handed over; `utf8` when one of its addresses needs a server with SMTPUTF8."""

    sender: str
    recipients: Mapping[str, str]  # as SMTP wants each, to the address as it was given
    message_id: str
    content: bytes
    utf8: bool


def read_address(text: str) -> Address:
    """Take `name <local@domain>` or `local@domain` apart. Raises BadAddress."""
    text = text.strip()
    named = _NAMED.fullmatch(text)
    match = _ADDRESS.fullmatch(named["mailbox"] if named else text)
    if match is None or _CONTROL.search(text) or "\n" in text:
        raise BadAddress(f"「{one_line(text)[:100]}」不是正確的電子郵件地址")
    name = named["name"].strip() if named else ""
    if name.startswith('"'):
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    local, domain = match["local"], match["domain"]
    if not domain.startswith("["):
        try:
            domain = idna.encode(domain, uts46=True).decode("ascii")  # the rules of 2008
        except UnicodeError as error:
            raise BadAddress(f"「{one_line(text)[:100]}」的網域名稱不正確") from error
    if len(local.encode()) > 64 or len(domain) > 253:
        raise BadAddress(f"「{one_line(text)[:100]}」太長，不是正確的電子郵件地址")
    return Address(f"{unicodedata.normalize('NFC', local)}@{domain}", one_line(name)[:NAME_LIMIT])


@lru_cache(maxsize=4096)  # a mail is checked where it is made and where it is enqueued
def is_address(text: str) -> bool:
    """Whether `text` is one bare address, of at most 254 characters; its local part may be of any script."""
    try:
        local, _, domain = read_address(text).mailbox.rpartition("@")
        validate_email(f"{local if local.isascii() else 'local'}@{domain}")
    except (BadAddress, ValidationError):
        return False
    return len(text) <= ADDRESS_LIMIT and not re.search(r"[\s<>]", text)


def build_mail(message: OutboxMessage, *, sender: str, reply_to: str) -> MimeMail:
    """The mail of one message: text, HTML beside it, files around both.

    `sender` and `reply_to` are `address` or `name <address>`; the message's own reply address wins. Raises BadAddress
    for any of them.
    """
    answer = message.reply_to or reply_to
    lists = {"From": [sender], "To": [message.recipient, *message.others], "Cc": message.cc}
    addresses = {
        header: [read_address(text) for text in texts]
        for header, texts in (lists | {"Reply-To": [answer] if answer else []}).items()
        if texts
    }
    (origin,) = addresses["From"]
    from_html = not message.body.strip() and message.body_html
    text = clean_text(to_text(message.body_html, Format.EMAIL_HTML) if from_html else message.body)
    subject = (one_line(message.subject) or one_line(text.strip().partition("\n")[0]))[:SUBJECT_LIMIT].strip()

    mail = EmailMultiAlternatives(body=_lines(text))
    mail.encoding = _UTF8
    if message.body_html:
        page = mail_page(
            message.body_html, subject=subject, text=text, event=message.event, subscription=message.subscription
        )
        mail.attach_alternative(_lines(page), "text/html")
    for attachment in message.attachments.all():
        if _content_type(attachment).startswith("image/") and f'"cid:{attachment.name}"' in message.body_html:
            mail.attach(_picture(attachment))
        else:
            mail.attach(safe_name(attachment.name), bytes(attachment.content), _content_type(attachment))

    mime = mail.message()
    number = message_id(message, origin)
    headers = {header: _mailboxes(header, found) for header, found in addresses.items()} | {
        "Subject": _encoded("Subject", subject),
        "Date": format_datetime(timezone.localtime(message.sent_at)),
        "Message-ID": number,
        "Auto-Submitted": "auto-generated",  # RFC 3834: no absence notes in return
    }
    for header, value in headers.items():
        del mime[header]
        Message.__setitem__(mime, header, value)  # past Django's own encoding
    utf8 = not all(address.mailbox.isascii() for found in addresses.values() for address in found)
    content = Message.as_bytes(mime, policy=_UTF8_POLICY if utf8 else _POLICY)
    given = dict.fromkeys([message.recipient, *message.others, *message.cc])
    return MimeMail(origin.mailbox, {read_address(text).mailbox: text for text in given}, number, content, utf8)


def message_id(message: OutboxMessage, origin: Address) -> str:
    """The Message-ID of every attempt: the message's own, else one that follows from its key."""
    given = message.message_id.strip()
    for form in (given, f"<{given}>"):
        if _MESSAGE_ID.fullmatch(form):
            return form
    digest = hashlib.sha256(message.key.encode(errors="replace")).hexdigest()[:32]
    return f"<{digest}@{origin.mailbox.rpartition('@')[2].strip('[]') or 'localhost'}>"


def safe_name(name: str) -> str:
    """A name for a file that every system can save; cut in its middle, so that its suffix stays."""
    name = re.sub(r'[<>:"/\\|?*]', "_", one_line(name)) or "file"
    if len(name.encode()) > FILE_NAME_LIMIT:
        tail = name[-16:]
        name = name.encode()[: FILE_NAME_LIMIT - len(tail.encode())].decode(errors="ignore") + tail
    return name


def _lines(text: str) -> str:
    """Text as a mail holds it: each line ends with CRLF."""
    return text.removesuffix("\n").replace("\n", "\r\n") + "\r\n"


def _encoded(header: str, text: str) -> str:
    """The value of an unstructured header, folded; `text` is one clean line."""
    if text.isascii() and "=?" not in text and len(text) <= LINE - len(f"{header}: "):
        return text
    return Header(text, _UTF8, maxlinelen=LINE - 1, header_name=header).encode(linesep="\r\n")


def _mailboxes(header: str, addresses: Sequence[Address]) -> str:
    """The value of a header with addresses, each on a line of its own."""
    return ",\r\n ".join(_mailbox(header, address) for address in addresses)


def _mailbox(header: str, address: Address) -> str:
    """The value of a header with one address, its name before it where there is one."""
    if not address.name:
        return address.mailbox
    plain = address.name.isascii() and "=?" not in address.name
    name = f'"{quote(address.name)}"' if plain else _encoded(header, address.name)
    return f"{name}\r\n <{address.mailbox}>"


def _picture(attachment: Attachment) -> MIMEImage:
    """A picture that the HTML shows as `cid:NAME`."""
    image = MIMEImage(bytes(attachment.content), _subtype=_content_type(attachment).partition("/")[2])
    image.add_header("Content-ID", f"<{attachment.name}>")
    image.add_header("Content-Disposition", "inline", filename=attachment.name)
    return image


def _content_type(attachment: Attachment) -> str:
    kind = _CONTENT_TYPE.match(attachment.content_type.strip().lower())
    # Messages must not be base64 (RFC 2045), so a file that is one goes as what it is to us: octets.
    return kind[0] if kind and not kind[0].startswith(("multipart/", "message/")) else "application/octet-stream"
