"""One connection to a mail server.

The standard smtplib brings what is settled (EHLO and its extensions, commands); reading answers and handing over the
message are our own: they need bounds, a deadline, and to know how much of the message has left.
"""

from __future__ import annotations

import base64
import contextlib
import hmac
import math
import re
import smtplib
import socket
import ssl
import time

from notifications.channels.mail_server import MailServer, Security
from notifications.channels.smtp_replies import Reply, clean_words

REPLY_LIMIT = 64 * 1024  # octets of one answer
LINE_LIMIT = 8 * 1024
CHUNK = 64 * 1024  # octets handed to the socket at once; each may take the time of one step
HAND_OVER_STEPS = 6  # times the time of one step that a whole message may take
GOODBYE = 2.0  # seconds that we wait for the answer to QUIT
_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])(.*))?", re.DOTALL)
_LINE_END = re.compile(rb"\r\n|\r|\n")
_DOT = re.compile(rb"^\.", re.MULTILINE)


class Broken(smtplib.SMTPException):
    """The connection is of no more use; `str()` is fit for people.

    `reply` is what the server said without being asked, if it said something.
    """

    def __init__(self, why: str, reply: Reply | None = None) -> None:
        self.reply = reply
        super().__init__(why)


class Refused(smtplib.SMTPException):
    """The server answers, but does not want us. `reply` is its answer, if there is one."""

    def __init__(self, why: str, reply: Reply | None = None) -> None:
        self.reply = reply
        super().__init__(f"{why}：{reply.words}" if reply is not None else why)


def as_sent(content: bytes) -> bytes:
    """A message as it goes over the wire after DATA, without the final dot.

    Every line ends with CRLF, the last one too, and one that starts with a dot gets another (RFC 5321, 4.5.2).
    """
    lines = _LINE_END.sub(b"\r\n", content)
    if not lines.endswith(b"\r\n"):
        lines += b"\r\n"
    return _DOT.sub(b"..", lines)


