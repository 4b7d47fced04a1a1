"""Updates as Telegram sends them, each with the next number."""

from __future__ import annotations

import itertools
import time
from typing import Any

_numbers = itertools.count(700_000_001)


def numbered(**member: Any) -> dict[str, Any]:
    """An update with one member."""
    return {"update_id": next(_numbers), **member}


def person(number: int, name: str = "小明", **values: Any) -> dict[str, Any]:
    """A user of Telegram."""
    return {"id": number, "is_bot": False, "first_name": name, **values}


def chat(number: int, title: str = "") -> dict[str, Any]:
    """A private chat, or below 0 a group."""
    if number > 0:
        return {"id": number, "type": "private", "first_name": title or "小明"}
    return {"id": number, "type": "supergroup", "title": title or "業務群組"}


def message(sender: int, text: str | None = None, *, to: int | None = None, **values: Any) -> dict[str, Any]:
    """The update of a message from `sender`, in private or in the group `to`."""
    given = {"text": text} if text is not None else {}
    body = {"message_id": 1, "date": int(time.time()), "chat": chat(to or sender), "from": person(sender)}
    return numbered(message={**body, **given, **values})


def document(sender: int, file_id: str, name: str, size: int, caption: str = "", **values: Any) -> dict[str, Any]:
    """The update of a file."""
    file = {"file_id": file_id, "file_unique_id": file_id, "file_name": name, "file_size": size}
    return message(sender, document=file, **({"caption": caption} if caption else {}), **values)


def press(sender: int, data: str, number: int, *, to: int | None = None) -> dict[str, Any]:
    """The update of a pressed button below the message `number`."""
    below = {"message_id": number, "date": int(time.time()), "chat": chat(to or sender), "text": "…"}
    update = numbered()
    query = {"id": f"q{update['update_id']}", "chat_instance": "1", "from": person(sender)}
    return {**update, "callback_query": {**query, "message": below, "data": data}}


def membership(sender: int, group: int, status: str, title: str = "業務群組") -> dict[str, Any]:
    """The update of the bot that was added to a group, or removed from it."""
    bot = {"id": 4242, "is_bot": True, "first_name": "MOMO", "username": "momo_test_bot"}
    more = {"left": {}, "kicked": {"until_date": 0}, "member": {}}
    change = {
        "chat": chat(group, title),
        "from": person(sender),
        "date": int(time.time()),
        "old_chat_member": {"user": bot, "status": "left"},
        "new_chat_member": {"user": bot, "status": status, **more.get(status, {})},
    }
    return numbered(my_chat_member=change)
