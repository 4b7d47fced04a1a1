"""Builds the MIME message of a mail. Pure: reads one OutboxMessage with its attachments, and talks to nobody.

Headers with words of people in them are encoded here (RFC 2047, RFC 2231) and stored as they are to be sent: the
standard library would take apart a subject that looks like an encoded word, line breaks in it included, and fold it
anew. Bodies are 7-bit, so that every server takes them; only an address with a local part beyond ASCII makes the
headers UTF-8 (`policy.utf8`), which needs a server with SMTPUTF8.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
import unicodedata
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import quote

import idna
from django.utils import timezone

from notifications.markup import clean_text, to_text
from notifications.models import Attachment, Format, OutboxMessage

LINE = 76  # characters of a line that holds an encoded word, RFC 2047
WORD = "=?utf-8?b?{}?="
SUBJECT_LIMIT = 500  # characters
NAME_LIMIT = 200  # characters of a display name or a file's name

_POLICY = policy.SMTP.clone(cte_type="7bit", refold_source="none")
_UTF8_POLICY = policy.SMTPUTF8.clone(cte_type="7bit", refold_source="none")

# RFC 5321 with RFC 6531: dotted atoms or a quoted string, then a name or an address in brackets.
_ATOM = r"[^\s()<>\[\]:;@\\,.\"\x00-\x20\x7f-\x9f\ud800-\udfff]+"
_ADDRESS = re.compile(
    rf"""(?P<local>{_ATOM}(?:\.{_ATOM})*|"(?:[ !#-\[\]-~]|\\[ -~])*")@(?P<domain>\[[0-9A-Za-z:.]+\]|[^\s@\[\]<>"]+)""",
    re.VERBOSE,
)
_NAMED = re.compile(r'(?P<name>"(?:[^"\\]|\\.)*"\s*|[^<>"]*)<(?P<mailbox>[^<>]+)>')
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_MESSAGE_ID = re.compile(r"<[!-;=?A-~]+@[!-;=?A-~]+>")
_CONTENT_TYPE = re.compile(r"([a-z0-9][a-z0-9!#$&^_.+-]{0,63})/([a-z0-9][a-z0-9!#$&^_.+-]{0,63})")

_PAGE = """<!DOCTYPE html>
<html lang="zh-Hant">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
</head>
<body style="margin:0;padding:0;background:#ffffff;color:#1f2328">
<div style="max-width:640px;margin:0 auto;padding:16px;font:16px/1.6 sans-serif;overflow-wrap:anywhere">
{body}
</div>
</body>
</html>
"""


class BadAddress(ValueError):
    """An address that no mail can be sent to or from; `str()` is fit for people."""


@dataclass(frozen=True)
class Address:
    """A mailbox as SMTP wants it: the domain in ASCII; `utf8` when its local part is not."""

    mailbox: str
    name: str = ""

    @property
    def utf8(self) -> bool:
        return not self.mailbox.isascii()


def read_address(text: str) -> Address:
    """Take `name <local@domain>` or `local@domain` apart. Raises BadAddress."""
    text = text.strip()
    named = _NAMED.fullmatch(text)
    match = _ADDRESS.fullmatch(named["mailbox"] if named else text)
    if match is None or _CONTROL.search(text) or "\n" in text:
        raise BadAddress(f"「{clean_line(text)[:100]}」不是正確的電子郵件地址")
    name = named["name"].strip() if named else ""
    if name.startswith('"'):
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    local, domain = match["local"], match["domain"]
    if not domain.startswith("["):
        try:
            # The rules of 2008 (those of the standard library turn faß.de into fass.de, which is somebody else's).
            domain = idna.encode(domain, uts46=True).decode("ascii")
        except UnicodeError as error:
            raise BadAddress(f"「{clean_line(text)[:100]}」的網域名稱不正確") from error
    if len(local.encode()) > 64 or len(domain) > 253:
        raise BadAddress(f"「{clean_line(text)[:100]}」太長，不是正確的電子郵件地址")
    return Address(f"{unicodedata.normalize('NFC', local)}@{domain}", clean_line(name)[:NAME_LIMIT])


def build_mail(message: OutboxMessage, *, sender: str, reply_to: str) -> EmailMessage:
    """The mail of one message: text, HTML beside it, files around both.

    `sender` and `reply_to` are `address` or `name <address>`; the message's own reply address wins. Raises BadAddress
    for any of them. The result's `policy.utf8` tells whether the server must know SMTPUTF8.
    """
    origin, recipient = read_address(sender), read_address(message.recipient)
    back = message.reply_to or reply_to
    answer = read_address(back) if back else None
    people = [one for one in (origin, recipient, answer) if one is not None]
    mail = EmailMessage(policy=_UTF8_POLICY if any(one.utf8 for one in people) else _POLICY)

    from_html = not message.body.strip() and message.body_html
    text = clean_text(to_text(message.body_html, Format.EMAIL_HTML) if from_html else message.body)
    subject = (clean_line(message.subject) or clean_line(text.strip().partition("\n")[0]))[:SUBJECT_LIMIT].strip()
    mail.set_raw("From", _mailbox("From", origin))
    mail.set_raw("To", _mailbox("To", recipient))
    mail.set_raw("Subject", _encoded("Subject", subject))
    mail.set_raw("Date", format_datetime(timezone.localtime()))
    mail.set_raw("Message-ID", message_id(message, origin))
    if answer is not None:
        mail.set_raw("Reply-To", _mailbox("Reply-To", answer))
    mail.set_raw("Auto-Submitted", "auto-generated")  # RFC 3834: no absence notes in return

    mail.set_content(text)
    if message.body_html:
        page = _PAGE.format(title=html.escape(subject), body=clean_text(message.body_html))
        mail.add_alternative(page, subtype="html")
    for attachment in message.attachments.all():
        _attach(mail, attachment)
    return mail


def message_id(message: OutboxMessage, origin: Address) -> str:
    """The Message-ID of every attempt: the message's own, else one that follows from its key."""
    given = message.message_id.strip()
    for form in (given, f"<{given}>"):
        if _MESSAGE_ID.fullmatch(form):
            return form
    digest = hashlib.sha256(message.key.encode(errors="replace")).hexdigest()[:32]
    return f"<{digest}@{origin.mailbox.rpartition('@')[2].strip('[]') or 'localhost'}>"


def clean_line(text: str) -> str:
    """As `clean_text`, on one line: every kind of break and space becomes one space."""
    return " ".join(clean_text(re.sub(r"[\x00-\x20\x7f-\xa0\u2028\u2029]+", " ", text)).split())


def _encoded(header: str, text: str) -> str:
    """The value of an unstructured header, folded; `text` is one clean line."""
    room = LINE - len(header) - len(": ")
    if text.isascii() and "=?" not in text and len(text) <= room:
        return text
    lines: list[bytes] = []
    line = b""
    for character in text:
        encoded = character.encode()
        # The first line has the header's name on it; three octets become four characters.
        limit = (room if not lines else LINE - 1) - len(WORD.format(""))
        if len(line) + len(encoded) > limit // 4 * 3:
            lines.append(line)
            line = b""
        line += encoded
    lines.append(line)
    return "\r\n ".join(WORD.format(base64.b64encode(one).decode()) for one in lines)


def _mailbox(header: str, address: Address) -> str:
    """The value of a header with one address, its name before it where there is one."""
    if not address.name:
        return address.mailbox
    if address.name.isascii() and "=?" not in address.name:
        name = '"' + re.sub(r'(["\\])', r"\\\1", address.name) + '"'
    else:
        name = _encoded(header, address.name)
    return f"{name}\r\n <{address.mailbox}>"


def _attach(mail: EmailMessage, attachment: Attachment) -> None:
    kind = _CONTENT_TYPE.match(attachment.content_type.strip().lower())
    main, sub = (kind[1], kind[2]) if kind else ("application", "octet-stream")
    if main in {"multipart", "message"}:
        # RFC 2045 forbids base64 in these, so a file that is one goes as what it is to us: octets.
        main, sub = "application", "octet-stream"
    mail.add_attachment(bytes(attachment.content), maintype=main, subtype=sub, cte="base64")
    part = list(mail.iter_attachments())[-1]
    del part["Content-Disposition"]
    part.set_raw("Content-Disposition", "attachment" + _file_name(attachment.name))


def safe_name(name: str) -> str:
    """A name for a file that every system can save, without what readers take for quotes around it."""
    return re.sub(r'[<>:"/\\|?*]', "_", clean_line(name))[:NAME_LIMIT].strip() or "file"


def _file_name(name: str) -> str:
    """The file's name as a parameter: quoted where it is short and plain, else in pieces, RFC 2231."""
    name = safe_name(name)
    if name.isascii() and len(name) <= 60:
        return f';\r\n filename="{name}"'
    pieces = [""]
    for character in name:
        escaped = quote(character, safe="")
        # A piece never ends inside a character: some readers decode each by itself.
        if len(pieces[-1]) + len(escaped) > 50:
            pieces.append("")
        pieces[-1] += escaped
    pieces[0] = f"UTF-8''{pieces[0]}"
    if len(pieces) == 1:
        return f";\r\n filename*={pieces[0]}"
    return "".join(f";\r\n filename*{index}*={piece}" for index, piece in enumerate(pieces))
