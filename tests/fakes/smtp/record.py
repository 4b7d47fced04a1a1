"""What the server accepted: one line of JSON for each message, written at once before the answer."""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from pathlib import Path


@dataclass(frozen=True)
class Accepted:
    """One acceptance. `content` is empty where only its size was to be kept."""

    message_id: str
    sender: str
    recipient: str
    size: int
    content: bytes

    @property
    def mail(self) -> EmailMessage:
        mail = message_from_bytes(self.content, policy=policy.SMTPUTF8)
        assert isinstance(mail, EmailMessage)
        return mail


class Record:
    """Appends to a file. One write a line: whatever dies meanwhile, a line is whole or not there."""

    def __init__(self, path: Path, *, with_content: bool) -> None:
        self.path = path
        self._with_content = with_content
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def add(self, sender: str, recipients: list[str], content: bytes) -> None:
        head = BytesHeaderParser(policy=policy.compat32).parsebytes(content)
        for recipient in recipients:
            line = {
                "id": head.get("Message-ID", ""),
                "from": sender,
                "to": recipient,
                "size": len(content),
                "content": base64.b64encode(content).decode() if self._with_content else "",
            }
            data = json.dumps(line).encode() + b"\n"
            assert os.write(self._file, data) == len(data)

    def close(self) -> None:
        os.close(self._file)


def read_record(path: Path) -> list[Accepted]:
    """All acceptances, in order."""
    return [
        Accepted(line["id"], line["from"], line["to"], line["size"], base64.b64decode(line["content"]))
        for line in map(json.loads, path.read_text().splitlines())
    ]
