"""A small HTTP/1.1 server on asyncio.Protocol: keep-alive, bodies with a length, nothing else.

http.server takes a thread for each connection and several times as long for each request; in a benchmark that
time would come out of the crawler's own share of the processor.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, cast

_MAX_HEAD = 32 * 1024
_MAX_BODY = 16 * 1024 * 1024

REASONS = {
    200: "OK",
    301: "Moved Permanently",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    411: "Length Required",
    413: "Content Too Large",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}

JSON = "application/json;charset=UTF-8"
HTML = "text/html;charset=UTF-8"


class Request(NamedTuple):
    """A request as read. `target` is the path with its query; `peer` the caller's address."""

    method: str
    target: str
    body: bytes
    user_agent: str
    peer: str


@dataclass(slots=True)
class Response:
    """An answer. `delay` is in seconds; `drop` closes the connection instead of answering."""

    body: bytes = b""
    status: int = 200
    kind: str = HTML
    headers: tuple[tuple[str, str], ...] = ()
    delay: float = 0
    drop: bool = False


class Gauge:
    """Requests being answered and connections open now, and the most there were."""

    def __init__(self) -> None:
        self.requests = self.connections = 0
        self.clear()

    def clear(self) -> None:
        """Forget the maxima, not what is open now."""
        self.most_requests, self.most_connections = self.requests, self.connections

    def enter(self) -> None:
        """Count one request in."""
        self.requests += 1
        self.most_requests = max(self.most_requests, self.requests)


class Connection(asyncio.Protocol):
    """One client's connection; requests are answered one after another, in order."""

    def __init__(self, handle: Callable[[Request], Response], gauge: Gauge, open_now: set[Connection]) -> None:
        self._handle = handle
        self._gauge = gauge
        self._open_now = open_now
        self._buffer = bytearray()
        self._waiting: asyncio.TimerHandle | None = None
        self._paused = False
        self._peer = ""
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client came."""
        self.transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self._peer = peer[0] if peer else ""
        self._open_now.add(self)
        gauge = self._gauge
        gauge.connections += 1
        gauge.most_connections = max(gauge.most_connections, gauge.connections)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client left, perhaps in the middle of a slow answer."""
        self._open_now.discard(self)
        self._gauge.connections -= 1
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
            self._gauge.requests -= 1

    def pause_writing(self) -> None:
        """The client reads slower than it asks: serve it no more until it catches up."""
        self._paused = True
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        """It caught up."""
        self._paused = False
        self.transport.resume_reading()
        self._serve()

    def data_received(self, data: bytes) -> None:
        """Bytes of one request, of several, or of a part of one."""
        self._buffer += data
        self._serve()

    def _serve(self) -> None:
        while self._waiting is None and not self._paused and not self.transport.is_closing():
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                if len(self._buffer) > _MAX_HEAD:
                    self._refuse(431)
                return
            head = bytes(self._buffer[:end])
            lowered = head.lower()
            if b"\r\ntransfer-encoding:" in lowered:
                self._refuse(411)
                return
            length = _header(head, lowered, b"content-length")
            if length and not length.isdigit():
                self._refuse(400)
                return
            size = int(length or 0)
            if size > _MAX_BODY:
                self._refuse(413)
                return
            stop = end + 4 + size
            if len(self._buffer) < stop:
                return
            body = bytes(self._buffer[end + 4 : stop])
            del self._buffer[:stop]
            self._answer(head, lowered, body)

    def _answer(self, head: bytes, lowered: bytes, body: bytes) -> None:
        words = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            self._refuse(400)
            return
        method, target, version = words
        wish = _header(head, lowered, b"connection").lower()
        keep = wish != "close" if version == "HTTP/1.1" else wish == "keep-alive"
        request = Request(method, target, body, _header(head, lowered, b"user-agent"), self._peer)
        self._gauge.enter()
        try:
            response = self._handle(request)
        except Exception as error:
            # The stand-in itself is at fault: say so where the test will see it, and go on.
            response = Response(f"{type(error).__name__}: {error}".encode(), 500, "text/plain;charset=UTF-8")
        if response.delay > 0:
            loop = asyncio.get_running_loop()
            self._waiting = loop.call_later(response.delay, self._late, response, method, keep)
        else:
            self._write(response, method, keep)

    def _late(self, response: Response, method: str, keep: bool) -> None:
        self._waiting = None
        self._write(response, method, keep)
        self._serve()

    def _write(self, response: Response, method: str, keep: bool) -> None:
        self._gauge.requests -= 1
        if response.drop:
            self.transport.abort()
            return
        lines = [
            f"HTTP/1.1 {response.status} {REASONS[response.status]}",
            f"Content-Type: {response.kind}",
            f"Content-Length: {len(response.body)}",
        ]
        lines += [f"{name}: {value}" for name, value in response.headers]
        lines.append(f"Connection: {'keep-alive' if keep else 'close'}\r\n\r\n")
        head = "\r\n".join(lines).encode("latin-1")
        self.transport.write(head if method == "HEAD" else head + response.body)
        if not keep:
            self.transport.close()

    def _refuse(self, status: int) -> None:
        self._gauge.enter()
        self._write(Response(status=status), "GET", keep=False)


def _header(head: bytes, lowered: bytes, name: bytes) -> str:
    at = lowered.find(b"\r\n" + name + b":")
    if at < 0:
        return ""
    start = at + len(name) + 3
    stop = head.find(b"\r\n", start)
    return head[start : stop if stop >= 0 else len(head)].decode("latin-1").strip()
