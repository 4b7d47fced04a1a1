"""The stand-in for Google Drive as a server on loopback."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.fakes.drive.faults import Answer, Fault, spoiled
from tests.fakes.drive.state import Asked, Drive


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body in one packet: two would wait 40 ms for each other (Nagle, delayed acknowledgement).
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._reply("POST", dict(parse_qsl(body.decode())))

    def do_GET(self) -> None:
        self._reply("GET", {})

    def _reply(self, method: str, form: dict[str, str]) -> None:
        parts = urlsplit(self.path)
        params = dict(parse_qsl(parts.query, keep_blank_values=True))
        operation, file = _operation(method, parts.path, params)
        asked = Asked(
            time.monotonic(),
            operation,
            file,
            self.path,
            params,
            {name.lower(): value for name, value in self.headers.items()},
        )
        fault = self.server.drive.strike(asked)
        if fault is not None and fault.kind == "drop":
            self.close_connection = True
            return
        answer = self.server.drive.answer(asked, form)
        if fault is not None:
            if fault.kind == "slow":
                time.sleep(fault.delay)
            answer = spoiled(fault, answer)
        with suppress(OSError):
            self._send(answer, fault)

    def _send(self, answer: Answer, fault: Fault | None) -> None:
        kind = fault.kind if fault is not None else ""
        body = answer.body
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) + {"longer": 10, "shorter": -10}.get(kind, 0)))
        self.end_headers()
        if kind == "trickle" and fault is not None:
            for letter in body:
                self.wfile.write(bytes([letter]))
                self.wfile.flush()
                time.sleep(fault.delay)
            return
        if kind in ("truncated", "longer", "shorter"):
            self.close_connection = True
        self.wfile.write(body[: len(body) // 2] if kind == "truncated" else body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def _operation(method: str, path: str, params: Mapping[str, str]) -> tuple[str, str]:
    if method == "POST":
        return ("token", "") if path == "/token" else ("", "")
    match [unquote(part) for part in path.removeprefix("/drive/v3").split("/")[1:]]:
        case ["files"]:
            return "list", ""
        case ["files", file]:
            return ("media" if params.get("alt") == "media" else "get"), file
        case ["files", file, "export"]:
            return "export", file
    return "", ""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    drive: Drive

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are part of these tests."""


@contextmanager
def running_drive(folder: str = "0AFolder-of_reports") -> Iterator[Drive]:
    """Run a stand-in on a free port of loopback."""
    drive = Drive(folder)
    server = _Server(("127.0.0.1", 0), _Handler)
    server.drive = drive
    drive.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield drive
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
