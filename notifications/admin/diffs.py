"""What changed from one version of a template to the next, line by line."""

from __future__ import annotations

import json
from typing import Any

from momo.admin_kit.diffs import Compared, compared_text
from notifications.models import Format, TemplateVersion

LABELS = {
    "title": "名稱",
    "description": "說明",
    "format": "格式",
    "subject": "主旨",
    "body": "內文",
    "variables": "變數",
}
KEYS = ("name", "type", "required", "example", "description", "fields")  # of a declaration, as people read them


def compared(version: TemplateVersion, before: TemplateVersion | None) -> list[Compared]:
    """The fields in which a version differs from the one before; all that say something where there is none."""
    found = []
    for name, label in LABELS.items():
        made = compared_text(label, _text(before, name) if before is not None else "", _text(version, name))
        if made is not None:
            found.append(made)
    return found


def variable_lines(variables: Any) -> str:
    """Declarations as JSON, each in a line of its own; the order of their keys says nothing and is always the same."""
    return "\n".join(json.dumps(_ordered(entry), ensure_ascii=False) for entry in variables or [])


def _ordered(value: Any) -> Any:
    if isinstance(value, list):
        return [_ordered(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    places = {name: place for place, name in enumerate(KEYS)}
    names = sorted(value, key=lambda name: (places.get(name, len(KEYS)), name))
    return {name: _ordered(value[name]) for name in names}


def _text(version: TemplateVersion, name: str) -> str:
    value: Any = getattr(version, name)
    if name == "variables":
        return variable_lines(value)
    if name == "format":
        return str(Format(value).label) if value in Format.values else str(value)
    return str(value)
