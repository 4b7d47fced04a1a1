"""What changed from one version of a template to the next, line by line."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from notifications.models import Format, TemplateVersion

LABELS = {
    "title": "名稱",
    "description": "說明",
    "format": "格式",
    "subject": "主旨",
    "body": "內文",
    "variables": "變數",
}
CONTEXT = 3  # unchanged lines around a change


@dataclass(frozen=True)
class Line:
    """One line of a comparison: `kind` is same, added, removed or gap; numbers are those of the old and new text."""

    kind: str
    text: str
    old: int | None = None
    new: int | None = None


@dataclass(frozen=True)
class Compared:
    """One field that is not what it was."""

    label: str
    lines: list[Line]


def compared(version: TemplateVersion, before: TemplateVersion | None) -> list[Compared]:
    """The fields in which a version differs from the one before; all that say something where there is none."""
    found = []
    for name, label in LABELS.items():
        old, new = _text(before, name) if before is not None else "", _text(version, name)
        if old != new:
            found.append(Compared(label, list(_lines(old, new))))
    return found


def _text(version: TemplateVersion, name: str) -> str:
    value: Any = getattr(version, name)
    if name == "variables":
        return "\n".join(json.dumps(entry, ensure_ascii=False) for entry in value or [])
    if name == "format":
        return str(Format(value).label) if value in Format.values else str(value)
    return str(value)


def _lines(old: str, new: str) -> Iterator[Line]:
    before, after = old.splitlines(), new.splitlines()
    groups = difflib.SequenceMatcher(None, before, after, autojunk=False).get_grouped_opcodes(CONTEXT)
    for number, group in enumerate(groups):
        if number:
            yield Line("gap", "⋯")
        for tag, first, last, start, stop in group:
            if tag == "equal":
                for offset, text in enumerate(before[first:last]):
                    yield Line("same", text, first + offset + 1, start + offset + 1)
                continue
            for offset, text in enumerate(before[first:last]):
                yield Line("removed", text, old=first + offset + 1)
            for offset, text in enumerate(after[start:stop]):
                yield Line("added", text, new=start + offset + 1)
