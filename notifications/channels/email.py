"""The e-mail channel: mails over SMTP, one connection a process."""

from __future__ import annotations

import logging
import smtplib
import socket
import ssl
import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseError

from notifications.channels.base import ChannelSender, Outcome, Verdict
from notifications.channels.mail import BadAddress, MimeMail, build_mail, read_address
from notifications.channels.mail_server import MailServer, Security, read_email_url, tls_context
from notifications.channels.smtp import Broken, MailConnection, Reply, readable
from notifications.models import OutboxMessage

logger = logging.getLogger("momo.notifications.email")

MAILS_A_CONNECTION = 100
# Attempts in which a mail waits for a recipient that the server refuses for now; then the others get it.
WHOLE_ATTEMPTS = 4
CLAIM_SHARE = 0.8  # of OUTBOX_CLAIM_TIMEOUT, that handing over one mail may take
IDLE_SECONDS = 60.0  # servers close a connection that is idle for some minutes
SLOW = 600.0  # seconds that a slow refusal deserves
# Refusals that last: box full, storage, too many recipients, rate (RFC 3463). The others are quick, such as greylisting
# and restarts, for which the back-off is right.
_SLOW_CODES = frozenset({"4.2.2", "4.3.1", "4.5.3", "4.7.28"})
# About our login, whatever the message: no such code is ever about a recipient.
_OUR_LOGIN = frozenset({530, 534, 535, 538})
# What MAIL FROM refuses because of this message: its size, its UTF-8.
_THIS_MESSAGE = frozenset({"5.2.3", "5.3.4", "5.6.7"})
_TROUBLES: dict[type[Exception], str] = {
    socket.gaierror: "找不到這個主機",
    ConnectionRefusedError: "對方拒絕連線",
    TimeoutError: "對方沒有在時限內回應",
    ConnectionError: "連線被切斷",
}


class Step(StrEnum):
    """The step of handing a mail over that a reply is about; the value is the text that people read."""

    MAIL = "郵件伺服器不接受寄件地址"
    RCPT = "郵件伺服器不接受收件者"
    DATA = "郵件伺服器不接受郵件"
    CONTENT = "郵件伺服器不接受郵件內容"


def judge(step: Step, reply: Reply) -> Outcome:
    """The outcome of a refusal (4xx or 5xx) at one step: permanent ones fail the message (RFC 5321)."""
    reason = f"{step}：{reply.line}"
    if reply.code < 500:
        is_slow = reply.code == 452 or reply.enhanced in _SLOW_CODES
        return Outcome(Verdict.RETRY, reason, wait=SLOW if is_slow else None)
    # The sender's address is always our own, so what refuses it refuses us, if it is not about the message's size.
    ours = step is Step.MAIL and reply.code != 552 and reply.enhanced not in _THIS_MESSAGE
    if ours or reply.code in _OUR_LOGIN:
        return Outcome(Verdict.RETRY, reason, wait=SLOW, of_channel=True)
    return Outcome(Verdict.FAILED, reason)


def check_addresses() -> None:
    """Raises ImproperlyConfigured when EMAIL_FROM or EMAIL_REPLY_TO is no address."""
    for setting in ("EMAIL_FROM", "EMAIL_REPLY_TO"):
        address = getattr(settings, setting)
        try:
            if address or setting == "EMAIL_FROM":
                read_address(address)
        except BadAddress as error:
            raise ImproperlyConfigured(f"{setting} 不正確：{error}") from error


def mail_server() -> MailServer | None:
    """The server of EMAIL_URL, None where there is none. Raises ImproperlyConfigured."""
    if not settings.EMAIL_URL:
        return None
    return read_email_url(settings.EMAIL_URL, timeout=settings.EMAIL_TIMEOUT)


def mail_of(message: OutboxMessage) -> MimeMail:
    """The mail of a message, from the addresses that are configured. Raises BadAddress."""
    return build_mail(message, sender=settings.EMAIL_FROM, reply_to=settings.EMAIL_REPLY_TO)


