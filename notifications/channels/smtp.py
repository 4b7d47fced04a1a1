"""One connection to a mail server: `smtplib.SMTP` whose last step of `data()`, and whose reading, are our own.

A mail must never be sent twice, so this is stricter than smtplib:

- The content and its final dot are written apart. Whatever breaks before the dot's last octet leaves the server with a
  message that has no end, which it must throw away; from then on (`dot_sent`) it may have accepted the mail.
- A reply counts when it is complete and well-formed; smtplib takes half a line for a reply.
- The server has to be silent before each command and before the dot: what it sends early would pass for the reply.
- One deadline holds for all steps of a mail, however often a slow server takes or sends a few octets.
"""

from __future__ import annotations

import contextlib
import hmac
import math
import re
import smtplib
import socket
import ssl
import time
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from momo.core.texts import one_line
from notifications.channels.mail_server import MailServer, Security

REPLY_LIMIT = 64 * 1024  # octets of one reply
LINE_LIMIT = 8 * 1024
CHUNK = 64 * 1024  # octets handed to the socket at once
STEPS = 6  # times EMAIL_TIMEOUT that connecting, or handing over a mail, may take
GOODBYE = 2.0  # seconds for QUIT and its reply
DOT = b".\r\n"
_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])(.*?))?\r?", re.DOTALL)
_LINE_END = re.compile(rb"\r\n|\r|\n")
_ENHANCED = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}(?=\s|$)")
TEXT_LIMIT = 500  # characters of a reply that are kept


def readable(text: bytes) -> str:
    """The text of a server on one line, decoded leniently, fit to be shown."""
    return one_line(text.decode("utf-8", "replace"))[:TEXT_LIMIT]


@dataclass(frozen=True)
class Reply:
    """A reply of one or more lines."""

    code: int
    text: bytes = b""

    @property
    def enhanced(self) -> str:
        """`5.1.1` of `550 5.1.1 No such user` (RFC 3463), or nothing."""
        match = _ENHANCED.match(self.text)
        return match[0].decode() if match else ""

    @property
    def line(self) -> str:
        """The reply on one line, as people may read it."""
        # Servers repeat the enhanced code on each line.
        text = self.text.replace(b"\n" + self.enhanced.encode(), b"\n")
        return f"{self.code} {readable(text)}".strip()


class Broken(smtplib.SMTPServerDisconnected):
    """The connection is of no more use. `reply`: what the server sent before without a command."""

    def __init__(self, why: str, reply: Reply | None = None) -> None:
        self.reply = reply
        super().__init__(why)


class Late(Broken):
    """The server has not replied in time."""


