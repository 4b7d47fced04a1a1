"""The Bot API of one token: what it accepts, refuses and answers."""

from __future__ import annotations

import time
from collections.abc import Iterable
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

from momo.local.http import Answer, HttpStandIn, Request, json_answer
from tests.fakes.telegram.bot import BotState, Refused, buttons_of
from tests.fakes.telegram.html import BadMarkup, length, visible
from tests.fakes.telegram.rules import Dice, Rule
from tests.fakes.telegram.state import TOKEN, State

TEXT, CAPTION, BYTES = 4096, 1024, 32_768
ME = {"id": 4242, "is_bot": True, "first_name": "MOMO", "username": "momo_test_bot"}
GATEWAY = b"<html><head><title>502 Bad Gateway</title></head></html>"
METHODS = {"sendMessage": "text", "editMessageText": "text", "sendDocument": "document", "sendPhoto": "photo"}
WORDS = {
    "blocked": (403, "Forbidden: bot was blocked by the user"),
    "not_found": (400, "Bad Request: chat not found"),
    "refused": (400, "Bad Request: wrong file identifier/HTTP URL specified"),
    "no_rights": (400, "Bad Request: not enough rights to send text messages to the chat"),
    "failed": (500, "Internal Server Error"),
    "unauthorized": (401, "Unauthorized"),
}


class Refusal(Exception):
    """A failure as the Bot API says it."""

    def __init__(self, status: int, description: str, **parameters: Any) -> None:
        body = {"ok": False, "error_code": status, "description": description}
        self.answer = json_answer(body | ({"parameters": parameters} if parameters else {}), status)
        super().__init__(description)


