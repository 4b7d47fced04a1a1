"""The stand-in as a server on loopback."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.fakes.telegram.html import BadMarkup, length, visible
from tests.fakes.telegram.rules import Dice, Rule
from tests.fakes.telegram.state import TOKEN, State

TEXT, CAPTION = 4096, 1024
ME = {"id": 4242, "is_bot": True, "first_name": "MOMO", "username": "momo_test_bot"}
GATEWAY = b"<html><head><title>502 Bad Gateway</title></head></html>"
WORDS = {
    "blocked": (403, "Forbidden: bot was blocked by the user"),
    "not_found": (400, "Bad Request: chat not found"),
    "refused": (400, "Bad Request: not enough rights to send text messages to the chat"),
    "failed": (500, "Internal Server Error"),
    "unauthorized": (401, "Unauthorized"),
}


class Refusal(Exception):
    """A failure as the Bot API says it."""

    def __init__(self, status: int, description: str, **parameters: Any) -> None:
        self.status = status
        self.body = {"ok": False, "error_code": status, "description": description}
        if parameters:
            self.body["parameters"] = parameters
        super().__init__(description)


class Dropped(Exception):
    """The connection is to break."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body in one packet: two would wait 40 ms for each other (Nagle, delayed acknowledgement).
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        if self.path == "/accepted":
            found = [one.__dict__ for one in self.server.stand_in.state.accepted]
            self._send(200, json.dumps(found).encode())
            return
        self._answer({}, None)

    def do_POST(self) -> None:
        if self.server.stand_in.dice.strike("", unread=True):
            self.close_connection = True
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer(*_fields(self.headers.get("Content-Type", ""), body))

    def _answer(self, fields: dict[str, str], file: tuple[str, bytes] | None) -> None:
        try:
            result = self.server.stand_in.call(unquote(urlsplit(self.path).path), fields, file)
        except Refusal as refusal:
            self._send(refusal.status, json.dumps(refusal.body).encode())
        except Dropped:
            self.close_connection = True
        except _Raw as raw:
            self._send(raw.status, raw.body, raw.kind, pause=raw.pause)
        else:
            self._send(200, json.dumps({"ok": True, "result": result}).encode())

    def _send(self, status: int, body: bytes, kind: str = "application/json", pause: float = 0) -> None:
        # Without a word about it, as a server does that has waited long enough.
        self.close_connection = self.close_connection or self.server.stand_in.hangs_up
        with suppress(OSError):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            for letter in body if pause else ():
                self.wfile.write(bytes([letter]))
                self.wfile.flush()
                time.sleep(pause)
            self.wfile.write(b"" if pause else body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


class _Raw(Exception):
    def __init__(self, status: int, body: bytes, kind: str = "text/html", pause: float = 0) -> None:
        self.status, self.body, self.kind, self.pause = status, body, kind, pause
        super().__init__(status)


def _fields(kind: str, body: bytes) -> tuple[dict[str, str], tuple[str, bytes] | None]:
    """The parameters of a call, and its document."""
    if kind.startswith("application/json"):
        return {name: str(value) for name, value in json.loads(body or b"{}").items()}, None
    if not kind.startswith("multipart/form-data"):
        return dict(parse_qsl(body.decode(), keep_blank_values=True)), None
    fields: dict[str, str] = {}
    file = None
    message = message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body, policy=policy.HTTP)
    for part in message.iter_parts():  # type: ignore[attr-defined]
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if part.get_filename():
            file = part.get_filename(), content
        else:
            fields[name] = content.decode()
    return fields, file


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    stand_in: TelegramStandIn

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are part of these tests."""


class TelegramStandIn:
    """A Bot API for one token. With `paced` it holds the bot to the real limits."""

    def __init__(
        self,
        *,
        rules: Iterable[Rule] = (),
        seed: int = 0,
        record: Path | None = None,
        paced: bool = False,
        port: int = 0,
        token: str = TOKEN,
    ) -> None:
        self.dice, self.token = Dice(rules, seed), token
        self.state = State(record, paced=paced)
        self.calls = 0
        self.hangs_up = False  # after each answer
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.stand_in = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    @property
    def url(self) -> str:
        """For TELEGRAM_API_URL."""
        return f"http://127.0.0.1:{self.port}"

    def settings(self, **more: Any) -> dict[str, Any]:
        """The settings that use this stand-in."""
        return {
            "TELEGRAM_API_URL": self.url,
            "TELEGRAM_BOT_TOKEN": self.token,
            "TELEGRAM_TIMEOUT": 5.0,
            **more,
        }

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self.state.close()

    def __enter__(self) -> TelegramStandIn:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def use(self, *rules: Rule) -> None:
        """Have these rules from now on."""
        self.dice.rules = list(rules)

    # What Telegram does.

    def call(self, path: str, fields: dict[str, str], file: tuple[str, bytes] | None) -> Any:
        """The result of a call. Raises Refusal, Dropped."""
        token, _, method = path.removeprefix("/bot").rpartition("/")
        if token != self.token:
            raise Refusal(*((401, "Unauthorized") if ":" in token else (404, "Not Found")))
        self.calls += 1
        if method == "getMe":
            if any(rule.kind == "unauthorized" for rule in self.dice.rules):
                raise Refusal(401, "Unauthorized")
            return ME
        if method not in ("sendMessage", "sendDocument"):
            raise Refusal(404, "Not Found: method not found")
        chat = fields.get("chat_id", "")
        rule = self.dice.strike(chat)
        if rule is not None:
            _before(rule)
        if wait := self.state.too_fast(chat):
            raise Refusal(429, f"Too Many Requests: retry after {wait}", retry_after=wait)
        accepted = self._accept(method, chat, fields, file)
        if rule is not None:
            _after(rule, accepted)
        return accepted

    def _accept(self, method: str, chat: str, fields: dict[str, str], file: tuple[str, bytes] | None) -> dict[str, Any]:
        if not chat.removeprefix("-").isdigit() and not chat.startswith("@"):
            raise Refusal(400, "Bad Request: chat not found")
        document = method == "sendDocument"
        text = fields.get("caption" if document else "text", "")
        try:
            seen = visible(text) if fields.get("parse_mode") == "HTML" else text
        except BadMarkup as error:
            raise Refusal(400, str(error)) from error
        if document and file is None:
            raise Refusal(400, "Bad Request: there is no document in the request")
        if not document and not seen.strip():
            raise Refusal(400, "Bad Request: message text is empty")
        if length(seen) > (CAPTION if document else TEXT):
            what = "message caption" if document else "message"
            raise Refusal(400, f"Bad Request: {what} is too long")
        name, size = (file[0], len(file[1])) if file is not None else ("", 0)
        one = self.state.accept(chat, text, name, size)
        number = int(chat) if not chat.startswith("@") else -1
        kind = "private" if number > 0 else "supergroup"
        message = {"message_id": one.message_id, "date": int(time.time()), "chat": {"id": number, "type": kind}}
        return {**message, "caption" if document else "text": seen}


def _before(rule: Rule) -> None:
    """What happens to a message that is not accepted."""
    match rule.kind:
        case "flood":
            raise Refusal(429, f"Too Many Requests: retry after {rule.seconds:g}", retry_after=rule.seconds)
        case "migrated":
            words = "Bad Request: group chat was upgraded to a supergroup chat"
            raise Refusal(400, words, migrate_to_chat_id=int(rule.to))
        case "bad_gateway":
            raise _Raw(502, GATEWAY)
        case "garbage":
            raise _Raw(200, b"<html>not JSON</html>")
        case "page":
            raise _Raw(rule.code, b"<html><head><title>Blocked</title></head></html>")
        case "drop":
            raise Dropped
        case "slow":
            time.sleep(rule.seconds)
        case kind if kind in WORDS:
            status, words = WORDS[kind]
            raise Refusal(status, rule.words or words)


def _after(rule: Rule, accepted: dict[str, Any]) -> None:
    """What happens after a message was accepted."""
    if rule.kind == "drop_accepted":
        raise Dropped
    if rule.kind == "slow_accepted":
        time.sleep(rule.seconds)
    if rule.kind in ("odd", "trickle"):
        result = accepted | ({"date": 10**20} if rule.kind == "odd" else {})
        body = json.dumps({"ok": True, "result": result}).encode()
        raise _Raw(200, body, "application/json", pause=rule.seconds if rule.kind == "trickle" else 0)
