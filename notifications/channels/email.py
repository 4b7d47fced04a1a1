"""E-mail over SMTP, or into files where a developer has no server."""

from __future__ import annotations

import logging
import socket
import ssl
import time
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseError

from notifications.channels.base import ChannelSender, Outcome, Verdict
from notifications.channels.files import keep
from notifications.channels.mail import BadAddress, build_mail, read_address
from notifications.channels.mail_server import MailServer, Security, read_email_url, tls_context
from notifications.channels.smtp_replies import SLOW, Reply, Step, clean_words, judge
from notifications.channels.smtp_talk import Broken, Refused, Talk, as_sent
from notifications.models import OutboxMessage

logger = logging.getLogger("momo.notifications.email")

MAILS_A_CONNECTION = 100
CLAIM_SHARE = 0.8  # of the time after which a sender counts as dead, that writing one mail may take
IDLE_SECONDS = 60.0  # servers close a connection that says nothing for some minutes


def check_addresses() -> None:
    """Raises ImproperlyConfigured when our own addresses are none."""
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


class EmailSender(ChannelSender):
    """Sends through the server of EMAIL_URL; see `ChannelSender`.

    On smtplib rather than a package: one connection a process, used by one thread, needs no more than it brings.
    """

    def __init__(self) -> None:
        self._talk: Talk | None = None
        self._mails = 0
        self._last = 0.0
        self._ready = False

    def open(self) -> Outcome | None:
        """Connect and log in, or make sure that the connection still stands."""
        try:
            check_addresses()
            server = mail_server()
        except ImproperlyConfigured as error:
            return _unready(str(error))
        if server is None and not settings.LOCAL:
            return _unready("還沒有設定 EMAIL_URL，郵件留在寄件匣等待")
        trouble = self._connect(server) if server is not None else None
        self._ready = trouble is None
        return trouble

    def send(self, message: OutboxMessage) -> Outcome:
        """Hand one mail over, or keep it as a file."""
        if not self._ready and (trouble := self.open()) is not None:
            return trouble
        self._ready = False  # whatever comes, the next mail asks first whether the connection stands
        try:
            mail = build_mail(message, sender=settings.EMAIL_FROM, reply_to=settings.EMAIL_REPLY_TO)
        except BadAddress as error:
            return Outcome(Verdict.FAILED, str(error))
        except DatabaseError:
            logger.exception("could not read the attachments of message %s", message.pk)
            return Outcome(Verdict.RETRY, "暫時無法從資料庫讀取附件", everybody=True)
        return _kept(message, mail) if self._talk is None else self._hand_over(self._talk, message, mail)

    def close(self) -> None:
        """Say goodbye, if there is somebody to say it to."""
        talk, self._talk, self._ready = self._talk, None, False
        if talk is not None:
            talk.finish()

    # --- Connection -------------------------------------------------------------------------------------------------

    def _connect(self, server: MailServer) -> Outcome | None:
        if self._talk is not None and not self._still_stands(self._talk, server):
            self.close()
        if self._talk is not None:
            return None
        talk = Talk(server, hello=_hello())
        try:
            talk.start(None if server.security is Security.NONE else tls_context(settings.EMAIL_CA_FILE))
        except ImproperlyConfigured as error:
            return _unready(str(error))
        except (OSError, ValueError) as error:
            talk.close()
            if isinstance(error, Refused):
                return _unready(_clean(f"{server.name}：{error}", server), _wait_of(error.reply))
            return _unready(_clean(f"無法連線到郵件伺服器 {server.name}：{_trouble(error)}", server), None)
        self._talk, self._mails = talk, 0
        return None

    def _still_stands(self, talk: Talk, server: MailServer) -> bool:
        if talk.server != server or self._mails >= MAILS_A_CONNECTION or time.monotonic() - self._last > IDLE_SECONDS:
            return False
        try:
            # Also forgets a mail that was refused half-way.
            return talk.ask("RSET").code == 250
        except OSError:
            talk.close()  # nothing of a mail was handed over: a new connection is all that it takes
            return False

    # --- One mail ---------------------------------------------------------------------------------------------------

    def _hand_over(self, talk: Talk, message: OutboxMessage, mail: EmailMessage) -> Outcome:
        step = Step.MAIL
        try:
            content = as_sent(mail.as_bytes())
            if (refusal := _beyond(talk, mail, content)) is not None:
                return refusal
            for step, command, argument in _commands(talk, message, mail, content):
                reply = talk.ask(command, argument)
                if not _goes_on(step, reply):
                    return self._refused(talk, step, reply)
            step = Step.CONTENT
            talk.hand_over(content, within=CLAIM_SHARE * settings.OUTBOX_CLAIM_TIMEOUT)
            reply = talk.reply()
        except (OSError, ValueError) as error:
            return self._broken(talk, step, error)
        if not _goes_on(step, reply):
            return self._refused(talk, step, reply)
        self._stood(talk)
        return Outcome(Verdict.SENT, reply.words, message_id=str(mail["Message-ID"]))

    def _refused(self, talk: Talk, step: Step, reply: Reply) -> Outcome:
        if reply.code < 400:
            # Neither yes nor no: we no longer know where the talk is.
            self._drop()
            verdict = Verdict.UNKNOWN if step is Step.CONTENT else Verdict.RETRY
            return Outcome(verdict, f"{talk.server.name} 的回答不合規定：{_clean(reply.words, talk.server)}")
        if reply.code == 421:
            self._drop()
        else:
            self._stood(talk)
        outcome = judge(step, reply)
        return replace(outcome, reason=_clean(outcome.reason, talk.server))

    def _broken(self, talk: Talk, step: Step, error: Exception) -> Outcome:
        self._drop()
        reason = _clean(_trouble(error), talk.server)
        if step is not Step.CONTENT or not talk.handed_over:
            said = error.reply if isinstance(error, Broken) else None
            if step is Step.CONTENT and said is not None and said.code >= 400:
                # It gave up in the middle of the message and said why.
                return self._refused(talk, step, said)
            return Outcome(Verdict.RETRY, f"與 {talk.server.name} 的連線中斷，郵件還沒有交出：{reason}")
        return Outcome(Verdict.UNKNOWN, f"郵件已交給 {talk.server.name}，但不知道它有沒有收下：{reason}")

    def _stood(self, talk: Talk) -> None:
        self._mails += 1
        self._last = time.monotonic()

    def _drop(self) -> None:
        """Close without a word: in the middle of a talk that went wrong, nothing that we say is understood."""
        talk, self._talk = self._talk, None
        if talk is not None:
            talk.close()


