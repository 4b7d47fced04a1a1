"""The wire: dots and line ends octet by octet, and the exact moment from which a message may have been accepted."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from notifications.channels.mail_server import MailServer, Security
from notifications.channels.smtp_talk import Broken, Talk, as_sent

WIRE = st.lists(st.sampled_from([b"\r\n", b"\r", b"\n", b".", b"..", b"a", b"\0", b"\xff", b"\r\n.\r\n"])).map(b"".join)


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


@contextlib.contextmanager
def talk_over(octets: int, piece: int) -> Iterator[tuple[Talk, socket.socket]]:
    ours, theirs = socket.socketpair()
    talk = Talk(MailServer("mail.test", 25, Security.NONE, timeout=5), hello="momo.test")
    talk.sock = Failing(ours, octets, piece)  # type: ignore[assignment]
    with ours, theirs:
        yield talk, theirs


@settings(deadline=None)
@given(content=WIRE, missing=st.integers(0, 40), piece=st.integers(1, 7))
@example(content=b"a", missing=1, piece=1)
@example(content=b"a", missing=2, piece=1)
@example(content=b"a", missing=3, piece=2)
@example(content=b"a", missing=0, piece=3)
def test_handed_over_is_true_from_the_last_octet_on(content: bytes, missing: int, piece: int) -> None:
    lines = as_sent(content)
    whole = len(lines) + len(b".\r\n")
    taken = max(whole - missing, 0)
    # Nobody reads meanwhile, and a socket holds some hundred pieces, however small they are.
    with talk_over(taken, max(piece, whole // 100)) as (talk, theirs):
        if taken == whole:
            talk.hand_over(lines)
        else:
            with pytest.raises(ConnectionResetError):
                talk.hand_over(lines)
        assert talk.handed_over == (taken == whole)
        talk.close()
        theirs.settimeout(5)
        there = b"".join(iter(lambda: theirs.recv(4096), b""))
    assert there == (lines + b".\r\n")[:taken]
    # What a server may accept is exactly what we count as handed over.
    assert talk.handed_over == (b"\r\n.\r\n" in b"\r\n" + there)


def test_buffers_that_are_full_break_before_the_end() -> None:
    """A server that reads nothing: our socket takes what fits, and waits in vain for the rest."""
    ours, theirs = socket.socketpair()
    talk = Talk(MailServer("mail.test", 25, Security.NONE, timeout=0.2), hello="momo.test")
    talk.sock = ours
    with ours, theirs:
        with pytest.raises(TimeoutError):
            talk.hand_over(b"x" * 10_000_000 + b"\r\n")
        assert not talk.handed_over


class Sipping:
    """A socket whose other end takes a little now and then, always within the time of one step."""

    def __init__(self, real: socket.socket, *, seconds: float) -> None:
        self._real, self._seconds = real, seconds

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def send(self, data: Any) -> int:
        time.sleep(self._seconds)
        return self._real.send(bytes(data[:1]))


@pytest.mark.parametrize(
    ("timeout", "within"),
    [(0.05, 100.0), (5, 0.3)],
    ids=["six steps", "what the sender has"],
)
def test_server_that_sips_has_one_time_limit(timeout: float, within: float) -> None:
    ours, theirs = socket.socketpair()
    talk = Talk(MailServer("mail.test", 25, Security.NONE, timeout=timeout), hello="momo.test")
    talk.sock = Sipping(ours, seconds=0.02)  # type: ignore[assignment]
    with ours, theirs:
        start = time.monotonic()
        with pytest.raises(Broken, match="收得太慢"):
            talk.hand_over(b"x" * 1000 + b"\r\n", within=within)
        assert time.monotonic() - start < 5, "twenty seconds, if each octet had a time of its own"
        assert not talk.handed_over


def test_the_dot_is_not_written_when_the_time_is_over() -> None:
    """Else a server would have the message of which we say that it has not left."""
    ours, theirs = socket.socketpair()
    talk = Talk(MailServer("mail.test", 25, Security.NONE, timeout=5), hello="momo.test")
    talk.sock = Sipping(ours, seconds=0.2)  # type: ignore[assignment]
    with ours, theirs:
        with pytest.raises(Broken, match="收得太慢"):
            talk.hand_over(b"\n", within=0.1)
        assert not talk.handed_over
        assert theirs.recv(100) == b"\n"


def test_answer_that_drips_has_one_time_limit() -> None:
    ours, theirs = socket.socketpair()
    talk = Talk(MailServer("mail.test", 25, Security.NONE, timeout=0.3), hello="momo.test")
    talk.sock = ours
    over = threading.Event()

    def drip() -> None:
        while not over.wait(0.05):
            theirs.send(b"2")

    thread = threading.Thread(target=drip)
    with ours, theirs:
        thread.start()
        with pytest.raises(Broken, match="秒內沒有回答"):
            talk.reply()
        over.set()
        thread.join()
