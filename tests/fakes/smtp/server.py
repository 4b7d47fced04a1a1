"""The server: aiosmtpd's protocol with troubles, in a thread with a loop of its own."""

from __future__ import annotations

import asyncio
import re
import ssl
import threading
import warnings
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.fakes.smtp.certificates import Certificates
from tests.fakes.smtp.faults import Dice, Rule
from tests.fakes.smtp.record import Accepted, Record, read_record

_HALF = 200  # bytes of the data that are read before a drop in the middle of them
_FOR_EVER = 3600


class SmtpStandIn:
    """`security` is `none`, `starttls` (demanded) or `tls`; with `user` nobody may send who has not logged in.

    `hide` are words of the EHLO answer to leave out (8BITMIME, SMTPUTF8, AUTH, STARTTLS, SIZE); `size` the limit of a
    message in bytes; `hide_ways` the ways to log in that it does not know.
    """

    def __init__(
        self,
        record: Path,
        *,
        port: int = 0,
        rules: Iterable[Rule] = (),
        seed: int = 0,
        security: str = "none",
        certificates: Certificates | None = None,
        user: str = "",
        password: str = "",
        hide: tuple[str, ...] = (),
        hide_ways: tuple[str, ...] = (),
        size: int = 33_554_432,
        with_content: bool = True,
    ) -> None:
        self.record = Record(record, with_content=with_content)
        self.dice = Dice(rules, seed)
        self.port = port
        self.security, self.user, self.password, self.hide, self.size = security, user, password, hide, size
        self.hide_ways = hide_ways
        self.connections = 0
        self.commands: list[str] = []  # the words only: MAIL, RCPT …
        self.sessions: list[_Protocol] = []
        self._context: ssl.SSLContext | None = None
        if certificates is not None:
            self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            self._context.load_cert_chain(certificates.server)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="smtp-stand-in", daemon=True)
        self._ready = threading.Event()

    # --- For tests --------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """What EMAIL_URL has to be."""
        scheme = {"none": "smtp", "starttls": "smtp+tls", "tls": "smtps"}[self.security]
        login = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}@" if self.user else ""
        return f"{scheme}://{login}127.0.0.1:{self.port}"

    def fail(self, at: str, answer: str = "", **how: Any) -> None:
        """Order a trouble; see Rule."""
        self.dice.rules.append(Rule(at, answer, **how))

    def accepted(self) -> list[Accepted]:
        return read_record(self.record.path)

    def hang_up(self) -> None:
        """Close every connection, as a server does whose patience is over."""
        done = threading.Event()

        def close() -> None:
            for session in self.sessions:
                if session.transport is not None:
                    session.transport.close()
            self._loop.call_later(0.05, done.set)

        self._loop.call_soon_threadsafe(close)
        assert done.wait(10)

    # --- The thread -------------------------------------------------------------------------------------------------

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(10), "the stand-in did not start"

    def stop(self) -> None:
        """Reset every connection and listen no more."""
        if not self._thread.is_alive():
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self.record.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        implicit = self._context if self.security == "tls" else None
        server = self._loop.run_until_complete(
            self._loop.create_server(self._session, "127.0.0.1", self.port, ssl=implicit, backlog=256)
        )
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for session in self.sessions:
            if session.transport is not None:
                session.transport.abort()
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self._loop.close()

    def _session(self) -> _Protocol:
        self.connections += 1
        self.sessions = [one for one in self.sessions if one.transport is not None]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # passwords without TLS are what some tests are about
            made = _Protocol(
                self,
                hostname="mail.test",
                ident="stand-in",
                data_size_limit=self.size,
                enable_SMTPUTF8="SMTPUTF8" not in self.hide,
                tls_context=self._context if self.security == "starttls" else None,
                require_starttls=self.security == "starttls",
                auth_required=bool(self.user),
                auth_require_tls=self.security == "starttls",
                auth_exclude_mechanism=self.hide_ways if self.user else ("PLAIN", "LOGIN"),
                authenticator=self._authenticate,
                loop=self._loop,
            )
        self.sessions.append(made)
        return made

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any
    ) -> AuthResult:
        assert isinstance(given, LoginPassword)
        good = (given.login, given.password) == (self.user.encode(), self.password.encode())
        return AuthResult(success=good, handled=False, message=None if good else "535 5.7.8 Wrong name or password")


