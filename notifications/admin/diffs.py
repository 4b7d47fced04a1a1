"""Differences between versions of a template, line by line."""

from __future__ import annotations

import json
from typing import Any

from momo.admin.kit.diffs import FieldDiff, text_diff
from notifications.models import Template, TemplateVersion
from notifications.services.shipped import CONTENT
from notifications.templating.variables import KEYS


def compared(version: TemplateVersion, before: TemplateVersion | None) -> list[FieldDiff]:
    """The fields in which a version differs from the one before; every field with content if there is none before."""
    found = []
    for name in CONTENT:
        label: Any = Template._meta.get_field(name)
        made = text_diff(str(label.verbose_name), _text(before, name) if before else "", _text(version, name))
        found += [made] if made is not None else []
    return found


def variable_lines(variables: Any) -> str:
    """Declarations as JSON, one a line, with their keys in a fixed order."""
    return "\n".join(json.dumps(_ordered(entry), ensure_ascii=False) for entry in variables or [])


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        places = dict(zip(KEYS, range(len(KEYS)), strict=True))
        names = sorted(value, key=lambda name: (places.get(name, len(KEYS)), name))
        return {name: _ordered(value[name]) for name in names}
    return [_ordered(entry) for entry in value] if isinstance(value, list) else value


def _text(version: TemplateVersion, name: str) -> str:
    if name == "variables":
        return variable_lines(version.variables)
    return str(version.get_format_display() if name == "format" else getattr(version, name))