class Talk(smtplib.SMTP):
    """Connects on `start`. Every method raises Broken, or OSError, when the connection fails."""

    def __init__(self, server: MailServer, *, hello: str) -> None:
        # Without a host it does not connect.
        super().__init__(local_hostname=hello, timeout=server.timeout)
        self.server = server
        self.handed_over = False
        self._received = b""

    # --- Beginning and end ------------------------------------------------------------------------------------------

    def start(self, context: ssl.SSLContext | None) -> None:
        """Connect, greet, protect the connection, log in. Raises Refused too."""
        server = self.server
        self.sock = socket.create_connection((server.host, server.port), server.timeout)
        # The final dot is a small packet: without this it would wait for the acknowledgement of what went before.
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if server.security is Security.TLS:
            self._protect(context)
        self._wanted(self.reply(), "郵件伺服器不接受連線", 220)
        self._greet()
        if server.security is Security.STARTTLS:
            if not self.has_extn("starttls"):
                raise Refused("郵件伺服器不提供 STARTTLS")
            self._wanted(self.ask("STARTTLS"), "郵件伺服器不接受 STARTTLS", 220)
            if self._received:
                # Whoever sits between us may put words before the protected ones.
                raise Broken("郵件伺服器在 TLS 開始之前就多說了話")
            self._protect(context)
            # What was said unprotected no longer counts.
            self.esmtp_features, self.does_esmtp = {}, False
            self._greet()
        if server.user:
            self._log_in()

    def finish(self) -> None:
        """Say goodbye and close; never raises."""
        with contextlib.suppress(OSError):
            self.timeout = min(self.timeout, GOODBYE)
            self.ask("QUIT")
        self.close()

    def _protect(self, context: ssl.SSLContext | None) -> None:
        assert context is not None
        assert self.sock is not None
        self.sock = context.wrap_socket(self.sock, server_hostname=self.server.host)

    def _greet(self) -> None:
        code, text = self.ehlo()
        if code in {500, 502, 504} and self.server.security is Security.NONE and not self.server.user:
            code, text = self.helo()  # a server from before 1995
        self._wanted(Reply(code, text), "郵件伺服器不接受我們的招呼", 250)

    def _log_in(self) -> None:
        protected = self.server.security is not Security.NONE
        ways = {"PLAIN": self._plain, "LOGIN": self._login, "CRAM-MD5": self._cram}
        # Without TLS the one that does not show the password is the best.
        order = list(ways) if protected else ["CRAM-MD5", "PLAIN", "LOGIN"]
        offered = self.esmtp_features.get("auth", "").upper().split()
        usable = [way for way in order if way in offered]
        if not usable:
            raise Refused("郵件伺服器沒有提供我們能用的登入方式（PLAIN、LOGIN、CRAM-MD5）")
        for way in usable:
            reply = ways[way]()
            if reply.code != 504:  # offered, but not supported after all
                break
        self._wanted(reply, "郵件伺服器不接受帳號或密碼", 235)

    def _plain(self) -> Reply:
        return self.ask("AUTH", f"PLAIN {_base64(f'{chr(0)}{self.server.user}{chr(0)}{self.server.password}')}")

    def _login(self) -> Reply:
        reply = self.ask("AUTH", "LOGIN")
        for secret in (self.server.user, self.server.password):
            if reply.code != 334:
                break
            reply = self.ask(_base64(secret))
        return reply

    def _cram(self) -> Reply:
        reply = self.ask("AUTH", "CRAM-MD5")
        if reply.code != 334:
            return reply
        try:
            challenge = base64.b64decode(reply.text, validate=True)
        except ValueError as error:
            raise Broken("郵件伺服器的登入問題無法解讀") from error
        digest = hmac.new(self.server.password.encode(), challenge, "md5").hexdigest()
        return self.ask(_base64(f"{self.server.user} {digest}"))

    @staticmethod
    def _wanted(reply: Reply, why: str, code: int) -> None:
        if reply.code != code:
            raise Refused(why, reply)

    # --- Asking -----------------------------------------------------------------------------------------------------

    def ask(self, command: str, argument: str = "") -> Reply:
        """One command and its answer."""
        return Reply(*self.docmd(command, argument))

    def reply(self) -> Reply:
        """The next answer."""
        return Reply(*self.getreply())

    def send(self, s: str | bytes) -> None:  # type: ignore[override]
        """Send a command, if the server has not spoken out of turn."""
        self.expect_silence()
        self._write(s.encode(self.command_encoding) if isinstance(s, str) else s)

    def getreply(self) -> tuple[int, bytes]:
        """Read one answer, of bounded length, within the time of one step."""
        deadline = time.monotonic() + self.timeout
        code, texts, size = b"", [], 0
        while True:
            line = self._line(deadline)
            size += len(line)
            if size > REPLY_LIMIT:
                raise Broken("郵件伺服器的回答太長")
            match = _LINE.fullmatch(line)
            if match is None or (code and match[1] != code):
                raise Broken(f"對方回答的不是 SMTP：「{clean_words(line)[:100]}」")
            code = match[1]
            texts.append(match[3] or b"")
            if match[2] != b"-":
                return int(code), b"\n".join(texts)

    def expect_silence(self) -> None:
        """Nothing may be there to read before we ask: it would pass for the answer to what comes next."""
        if self.sock is None:
            raise Broken("連線已經關閉")
        self.sock.settimeout(0)
        with contextlib.suppress(BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            heard = self.sock.recv(LINE_LIMIT)
            if not heard and not self._received:
                raise Broken("郵件伺服器切斷了連線")
            self._received += heard
        if self._received:
            raise self._unasked()

    def _unasked(self) -> Broken:
        self.timeout = 0.0  # only what is there already
        try:
            reply = self.reply()
        except OSError:
            return Broken(f"對方說了不該說的話：「{clean_words(self._received)[:100]}」")
        return Broken(f"郵件伺服器中途說：{reply.words}", reply)

    def _line(self, deadline: float) -> bytes:
        while b"\n" not in self._received:
            if len(self._received) > LINE_LIMIT:
                raise Broken("郵件伺服器的回答太長")
            self._received += self._receive(deadline)
        line, _, self._received = self._received.partition(b"\n")
        return line.removesuffix(b"\r")

    def _receive(self, deadline: float) -> bytes:
        left = deadline - time.monotonic()
        if self.sock is None:
            raise Broken("連線已經關閉")
        if left <= 0:
            raise Broken(f"郵件伺服器在 {self.server.timeout:g} 秒內沒有回答")
        self.sock.settimeout(left)
        try:
            heard = self.sock.recv(LINE_LIMIT)
        except TimeoutError as error:
            raise Broken(f"郵件伺服器在 {self.server.timeout:g} 秒內沒有回答") from error
        if not heard:
            said = f"，最後說了「{clean_words(self._received)[:100]}」" if self._received else ""
            raise Broken(f"郵件伺服器切斷了連線{said}")
        return heard

    # --- Handing over -----------------------------------------------------------------------------------------------

    def hand_over(self, lines: bytes, *, within: float = math.inf) -> None:
        """Write the message (`as_sent`) and the final dot; `handed_over` is true from the last octet on.

        All of it takes at most `within` seconds, and at most the time of `HAND_OVER_STEPS` steps: a server that reads a
        little now and then would otherwise never let one run out. Raises Broken when they are over.

        The dot's line is written by itself, when all the rest is with the socket: whatever breaks before its last
        octet has been taken, also within TLS, where a record that is not whole cannot be read, leaves the server with
        a message that has no end, which it must throw away.
        """
        self.handed_over = False
        deadline = time.monotonic() + min(within, HAND_OVER_STEPS * self.timeout)
        rest = memoryview(lines)
        while rest:
            self._write(rest[:CHUNK], deadline)
            rest = rest[CHUNK:]
        self.expect_silence()
        self._write(b".\r\n", deadline)
        self.handed_over = True

    def _write(self, data: bytes | memoryview, deadline: float = math.inf) -> None:
        if self.sock is None:
            raise Broken("連線已經關閉")
        rest = memoryview(data)
        try:
            while rest:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError
                self.sock.settimeout(min(self.timeout, left))
                rest = rest[self.sock.send(rest) :]
        except OSError as error:
            slow = Broken("郵件伺服器收得太慢，沒有在時限內收完郵件") if time.monotonic() >= deadline else None
            raise self._last_words() or slow or error from None

    def _last_words(self) -> Broken | None:
        """What a server that gives up in the middle of a message says before."""
        try:
            self.expect_silence()
        except Broken as said:
            return said if said.reply is not None else None
        except OSError:
            pass
        return None


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