class _Handler:
    """The end of a message: what aiosmtpd asks for once it is complete."""

    def __init__(self, stand_in: SmtpStandIn) -> None:
        self._stand_in = stand_in

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, name: str, lines: list[str]
    ) -> list[str]:
        session.host_name = name
        kept = [one for one in lines if one[4:].split(" ")[0].upper() not in self._stand_in.hide]
        return [*(f"{one[:3]}-{one[4:]}" for one in kept[:-1]), f"{kept[-1][:3]} {kept[-1][4:]}"]

    async def handle_DATA(self, server: _Protocol, session: Session, envelope: Envelope) -> str:
        content = envelope.original_content or b""
        recipient = envelope.rcpt_tos[0]
        answer = await server.struck("dot", recipient)
        if answer:
            return answer
        self._stand_in.record.add(envelope.mail_from or "", list(envelope.rcpt_tos), content)
        answer = await server.struck("accepted", recipient)
        return answer or f"250 2.0.0 Ok: queued as {zlib.crc32(content):08X}"


class _Protocol(SMTP):
    def __init__(self, stand_in: SmtpStandIn, **options: Any) -> None:
        self.stand_in = stand_in
        super().__init__(_Handler(stand_in), **options)

    async def struck(self, at: str, recipient: str = "") -> str:
        """Suffer what is ordered for this moment; the answer that takes the place of the right one, or nothing."""
        rule = self.stand_in.dice.strike(at, recipient)
        if rule is None:
            return ""
        if rule.drops:
            await self._drop()
        await asyncio.sleep(rule.delay)
        return rule.answer

    async def _drop(self) -> None:
        assert self.transport is not None
        self.transport.abort()
        await asyncio.sleep(_FOR_EVER)  # ended by the loss of the connection

    async def smtp_MAIL(self, arg: str | None) -> None:
        self.stand_in.commands.append("MAIL")
        if not await self._answer(await self.struck("mail")):
            await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str | None) -> None:
        self.stand_in.commands.append("RCPT")
        found = re.search(r"<(.*)>", arg or "")
        answer = await self.struck("rcpt", found[1] if found else "")
        if not await self._answer(answer):
            await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg: str | None) -> None:
        self.stand_in.commands.append("DATA")
        recipient = (self.envelope.rcpt_tos or [""])[0] if self.envelope is not None else ""
        if await self._answer(await self.struck("data", recipient)):
            return
        if recipient and self.stand_in.dice.strike("inside", recipient):
            await self.push("354 End data with <CR><LF>.<CR><LF>")
            await self._reader.readexactly(_HALF)
            await self._drop()
        await super().smtp_DATA(arg or "")

    async def smtp_RSET(self, arg: str | None) -> None:
        self.stand_in.commands.append("RSET")
        await super().smtp_RSET(arg or "")

    async def _answer(self, answer: str) -> bool:
        if answer:
            await self.push(answer)
            if answer.startswith("421") and self.transport is not None:
                self.transport.close()
        return bool(answer)

    async def handle_exception(self, error: Exception) -> str:
        with suppress(Exception):
            return await super().handle_exception(error)
        return "451 4.3.0 broken"


@contextmanager
def running_smtp(record: Path, **options: Any) -> Iterator[SmtpStandIn]:
    """A stand-in for as long as the block lasts."""
    stand_in = SmtpStandIn(record, **options)
    stand_in.start()
    try:
        yield stand_in
    finally:
        stand_in.stop()
