"""The HTTP server of every stand-in (momo, Drive, Telegram): a free port of loopback, recorded requests, and answers
that go wrong on the wire.

A stand-in subclasses `HttpStandIn` and answers in `respond`; it runs as a thread for as long as its `with` block lasts:

    class Echo(HttpStandIn):
        def respond(self, request: Request) -> Answer:
            return json_answer({"path": request.path})

    with Echo() as echo:
        requests.get(f"{echo.url}/hello")
        assert echo.requests[0].path == "/hello"
"""

from __future__ import annotations

import json
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit


@dataclass(frozen=True)
class Request:
    """One request as it came; `at` is monotonic seconds, names of `headers` are in lower case."""

    at: float
    method: str
    path: str  # without its query, as it was sent
    params: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def parts(self) -> list[str]:
        """What stands between the slashes of the path, percent signs decoded."""
        return [unquote(part) for part in self.path.split("/")[1:]]

    @property
    def form(self) -> dict[str, str]:
        """The fields of a URL-encoded body."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def json(self) -> Any:
        """The value of a JSON body."""
        return json.loads(self.body)


@dataclass
class Answer:
    """An answer, and what goes wrong with it on the wire."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0  # seconds before its first octet
    pause: float = 0  # seconds between the octets of its body
    drop: bool = False  # the connection closes without an answer
    cut: bool = False  # the connection closes in the middle of the body
    length_error: int = 0  # octets that Content-Length is wrong by; the connection closes after the body
    hang_up: bool = False  # the connection closes after the answer, which does not say so
    # A body of unknown length in place of `body`, sent piece by piece (`cut`: without its end). An empty piece sends
    # nothing, only looks whether the client is still there; when it is gone, the iterator is closed.
    chunks: Iterator[bytes] | None = None


def json_answer(value: Any, status: int = 200) -> Answer:
    """An answer of JSON in UTF-8."""
    content = json.dumps(value, ensure_ascii=False).encode()
    return Answer(content, status, {"Content-Type": "application/json; charset=UTF-8"})


class HttpStandIn:
    """A stand-in for a service that is spoken to over HTTP. `lock` guards what requests change."""

    def __init__(self, *, port: int = 0) -> None:
        """Listen on `port` of 127.0.0.1, 0 for a free one. OSError if it is taken."""
        self.lock = threading.RLock()
        self.requests: list[Request] = []
        self.in_flight = self.in_flight_max = 0  # requests whose answer has not begun, and the most there were at once
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.stand_in = self
        # Polled for the wish to stop only; requests are served at once.
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def respond(self, request: Request) -> Answer:
        """Answer a request. Called by a thread for each connection."""
        raise NotImplementedError

    def refuse_unread(self) -> bool:
        """Whether the connection closes before the body of a request is read."""
        return False

    @property
    def port(self) -> int:
        """The port it listens on, on 127.0.0.1."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Serve in a thread, until `stop`."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more requests, and free the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    stand_in: HttpStandIn

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body in one packet: two would wait 40 ms for each other (Nagle, delayed acknowledgement).
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Server

    def _serve(self) -> None:
        stand_in = self.server.stand_in
        if stand_in.refuse_unread():
            self.close_connection = True
            return
        parts = urlsplit(self.path)
        request = Request(
            at=time.monotonic(),
            method=self.command,
            path=parts.path,
            params=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(int(self.headers.get("Content-Length", 0))),
        )
        with stand_in.lock:
            stand_in.requests.append(request)
            stand_in.in_flight += 1
            stand_in.in_flight_max = max(stand_in.in_flight_max, stand_in.in_flight)
        try:
            answer = stand_in.respond(request)
            time.sleep(answer.delay)
        finally:
            # Before the answer is sent: its reader may ask again before this thread goes on.
            with stand_in.lock:
                stand_in.in_flight -= 1
        self.close_connection |= answer.drop or answer.cut or answer.hang_up or bool(answer.length_error)
        if not answer.drop:
            with suppress(OSError):
                self._send(answer)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

    def _send(self, answer: Answer) -> None:
        body = answer.body
        if answer.chunks is not None:
            with closing(answer.chunks):  # type: ignore[type-var]
                self._send_chunks(answer, answer.chunks)
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) + answer.length_error))
        self.end_headers()
        if self.command == "HEAD":
            return
        for octet in body if answer.pause else ():
            self.wfile.write(bytes([octet]))
            self.wfile.flush()
            time.sleep(answer.pause)
        if not answer.pause:
            self.wfile.write(body[: len(body) // 2] if answer.cut else body)

    def _send_chunks(self, answer: Answer, chunks: Iterator[bytes]) -> None:
        """The head goes with the first piece, as servers do that know only then whether they can answer."""
        begun = False
        for chunk in chunks:
            if not chunk:
                if self._client_is_gone():
                    self.close_connection = True
                    return
                continue
            if not begun:
                self._begin_chunks(answer)
                begun = True
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            self.wfile.flush()
        if not begun:
            self._begin_chunks(answer)
        if not answer.cut:
            self.wfile.write(b"0\r\n\r\n")

    def _begin_chunks(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def _client_is_gone(self) -> bool:
        readable, _, _ = select.select([self.connection], [], [], 0)
        return bool(readable) and not self.connection.recv(1, socket.MSG_PEEK)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are recorded, not logged."""
