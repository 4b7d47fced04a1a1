"""The wire: dots and line ends octet by octet, and the exact moment from which a message may have been accepted."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from notifications.channels.mail_server import MailServer, Security
from notifications.channels.smtp import DOT, Broken, MailConnection

WIRE = st.lists(st.sampled_from([b"\r\n", b"\r", b"\n", b".", b"..", b"a", b"\0", b"\xff", b"\r\n.\r\n"])).map(b"".join)


@contextlib.contextmanager
def connected(
    wrap: Callable[[socket.socket], Any] = lambda real: real, *, timeout: float = 5
) -> Iterator[tuple[MailConnection, socket.socket]]:
    """A connection that has greeted, over what `wrap` makes of its socket; and the other end."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"220 mail.test\r\n")
        greeter = threading.Thread(target=lambda: theirs.recv(100) and theirs.sendall(b"250 mail.test\r\n"))
        greeter.start()
        with mock.patch.object(MailConnection, "_get_socket", return_value=ours):
            connection = MailConnection(MailServer("mail.test", 25, Security.NONE, timeout=timeout), hello="momo.test")
        greeter.join()
        connection.sock = wrap(ours)
        connection.allow(timeout)
        yield connection, theirs


def as_sent(content: bytes) -> bytes:
    """What goes over the wire after DATA, without the final dot."""
    with connected() as (connection, theirs):
        replies = [(250, b""), (250, b""), (354, b""), (250, b"")]
        with mock.patch.object(connection, "getreply", side_effect=replies):
            connection.hand_over(sender="a@b.test", recipients=["c@d.test"], content=content, utf8=False)
        theirs.settimeout(5)
        connection.close()
        wire = b"".join(iter(lambda: theirs.recv(4096), b""))
    sent = wire.partition(b"data\r\n")[2]
    assert sent.endswith(DOT)
    return sent[: -len(DOT)]


def received(wire: bytes) -> bytes:
    """What a server that reads strictly makes of the lines up to the final dot."""
    content, end, rest = wire.partition(b"\r\n.\r\n")
    assert end, "there is no end"
    assert not rest, "it ends too early"
    lines = (content + b"\r\n").split(b"\r\n")
    return b"\r\n".join(line.removeprefix(b".") for line in lines)


@pytest.mark.parametrize(
    ("content", "sent"),
    [
        (b"", b"\r\n"),
        (b"a", b"a\r\n"),
        (b"a\r\n", b"a\r\n"),
        (b"a\n", b"a\r\n"),
        (b"a\r", b"a\r\n"),
        (b"a\n\rb", b"a\r\n\r\nb\r\n"),
        (b".", b"..\r\n"),
        (b".\r\n.\r\n", b"..\r\n..\r\n"),
        (b"a\n.\nb", b"a\r\n..\r\nb\r\n"),
        (b"a\r.\rb", b"a\r\n..\r\nb\r\n"),
        (b"a.\r\n.b", b"a.\r\n..b\r\n"),
        (b"...", b"....\r\n"),
    ],
)
def test_lines_as_they_are_sent(content: bytes, sent: bytes) -> None:
    assert as_sent(content) == sent


@settings(deadline=None)
@given(WIRE | st.binary(max_size=60))
@example(b"\r\n.\r\n")
def test_any_content_ends_where_it_ends(content: bytes) -> None:
    sent = as_sent(content)
    normal = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
    assert received(sent + b".\r\n") == (normal if normal.endswith(b"\r\n") else normal + b"\r\n")
    assert b"\r" not in sent.replace(b"\r\n", b"")
    assert b"\n" not in sent.replace(b"\r\n", b"")


class Failing:
    """A socket whose line breaks once so many octets have been taken; the rest is a real one."""

    def __init__(self, real: socket.socket, octets: int, piece: int) -> None:
        self._real, self._left, self._piece = real, octets, piece

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def send(self, data: Any) -> int:
        if not self._left:
            raise ConnectionResetError
        sent = self._real.send(bytes(data[: min(self._left, self._piece)]))
        self._left -= sent
        return sent


