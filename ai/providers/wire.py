"""HTTP to a provider: lines of a stream within bounds, and a connection that another thread can end.

A thread that waits for a model to load sits in `recv` for minutes. Closing a client from another thread does not wake
it; shutting its socket down does. httpcore tells its trace hook about each socket that it opens.
"""

from __future__ import annotations

import contextlib
import functools
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, TypeVar

import httpx

from ai.providers.errors import BadAnswer, NotRunning, Timeout

CONNECT_SECONDS = 5.0
MAX_BYTES = 8 * 1024 * 1024  # of one answer
MAX_LINE = 2 * 1024 * 1024
# Seconds in which small pieces come together: handing each one alone to another thread costs more than reading it.
GATHER = 0.01
_Item = TypeVar("_Item")


@functools.cache
def client() -> httpx.Client:
    """One for the process: certificates and proxies are read once, which takes longer than all else of a generation.

    Each request opens a connection of its own, so that `Wire` knows its socket, and no cookie of an answer is kept.
    """
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    return httpx.Client(limits=limits, cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])))


def within(seconds: float) -> httpx.Timeout:
    """A time limit of each read; connecting may take `CONNECT_SECONDS`."""
    return httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds))


class Wire:
    """The connection of one generation. `hang_up` ends it from another thread, now or when it opens."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: Any = None
        self.closed = threading.Event()

    def hang_up(self) -> None:
        """End the connection; a read that waits on it fails at once."""
        with self._lock:
            self.closed.set()
            self._shut()

    def pause(self, seconds: float) -> None:
        """Wait before a retry. Raises NotRunning after `hang_up`, which nobody is there to see."""
        if self.closed.wait(seconds):
            raise NotRunning

    def stream(
        self, url: str, body: Any, *, left: float, headers: dict[str, str] | None = None
    ) -> contextlib.AbstractContextManager[httpx.Response]:
        """POST `body` as JSON. Raises Timeout, NotRunning and BadAnswer."""
        return self._stream(url, body, left, headers or {})

    @contextlib.contextmanager
    def _stream(self, url: str, body: Any, left: float, headers: dict[str, str]) -> Iterator[httpx.Response]:
        extensions = {"trace": self._trace}
        with (
            httpx_errors(),
            client().stream(
                "POST", url, json=body, headers=headers, timeout=within(left), extensions=extensions
            ) as response,
        ):
            yield response

    def _trace(self, event: str, info: dict[str, Any]) -> None:
        if event in {"connection.connect_tcp.complete", "connection.start_tls.complete"}:
            with self._lock:
                self._socket = info["return_value"].get_extra_info("socket")
                if self.closed.is_set():
                    self._shut()

    def _shut(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                # Not `SSLSocket.shutdown`, which forgets its TLS state while the other thread reads.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


@contextlib.contextmanager
def httpx_errors() -> Iterator[None]:
    """Errors of the connection as ours."""
    try:
        yield
    except httpx.ConnectTimeout as error:
        raise NotRunning from error
    except httpx.TimeoutException as error:
        raise Timeout from error
    except (httpx.ConnectError, httpx.UnsupportedProtocol, httpx.ProxyError) as error:
        raise NotRunning from error
    except httpx.HTTPError as error:
        raise BadAnswer from error


def lines(response: httpx.Response) -> Iterator[str]:
    """Lines of a stream, empty ones left out. Raises BadAnswer for bytes that are no UTF-8, or too many of them."""
    held, total = b"", 0
    for data in response.iter_bytes():
        held, total = held + data, total + len(data)
        if total > MAX_BYTES or len(held) > MAX_LINE:
            raise BadAnswer
        *whole, held = held.split(b"\n")
        yield from filter(None, map(_decoded, whole))
    if held.strip():
        yield _decoded(held)


def text_of(response: httpx.Response) -> str:
    """The body of an error, at most some kilobytes."""
    read = b""
    with contextlib.suppress(httpx.HTTPError):
        for data in response.iter_bytes():
            read += data
            if len(read) > 65_536:
                break
    return read.decode("utf-8", "replace")


def _decoded(line: bytes) -> str:
    try:
        return line.strip().decode()
    except UnicodeDecodeError as error:
        raise BadAnswer from error


def pump(source: Callable[[Wire], Iterator[_Item]], *, deadline: float, tick: float) -> Iterator[_Item | None]:
    """What `source` gives, read by a thread of its own, and None every `tick` seconds while nothing comes.

    Closing this iterator hangs up and waits for the thread. Raises what `source` raises, and Timeout at `deadline`
    (monotonic seconds) even if a byte comes every second.
    """
    wire, box, over = Wire(), queue.SimpleQueue[Any](), threading.Event()
    end = object()

    def read() -> None:
        try:
            for item in source(wire):
                box.put(item)
            box.put(end)
        except Exception as error:
            box.put(error)
        finally:
            over.set()

    thread = threading.Thread(target=read, name="ai-provider", daemon=True)
    thread.start()
    try:
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise Timeout
            try:
                item = box.get(timeout=min(tick, left))
            except queue.Empty:
                yield None
                continue
            if item is end:
                return
            if isinstance(item, Exception):
                raise item
            yield item
            if box.empty():
                over.wait(GATHER)
    finally:
        wire.hang_up()
        thread.join(CONNECT_SECONDS + 1)