class MailConnection(smtplib.SMTP):
    """Connects and logs in when it is made; `context` protects it where the server's URL demands that.

    Every method raises Broken, another SMTPException, or OSError.
    """

    def __init__(self, server: MailServer, *, hello: str, context: ssl.SSLContext | None = None) -> None:
        self.server, self._context = server, context
        self.reply = Reply(0)  # the last one
        self.content_begun = self.dot_sent = self._whole = False
        self._received = b""
        self.timeout = server.timeout
        self.allow(STEPS * server.timeout)
        try:
            super().__init__(server.host, server.port, local_hostname=hello, timeout=server.timeout)
            if server.security is Security.STARTTLS:
                self.starttls(context=context)
            self.ehlo_or_helo_if_needed()
            if server.user:
                self.login(server.user, server.password)
        except BaseException:
            self.close()
            raise

    def allow(self, seconds: float) -> None:
        """Set the deadline of all that follows. After it nothing is written, and only what has arrived is read."""
        self._deadline = time.monotonic() + seconds

    def hand_over(
        self,
        *,
        sender: str,
        recipients: Sequence[str],
        content: bytes,
        utf8: bool,
        whole: bool = False,
        within: float = math.inf,
    ) -> dict[str, Reply]:
        """Hand one mail over, all of it up to the dot in as many seconds; the reply to it has EMAIL_TIMEOUT.

        Returns when the server accepted it, with the recipients that it refused while it took others; with `whole` one
        that it refuses for now refuses the mail. Raises what `sendmail` raises when it refuses.
        """
        self.content_begun = self.dot_sent = False
        self._whole = whole
        self.allow(min(within, STEPS * self.timeout))
        options = ["SMTPUTF8", "BODY=8BITMIME"] if utf8 else []
        refused = self.sendmail(sender, recipients, _LINE_END.sub(b"\r\n", content), options)
        return {recipient: Reply(code, text) for recipient, (code, text) in refused.items()}

    def stands(self) -> bool:
        """Whether the connection can be used; also makes the server forget a mail that it refused half-way."""
        self.allow(self.timeout)
        return self.rset()[0] == 250

    def finish(self) -> None:
        """Send QUIT and close; never raises."""
        self.allow(GOODBYE)
        with contextlib.suppress(OSError):
            self.docmd("QUIT")
        self.close()

    # --- What smtplib calls -----------------------------------------------------------------------------------------

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        sock = socket.create_connection((host, port), timeout)
        # The dot is a small packet: without this it would wait for the acknowledgement of what went before.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.server.security is Security.TLS and self._context is not None:
            return self._context.wrap_socket(sock, server_hostname=host)
        return sock

    def login(self, user: str, password: str, *, initial_response_ok: bool = True) -> tuple[int, bytes]:
        """As smtplib's, which knows ASCII only, and tries a refused password again in each other way."""
        offered = self.esmtp_features.get("auth", "").upper().split()
        # Without TLS the one that does not show the password is the best.
        order = ["PLAIN", "LOGIN", "CRAM-MD5"][:: -1 if self.server.security is Security.NONE else 1]
        usable = [way for way in order if way in offered]
        if not usable:
            raise smtplib.SMTPNotSupportedError("郵件伺服器沒有提供我們能用的登入方式（PLAIN、LOGIN、CRAM-MD5）")
        for way in usable:
            self._authenticate(way, user.encode(), password.encode())
            if self.reply.code != 504:  # offered, but not supported after all
                break
        if self.reply.code != 235:
            raise smtplib.SMTPAuthenticationError(self.reply.code, self.reply.text)
        return self.reply.code, self.reply.text

    def _authenticate(self, way: str, user: bytes, password: bytes) -> None:
        plain = b64encode(b"\0" + user + b"\0" + password).decode()
        self.docmd("AUTH", f"PLAIN {plain}" if way == "PLAIN" else way)
        for secret in (user, password) if way == "LOGIN" else (b"",):
            if self.reply.code == 334:
                digest = secret or hmac.new(password, b64decode(self.reply.text), "md5").hexdigest().encode()
                self.docmd(b64encode(secret or user + b" " + digest).decode())

    def rcpt(self, recip: str, options: Sequence[str] = ()) -> tuple[int, bytes]:
        """As smtplib's, which goes on with the others whatever becomes of one."""
        code, text = super().rcpt(recip, options)
        if self._whole and 400 <= code < 500:
            raise smtplib.SMTPRecipientsRefused({recip: (code, text)})
        return code, text

    def send(self, s: str | bytes) -> None:  # type: ignore[override]
        """Send a command (str), or the content of a mail with its dot (bytes, from `data`)."""
        if isinstance(s, str):
            self._expect_silence()
            self._write(s.encode(self.command_encoding))
            return
        self.content_begun = True
        self._write(s[: -len(DOT)])
        self._expect_silence()
        self._write(s[-len(DOT) :])
        self.dot_sent = True
        self.allow(self.timeout)

    def getreply(self) -> tuple[int, bytes]:
        """Read one reply."""
        code, texts, size = b"", [], 0
        while True:
            while b"\n" not in self._received and len(self._received) <= LINE_LIMIT:
                self._receive()
            line, end, self._received = self._received.partition(b"\n")
            match, size = _LINE.fullmatch(line), size + len(line)
            if not end or match is None or code not in (b"", match[1]) or size > REPLY_LIMIT:
                raise Broken(f"對方回答的不是 SMTP：「{readable(line)[:100]}」")
            code = match[1]
            texts.append(match[3] or b"")
            if match[2] != b"-":
                break
        if code == b"220" and self._received:
            raise Broken("郵件伺服器在招呼之後或 TLS 開始之前就多說了話")  # perhaps an attacker on the way
        self.reply = Reply(int(code), b"\n".join(texts))
        return self.reply.code, self.reply.text

    # --- The socket -------------------------------------------------------------------------------------------------

    def _timed(self) -> socket.socket:
        if self.sock is None:
            raise Broken("連線已經關閉")
        self.sock.settimeout(max(0.0, min(self.timeout, self._deadline - time.monotonic())))
        return self.sock

    def _receive(self) -> None:
        try:
            received = self._timed().recv(LINE_LIMIT)
        except (TimeoutError, BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
            raise Late(f"郵件伺服器在 {self.timeout:g} 秒內沒有回答") from error
        if not received:
            last = f"，最後說了「{readable(self._received)[:100]}」" if self._received else ""
            raise Broken(f"郵件伺服器切斷了連線{last}")
        self._received += received

    def _write(self, data: bytes) -> None:
        unsent = memoryview(data)
        try:
            while unsent:
                if time.monotonic() >= self._deadline:
                    raise Broken("郵件伺服器收得太慢，沒有在時限內收完郵件")
                unsent = unsent[self._timed().send(unsent[:CHUNK]) :]
        except OSError:
            self._expect_silence()  # raises the reply of a server that gives up in the middle of a mail
            raise

    def _expect_silence(self) -> None:
        """Raises Broken when the server has sent something without a command, or is gone."""
        deadline, self._deadline = self._deadline, 0.0
        with contextlib.suppress(Late):
            self._receive()
        if self._received:
            early = readable(self._received)[:100]
            try:
                self.getreply()
            except Broken:
                raise Broken(f"對方說了不該說的話：「{early}」") from None
            raise Broken(f"郵件伺服器中途說：{self.reply.line}", self.reply)
        self._deadline = deadline