@settings(deadline=None)
@given(content=WIRE, missing=st.integers(0, 40), piece=st.integers(1, 7))
@example(content=b"a", missing=1, piece=1)
@example(content=b"a", missing=2, piece=1)
@example(content=b"a", missing=3, piece=2)
@example(content=b"a", missing=0, piece=3)
def test_dot_sent_is_true_from_the_last_octet_on(content: bytes, missing: int, piece: int) -> None:
    lines = as_sent(content)
    whole = len(lines) + len(DOT)
    taken = max(whole - missing, 0)
    # Nobody reads meanwhile, and a socket holds some hundred pieces, however small they are.
    with connected(lambda real: Failing(real, taken, max(piece, whole // 100))) as (connection, theirs):
        with contextlib.nullcontext() if taken == whole else pytest.raises(ConnectionResetError):
            connection.send(lines + DOT)
        assert connection.dot_sent == (taken == whole)
        connection.close()
        theirs.settimeout(5)
        there = b"".join(iter(lambda: theirs.recv(4096), b""))
    assert there == (lines + DOT)[:taken]
    # What a server may accept is exactly what we count as handed over.
    assert connection.dot_sent == (b"\r\n.\r\n" in b"\r\n" + there)


def test_buffers_that_are_full_break_before_the_end() -> None:
    """A server that reads nothing: our socket takes what fits, and waits in vain for the rest."""
    with connected(timeout=0.2) as (connection, _):
        connection.allow(60)
        with pytest.raises(TimeoutError):
            connection.send(b"x" * 10_000_000 + b"\r\n" + DOT)
        assert not connection.dot_sent


class Sipping:
    """A socket whose other end takes a little now and then, always within the time of one step."""

    def __init__(self, real: socket.socket, *, seconds: float) -> None:
        self._real, self._seconds = real, seconds

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def send(self, data: Any) -> int:
        time.sleep(self._seconds)
        return self._real.send(bytes(data[:1]))


def hand_over(connection: MailConnection, content: bytes, *, within: float) -> None:
    """Hand a mail over to a server that says yes at once to everything but the end."""
    with mock.patch.object(connection, "getreply", side_effect=[(250, b""), (250, b""), (354, b"")]):
        connection.hand_over(sender="a@b.test", recipients=["c@d.test"], content=content, utf8=False, within=within)


@pytest.mark.parametrize(
    ("timeout", "within"),
    [(0.05, 100.0), (5, 0.3)],
    ids=["six steps", "what the sender has"],
)
def test_server_that_sips_has_one_time_limit(timeout: float, within: float) -> None:
    with connected(lambda real: Sipping(real, seconds=0.02), timeout=timeout) as (connection, _):
        start = time.monotonic()
        with pytest.raises(Broken, match="收得太慢"):
            hand_over(connection, b"x" * 1000 + b"\r\n", within=within)
        assert time.monotonic() - start < 5, "twenty seconds, if each octet had a time of its own"
        assert not connection.dot_sent


def test_the_dot_is_not_written_when_the_time_is_over() -> None:
    """Else a server would have the message of which we say that it has not left."""
    with connected(lambda real: Sipping(real, seconds=0.2)) as (connection, theirs):
        connection.allow(0.3)
        with pytest.raises(Broken, match="收得太慢"):
            connection.send(b"\r\n" + DOT)
        assert not connection.dot_sent
        assert theirs.recv(100) == b"\r\n"


@contextlib.contextmanager
def dripping(theirs: socket.socket, data: bytes) -> Iterator[None]:
    """Say one octet now and then, over and over."""
    over = threading.Event()

    def drip() -> None:
        octets = iter(data * 1000)
        while not over.wait(0.05):
            theirs.send(bytes([next(octets)]))

    thread = threading.Thread(target=drip)
    thread.start()
    yield
    over.set()
    thread.join()


def test_answer_that_drips_has_one_time_limit() -> None:
    slow = pytest.raises(Broken, match="秒內沒有回答")
    with connected(timeout=0.3) as (connection, theirs), dripping(theirs, b"2"), slow:
        connection.getreply()


def test_all_steps_together_have_one_time_limit() -> None:
    """A server that says something within the time of each step, and never comes to an end."""
    with connected(timeout=0.2) as (connection, theirs):
        start = time.monotonic()
        unasked, slow = mock.patch.object(connection, "_expect_silence"), pytest.raises(Broken, match="秒內沒有回答")
        with unasked, dripping(theirs, b"250-x\r\n"), slow:
            connection.hand_over(sender="a@b.test", recipients=["c@d.test"], content=b"x\r\n", utf8=False)
        assert 1 < time.monotonic() - start < 10, "six times the time of one step, and not for ever"
        assert not connection.dot_sent