def _commands(
    talk: Talk, message: OutboxMessage, mail: EmailMessage, content: bytes
) -> Iterator[tuple[Step, str, str]]:
    """What is said before the message itself."""
    utf8 = mail.policy.utf8  # type: ignore[attr-defined]
    talk.command_encoding = "utf-8" if utf8 else "ascii"
    options = f" SIZE={len(content)}" if talk.has_extn("size") else ""
    if utf8:
        options += " BODY=8BITMIME SMTPUTF8"
    yield Step.MAIL, "MAIL", f"FROM:<{read_address(settings.EMAIL_FROM).mailbox}>{options}"
    yield Step.RCPT, "RCPT", f"TO:<{read_address(message.recipient).mailbox}>"
    yield Step.DATA, "DATA", ""


def _goes_on(step: Step, reply: Reply) -> bool:
    return reply.code == 354 if step is Step.DATA else 200 <= reply.code < 300


def _beyond(talk: Talk, mail: EmailMessage, content: bytes) -> Outcome | None:
    """The refusal of a mail that this server cannot take, by what it says of itself."""
    if mail.policy.utf8 and not talk.has_extn("smtputf8"):  # type: ignore[attr-defined]
        return Outcome(Verdict.FAILED, "地址的 @ 之前有英文以外的字，郵件伺服器不支援這種地址（SMTPUTF8）")
    limit = talk.esmtp_features.get("size", "")
    if limit.isdecimal() and 0 < int(limit) < len(content):
        sizes = f"{len(content) / 1e6:.1f} MB，郵件伺服器最多收 {int(limit) / 1e6:.1f} MB"
        return Outcome(Verdict.FAILED, f"郵件連同附件有 {sizes}")
    return None


def _kept(message: OutboxMessage, mail: EmailMessage) -> Outcome:
    try:
        name = keep(message, mail)
    except OSError as error:
        return Outcome(Verdict.RETRY, f"無法把郵件存成檔案：{error.strerror or error}", everybody=True)
    return Outcome(Verdict.SENT, f"沒有設定 EMAIL_URL，郵件存成檔案 {name}", message_id=str(mail["Message-ID"]))


def _unready(reason: str, wait: float | None = SLOW) -> Outcome:
    return Outcome(Verdict.RETRY, reason, wait=wait, everybody=True)


def _wait_of(reply: Reply | None) -> float | None:
    """A refusal that a person has to look at is slow; a server that is only busy says so with 4xx."""
    if reply is None or reply.code >= 500:
        return SLOW
    return judge(Step.MAIL, reply).wait


def _hello() -> str:
    """Who we say we are; a name without a dot is refused by many."""
    host = urlsplit(settings.PUBLIC_URL).hostname or ""
    return host if host.isascii() and "." in host else "[127.0.0.1]"


def _clean(reason: str, server: MailServer) -> str:
    """A server may repeat what it was told: the password stays out of what people read."""
    if server.password:
        blob = f"\0{server.user}\0{server.password}"
        # The longest first: a part of it replaced, the rest would no longer be found.
        for secret in (*(b64encode(text.encode()).decode() for text in (blob, server.password)), server.password):
            reason = reason.replace(secret, "***")
    return reason


def _trouble(error: Exception) -> str:
    """What went wrong with a connection, for people."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"憑證無法驗證（{error.verify_message}）"
    if isinstance(error, ssl.SSLError):
        return f"TLS 失敗（{error.reason or error}）"
    if isinstance(error, socket.gaierror):
        return "找不到這個主機"
    if isinstance(error, ConnectionRefusedError):
        return "對方拒絕連線"
    if isinstance(error, TimeoutError):
        return "對方沒有在時限內回應"
    if isinstance(error, (ConnectionError, BrokenPipeError)):
        return "連線被切斷"
    return clean_words(str(error).encode(errors="replace"))