class Broken(Exception):
    """Something other than what the Bot API answers."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        super().__init__(answer.status)


def _fields(request: Request) -> tuple[dict[str, str], tuple[str, bytes] | None]:
    """The parameters of a call, and its document."""
    kind = request.headers.get("content-type", "")
    if kind.startswith("application/json"):
        return {name: str(value) for name, value in (request.json if request.body else {}).items()}, None
    if not kind.startswith("multipart/form-data"):
        return request.form, None
    fields: dict[str, str] = {}
    file = None
    message = message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + request.body, policy=policy.HTTP)
    for part in message.iter_parts():  # type: ignore[attr-defined]
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if part.get_filename():
            file = part.get_filename(), content
        else:
            fields[name] = content.decode()
    return fields, file


class TelegramStandIn(HttpStandIn):
    """A Bot API for one token. With `paced` it holds the bot to the real limits."""

    def __init__(
        self,
        record: Path | None = None,
        *,
        rules: Iterable[Rule] = (),
        seed: int = 0,
        paced: bool = False,
        port: int = 0,
        token: str = TOKEN,
    ) -> None:
        super().__init__(port=port)
        self.dice, self.token = Dice(rules, seed), token
        self.state = State(record, paced=paced)
        self.bot = BotState()
        self.calls = 0
        self.hangs_up = False  # after each answer

    def settings(self, **more: Any) -> dict[str, Any]:
        """The settings that use this stand-in."""
        return {
            "TELEGRAM_API_URL": self.url,
            "TELEGRAM_BOT_TOKEN": self.token,
            "TELEGRAM_TIMEOUT": 5.0,
            **more,
        }

    def stop(self) -> None:
        """Also close the record."""
        super().stop()
        self.state.close()

    def use(self, *rules: Rule) -> None:
        """Have these rules from now on."""
        self.dice.rules = list(rules)

    # What Telegram does.

    def refuse_unread(self) -> bool:
        """Whether a rule drops this call before it is read."""
        return self.dice.strike("", unread=True) is not None

    def respond(self, request: Request) -> Answer:
        """Answer a call of the Bot API, or list what was accepted (GET /accepted)."""
        if request.path == "/accepted":
            return json_answer([one.__dict__ for one in self.state.accepted])
        if request.parts[:2] == ["file", f"bot{self.token}"]:
            content = self.bot.files.get(request.parts[-1])
            return Answer(content) if content is not None else Answer(status=404)
        try:
            answer = json_answer({"ok": True, "result": self.call("/".join(request.parts), *_fields(request))})
        except (Refusal, Broken) as error:
            answer = error.answer
        # Without a word about it, as a server does that has waited long enough.
        answer.hang_up = self.hangs_up
        return answer

    def call(self, path: str, fields: dict[str, str], file: tuple[str, bytes] | None) -> Any:
        """The result of a call. Raises Refusal, Broken."""
        token, _, method = path.removeprefix("bot").rpartition("/")
        if token != self.token:
            raise Refusal(*((401, "Unauthorized") if ":" in token else (404, "Not Found")))
        self.calls += 1
        if method == "getMe":
            if any(rule.kind == "unauthorized" for rule in self.dice.rules):
                raise Refusal(401, "Unauthorized")
            return ME
        if method in self.bot.methods:
            try:
                return self.bot.methods[method](fields)
            except Refused as error:
                raise Refusal(error.status, error.description) from error
        if method not in METHODS:
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
        kind = METHODS[method]
        text = fields.get("text" if kind == "text" else "caption", "")
        if len(text.encode()) > BYTES:
            raise Refusal(400, "Bad Request: Text is too long")  # before anything is parsed
        try:
            seen = visible(text) if fields.get("parse_mode") == "HTML" else text
            buttons = buttons_of(fields)
        except BadMarkup as error:
            raise Refusal(400, str(error)) from error
        except Refused as error:
            raise Refusal(error.status, error.description) from error
        if kind != "text" and file is None:
            raise Refusal(400, f"Bad Request: there is no {kind} in the request")
        if kind == "text" and not seen.strip():
            raise Refusal(400, "Bad Request: message text is empty")
        if length(seen) > (TEXT if kind == "text" else CAPTION):
            what = "message" if kind == "text" else "message caption"
            raise Refusal(400, f"Bad Request: {what} is too long")
        name, size = (file[0], len(file[1])) if file is not None else ("", 0)
        edits = int(fields["message_id"]) if method == "editMessageText" else 0
        if edits:
            self._check_edit(chat, edits, text, buttons)
        topic = int(fields.get("message_thread_id", 0))
        if topic in self.bot.closed_topics:
            raise Refusal(400, "Bad Request: TOPIC_CLOSED")
        one = self.state.accept(chat, text, name, size, kind=kind, buttons=buttons, edits=edits, topic=topic)
        number = int(chat) if not chat.startswith("@") else -1
        place = "private" if number > 0 else "supergroup"
        message = {"message_id": one.message_id, "date": int(time.time()), "chat": {"id": number, "type": place}}
        return {**message, "text" if kind == "text" else "caption": seen}

    def _check_edit(self, chat: str, number: int, text: str, buttons: list[list[list[str]]]) -> None:
        """Refuse an edit as Telegram does. The last of several edits is what the message shows."""
        shown = [one for one in self.state.accepted if one.chat == chat and one.message_id == number]
        if not shown:
            raise Refusal(400, "Bad Request: message to edit not found")
        if shown[-1].kind != "text":
            raise Refusal(400, "Bad Request: there is no text in the message to edit")
        if (shown[-1].text, shown[-1].buttons) == (text, buttons):
            words = "specified new message content and reply markup are exactly the same as a current content"
            raise Refusal(400, f"Bad Request: message is not modified: {words} and reply markup of the message")


def _before(rule: Rule) -> None:
    """What happens to a message that is not accepted."""
    match rule.kind:
        case "flood":
            raise Refusal(429, f"Too Many Requests: retry after {rule.seconds:g}", retry_after=rule.seconds)
        case "migrated":
            words = "Bad Request: group chat was upgraded to a supergroup chat"
            raise Refusal(400, words, migrate_to_chat_id=int(rule.to))
        case "bad_gateway":
            raise Broken(_page(GATEWAY, 502))
        case "garbage":
            raise Broken(_page(b"<html>not JSON</html>"))
        case "page":
            raise Broken(_page(b"<html><head><title>Blocked</title></head></html>", rule.code))
        case "drop":
            raise Broken(Answer(drop=True))
        case "slow":
            time.sleep(rule.seconds)
        case kind if kind in WORDS:
            status, words = WORDS[kind]
            raise Refusal(status, rule.words or words)


def _after(rule: Rule, accepted: dict[str, Any]) -> None:
    """What happens after a message was accepted."""
    if rule.kind == "drop_accepted":
        raise Broken(Answer(drop=True))
    if rule.kind == "slow_accepted":
        time.sleep(rule.seconds)
    if rule.kind in ("odd", "trickle"):
        result = accepted | ({"date": 10**20} if rule.kind == "odd" else {})
        answer = json_answer({"ok": True, "result": result})
        answer.pause = rule.seconds if rule.kind == "trickle" else 0
        raise Broken(answer)


def _page(html: bytes, status: int = 200) -> Answer:
    return Answer(html, status, {"Content-Type": "text/html"})