class EmailSender(ChannelSender):
    """Sends through the server of EMAIL_URL; see `ChannelSender`."""

    def __init__(self) -> None:
        self._connection: MailConnection | None = None
        self._mails = 0
        self._last = 0.0
        self._ready = False

    def open(self) -> Outcome | None:
        """Connect and log in, or make sure that the connection still stands."""
        try:
            server = mail_server()
            if server is None:
                return replace(_unready("沒有設定郵件伺服器（EMAIL_URL）"), no_server=True)
            check_addresses()
            trouble = self._connect(server)
        except ImproperlyConfigured as error:
            return _unready(str(error))
        self._ready = trouble is None
        return trouble

    def send(self, message: OutboxMessage) -> Outcome:
        """Hand one mail over."""
        if not self._ready and (trouble := self.open()) is not None:
            return trouble
        self._ready = False  # whatever comes, the connection is checked before the next mail
        connection = self._connection
        assert connection is not None
        try:
            mail = mail_of(message)
        except BadAddress as error:
            return Outcome(Verdict.FAILED, str(error))
        except DatabaseError:
            logger.exception("could not read the attachments of message %s", message.pk)
            return Outcome(Verdict.RETRY, "暫時無法從資料庫讀取附件", of_channel=True)
        if mail.utf8 and not connection.has_extn("smtputf8"):
            return Outcome(Verdict.FAILED, "地址的 @ 之前有英文以外的字，郵件伺服器不支援這種地址（SMTPUTF8）")
        outcome = self._hand_over(connection, mail, message.attempts)
        return replace(outcome, reason=_clean(outcome.reason, connection.server))

    def close(self) -> None:
        """Close the connection, if there is one."""
        connection, self._connection, self._ready = self._connection, None, False
        if connection is not None:
            connection.finish()

    # --- Connection -------------------------------------------------------------------------------------------------

    def _connect(self, server: MailServer) -> Outcome | None:
        if self._connection is not None and not self._still_stands(self._connection, server):
            self.close()
        if self._connection is not None:
            return None
        context = None if server.security is Security.NONE else tls_context(settings.EMAIL_CA_FILE)
        try:
            self._connection = MailConnection(server, hello=_hello(), context=context)
        except smtplib.SMTPNotSupportedError as error:
            why = "郵件伺服器不提供 STARTTLS" if str(error).isascii() else str(error)
            return _unready(f"{server.name}：{why}")
        except smtplib.SMTPResponseException as error:
            reply = _reply(error.smtp_code, error.smtp_error)
            reason = f"{server.name}：郵件伺服器不接受連線或登入：{reply.line}"
            # A refusal that a person has to look at is slow; a server that is only busy replies with 4xx.
            return _unready(_clean(reason, server), SLOW if reply.code >= 500 else judge(Step.MAIL, reply).wait)
        except (OSError, ValueError) as error:
            return _unready(_clean(f"無法連線到郵件伺服器 {server.name}：{_trouble(error)}", server), None)
        self._mails = 0
        return None

    def _still_stands(self, connection: MailConnection, server: MailServer) -> bool:
        if (
            connection.server != server
            or self._mails >= MAILS_A_CONNECTION
            or time.monotonic() - self._last > IDLE_SECONDS
        ):
            return False
        try:
            return connection.stands()
        except OSError:
            connection.close()  # nothing of a mail was handed over: a new connection is all that it takes
            return False

    # --- One mail ---------------------------------------------------------------------------------------------------

    def _hand_over(self, connection: MailConnection, mail: MimeMail, attempts: int) -> Outcome:
        self._mails, self._last = self._mails + 1, time.monotonic()
        within = CLAIM_SHARE * settings.OUTBOX_CLAIM_TIMEOUT
        try:
            refused = connection.hand_over(
                sender=mail.sender,
                recipients=list(mail.recipients),
                content=mail.content,
                utf8=mail.utf8,
                whole=attempts < WHOLE_ATTEMPTS,
                within=within,
            )
            return _accepted(mail, connection.reply, refused)
        except smtplib.SMTPRecipientsRefused as refusal:
            replies = {recipient: _reply(*given) for recipient, given in refusal.recipients.items()}
            if all(reply.code >= 400 for reply in replies.values()):
                return _refused(mail, replies)
            step, reply = Step.RCPT, next(reply for reply in replies.values() if reply.code < 400)
        except smtplib.SMTPSenderRefused as refusal:
            step, reply = Step.MAIL, _reply(refusal.smtp_code, refusal.smtp_error)
        except smtplib.SMTPResponseException as refusal:
            step = Step.CONTENT if connection.dot_sent else Step.DATA
            reply = _reply(refusal.smtp_code, refusal.smtp_error)
        except (OSError, ValueError) as error:
            return self._broken(connection, error)
        if reply.code >= 400:
            return judge(step, reply)
        # Neither yes nor no: the state of the session is unknown.
        self._drop()
        verdict = Verdict.UNKNOWN if step is Step.CONTENT else Verdict.RETRY
        return Outcome(verdict, f"{connection.server.name} 的回答不合規定：{reply.line}")

    def _broken(self, connection: MailConnection, error: Exception) -> Outcome:
        self._drop()
        name, reply = connection.server.name, error.reply if isinstance(error, Broken) else None
        if connection.dot_sent:
            return Outcome(Verdict.UNKNOWN, f"郵件已交給 {name}，但不知道它有沒有收下：{_trouble(error)}")
        if connection.content_begun and reply is not None and reply.code >= 400:
            # The server gave up in the middle of the mail and sent the reason before.
            return judge(Step.CONTENT, reply)
        return Outcome(Verdict.RETRY, f"與 {name} 的連線中斷，郵件還沒有交出：{_trouble(error)}")

    def _drop(self) -> None:
        """Close without QUIT: in the middle of a session that went wrong, the server understands no command."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _unready(reason: str, wait: float | None = SLOW) -> Outcome:
    return Outcome(Verdict.RETRY, reason, wait=wait, of_channel=True)


def _accepted(mail: MimeMail, reply: Reply, refused: Mapping[str, Reply]) -> Outcome:
    """The outcome of a mail that the server accepted, for all recipients but `refused`."""
    without = "".join(f"；{mail.recipients[recipient]} 沒有收下：{why.line}" for recipient, why in refused.items())
    return Outcome(
        Verdict.SENT,
        f"{reply.line}{without}",
        message_id=mail.message_id,
        refused={mail.recipients[recipient]: why.line for recipient, why in refused.items() if why.code >= 500},
    )


def _refused(mail: MimeMail, replies: Mapping[str, Reply]) -> Outcome:
    """The outcome of a mail of which no recipient was taken: another attempt if one may be later."""
    outcomes = {recipient: judge(Step.RCPT, reply) for recipient, reply in replies.items()}
    again = [outcome for outcome in outcomes.values() if outcome.verdict is Verdict.RETRY]
    refused = {
        mail.recipients[recipient]: replies[recipient].line
        for recipient, outcome in outcomes.items()
        if outcome.verdict is Verdict.FAILED
    }
    if again:
        return replace(again[0], refused=refused)
    reason = "；".join(dict.fromkeys(outcome.reason for outcome in outcomes.values()))
    return Outcome(Verdict.FAILED, reason, refused=refused)


def _reply(code: int, text: bytes | str) -> Reply:
    return Reply(code, text if isinstance(text, bytes) else text.encode())


def _hello() -> str:
    """The name that we give ourselves; one without a dot is refused by many servers."""
    host = urlsplit(settings.PUBLIC_URL).hostname or ""
    return host if host.isascii() and "." in host else "[127.0.0.1]"


def _clean(reason: str, server: MailServer) -> str:
    """`reason` without the password: a server may repeat what it was sent."""
    if server.password:
        blob = f"\0{server.user}\0{server.password}"
        # The longest first: with a part of it replaced, the whole would no longer be found.
        for secret in (*(b64encode(text.encode()).decode() for text in (blob, server.password)), server.password):
            reason = reason.replace(secret, "***")
    return reason


def _trouble(error: Exception) -> str:
    """What went wrong with a connection, for people."""
    if isinstance(error, ssl.SSLError):
        return f"TLS 失敗或憑證無法驗證（{getattr(error, 'verify_message', '') or error.reason or error}）"
    for kind, text in _TROUBLES.items():
        if isinstance(error, kind):
            return text
    return readable(str(error).encode(errors="replace"))
