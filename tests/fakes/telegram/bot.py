"""What the stand-in knows of a bot: its webhook, updates, menus, pressed buttons and the files that people sent.

Sources: core.telegram.org/bots/api, of each method by its name.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from typing import Any

import requests

DATA_BYTES, BUTTONS, TOAST = 64, 100, 200
FILE_BYTES = 20 * 1024 * 1024
COMMAND = re.compile(r"[a-z0-9_]{1,32}")
SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
WAIT = 0.2  # seconds that getUpdates waits, whatever it is asked
Fields = dict[str, str]


class Refused(Exception):
    """A 400, or another status."""

    def __init__(self, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.description, self.status = description, status


class BotState:
    """See the module. `deliver` sends an update to the webhook, or keeps it for getUpdates."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.webhook: dict[str, Any] = {"url": "", "secret": ""}
        self.waiting: list[dict[str, Any]] = []
        self.menus: dict[str, list[str]] = {}  # names of commands, by the number of a chat or "default"
        self.queries: dict[str, dict[str, Any]] = {}  # of pressed buttons, with what was answered
        self.files: dict[str, bytes] = {}
        self.closed_topics: set[int] = set()
        self.methods: dict[str, Callable[[Fields], Any]] = {
            "setWebhook": self._set_webhook,
            "deleteWebhook": self._delete_webhook,
            "getWebhookInfo": self._webhook_info,
            "getUpdates": self._updates,
            "setMyCommands": self._set_commands,
            "deleteMyCommands": self._delete_commands,
            "answerCallbackQuery": self._answer_query,
            "getFile": self._file,
        }

    def deliver(self, update: dict[str, Any], url: str = "", **headers: str) -> requests.Response | None:
        """Send an update as Telegram does: to the webhook (or `url`), else keep it for getUpdates."""
        query = update.get("callback_query")
        if query:
            self.queries[query["id"]] = {}
        address = url or self.webhook["url"]
        if not address:
            with self.lock:
                self.waiting.append(update)
            return None
        secret = {"X-Telegram-Bot-Api-Secret-Token": self.webhook["secret"]}
        return requests.post(address, json=update, headers={**secret, **headers}, timeout=10)

    # --- Methods of the Bot API ---------------------------------------------------------------------------------------

    def _set_webhook(self, fields: Fields) -> bool:
        url, secret = fields.get("url", ""), fields.get("secret_token", "")
        if url and not url.startswith("https://"):
            raise Refused("Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
        if secret and not SECRET.fullmatch(secret):
            raise Refused("Bad Request: secret token contains unallowed characters")
        self.webhook = {"url": url, "secret": secret, "allowed": json.loads(fields.get("allowed_updates", "[]"))}
        return True

    def _delete_webhook(self, fields: Fields) -> bool:
        self.webhook = {"url": "", "secret": ""}
        return True

    def _webhook_info(self, fields: Fields) -> dict[str, Any]:
        pending = len(self.waiting)
        return {"url": self.webhook["url"], "has_custom_certificate": False, "pending_update_count": pending}

    def _updates(self, fields: Fields) -> list[dict[str, Any]]:
        if self.webhook["url"]:
            raise Refused("Conflict: can't use getUpdates method while webhook is active; use deleteWebhook", 409)
        offset = int(fields.get("offset", 0))
        with self.lock:
            self.waiting = [update for update in self.waiting if update["update_id"] >= offset]
            if not self.waiting and int(fields.get("timeout", 0)):
                time.sleep(WAIT)
            return sorted(self.waiting, key=lambda update: update["update_id"])[: int(fields.get("limit", 100))]

    def _set_commands(self, fields: Fields) -> bool:
        commands = json.loads(fields["commands"])
        if not 0 < len(commands) <= 100:
            raise Refused("Bad Request: BOT_COMMANDS_TOO_MUCH")
        for one in commands:
            if not COMMAND.fullmatch(one["command"]) or not 0 < len(one["description"]) <= 256:
                raise Refused("Bad Request: BOT_COMMAND_INVALID")
        self.menus[_scope(fields)] = [one["command"] for one in commands]
        return True

    def _delete_commands(self, fields: Fields) -> bool:
        self.menus.pop(_scope(fields), None)
        return True

    def _answer_query(self, fields: Fields) -> bool:
        query = self.queries.get(fields.get("callback_query_id", ""))
        if query is None:
            raise Refused("Bad Request: query is too old and response timeout expired or query ID is invalid")
        if len(fields.get("text", "")) > TOAST:
            raise Refused("Bad Request: MESSAGE_TOO_LONG")
        query.update(text=fields.get("text", ""), alert=fields.get("show_alert", "").lower() == "true")
        return True

    def _file(self, fields: Fields) -> dict[str, Any]:
        file_id = fields.get("file_id", "")
        if file_id not in self.files:
            raise Refused("Bad Request: wrong file_id or the file is temporarily unavailable")
        size = len(self.files[file_id])
        if size > FILE_BYTES:
            raise Refused("Bad Request: file is too big")
        return {"file_id": file_id, "file_unique_id": file_id, "file_size": size, "file_path": f"documents/{file_id}"}


def _scope(fields: Fields) -> str:
    scope = json.loads(fields.get("scope", '{"type": "default"}'))
    return str(scope["chat_id"]) if scope["type"] == "chat" else str(scope["type"])


def buttons_of(fields: Fields) -> list[list[list[str]]]:
    """The text and data of each button of `reply_markup`, in rows. Raises Refused for what Telegram refuses."""
    if not fields.get("reply_markup"):
        return []
    rows = json.loads(fields["reply_markup"])["inline_keyboard"]
    found = [[[one["text"], one["callback_data"]] for one in row] for row in rows]
    every = [button for row in found for button in row]
    if len(every) > BUTTONS:
        raise Refused("Bad Request: reply markup is too long")
    for text, data in every:
        if not text:
            raise Refused("Bad Request: text buttons are not allowed in the inline keyboard")
        if not 0 < len(data.encode()) <= DATA_BYTES:
            raise Refused("Bad Request: BUTTON_DATA_INVALID")
    return found
