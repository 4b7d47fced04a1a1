"""What a template would say: from its examples, from what really happened, or from values that somebody types."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from django.template.loader import render_to_string

from momo.rest.errors import ApiError, ValidationFailed
from notifications.admin.looks import bubble, frame, plain
from notifications.events import event_kinds
from notifications.models import Template
from notifications.services.notify import Text
from notifications.services.templates import render_template
from notifications.templating.check import check_template
from notifications.templating.variables import declared, examples

EXAMPLES, OWN = "examples", "own"
RECENT = 10  # real events of one kind to choose from
MAX_VALUES = 256 * 1024  # characters of typed values


@dataclass(frozen=True)
class Draft:
    """A template as it stands in a form, saved or not; `variables` as JSON's own types."""

    code: str
    title: str
    format: str
    subject: str
    body: str
    variables: Any

    @classmethod
    def of(cls, template: Template) -> Draft:
        """What is saved."""
        return cls(**{field.name: getattr(template, field.name) for field in fields(cls)})


def read_json(text: str, name: str) -> Any:
    """Raises ValidationFailed under `name`, with the line that is wrong."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        line = f"第 {error.lineno} 行：" if isinstance(error, json.JSONDecodeError) else ""
        raise ValidationFailed(fields={name: [f"{line}不是正確的 JSON"]}) from error


def recent_events(code: str) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Label and variables of the last real events whose template this is, each under a key that it keeps."""
    found: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for kind in event_kinds().values():
        if not code or kind.template != code:
            continue
        for event in kind.recent(RECENT):
            label = str(event["label"])
            key, same = f"{kind.code}:{label}", 1
            while key in found:
                same += 1
                key = f"{kind.code}:{label}#{same}"
            found[key] = (f"{kind.label}：{label}", event["variables"])
    return found


def sources(code: str) -> list[tuple[str, str]]:
    """Where values may come from, for a drop-down."""
    events = [(key, label) for key, (label, _) in recent_events(code).items()]
    return [(EXAMPLES, "變數的範例"), *events, (OWN, "自行輸入 JSON")]


def values_of(draft: Draft, source: str, typed: str) -> tuple[Mapping[str, Any], bool]:
    """The values of a source, and whether names that are not declared are an error.

    Raises ValidationFailed, with what is wrong under `values`.
    """
    if source == OWN:
        return _typed(typed), True
    if source in ("", EXAMPLES):
        return examples(declared(draft.variables)), True
    event = recent_events(draft.code).get(source)
    if event is None:
        raise ValidationFailed(fields={"values": ["這個事件已經不在最近的紀錄裡，請重新載入這一頁"]})
    return event[1], False


def _typed(text: str) -> Mapping[str, Any]:
    if len(text) > MAX_VALUES:
        raise ValidationFailed(fields={"values": [f"最多 {MAX_VALUES // 1024} KB"]})
    values = read_json(text or "{}", "values")
    if not isinstance(values, dict):
        raise ValidationFailed(fields={"values": ['要是物件，例如 {"usage_percent": 85}']})
    return values


def rendered(draft: Draft, source: str, typed: str) -> Text:
    """The text in the form of each channel. Raises ValidationFailed, faults of the values under `values`."""
    values, strict = values_of(draft, source, typed)
    try:
        made = render_template(draft, values, strict=strict)
    except ValidationFailed as failure:
        raise ValidationFailed(fields={"values": told(failure)}) from failure
    return Text(made, draft.title)


def told(failure: ApiError) -> list[str]:
    """What a refusal says, values by their names."""
    named = [
        f"{name.removeprefix('variables.')}：{text}" if name.startswith("variables.") else text
        for name, texts in failure.fields.items()
        for text in texts
    ]
    return named or [failure.message]


def preview(draft: Draft, source: str, typed: str) -> dict[str, Any]:
    """What the script shows: `errors` by field, and `html` when there is something to see."""
    try:
        check_template(format=draft.format, subject=draft.subject, body=draft.body, variables=draft.variables)
        text = rendered(draft, source, typed)
    except ValidationFailed as failure:
        return {"errors": failure.fields or {"body": [failure.message]}, "html": ""}
    answer = {
        "code": draft.code,
        "subject": text.rendered.subject,
        "body": text.rendered.body,
        "format": text.rendered.format,
    }
    shown = {
        "subject": text.subject,
        "telegram": bubble(text.telegram or text.subject),
        "mail": frame(text.html, title="電子郵件 HTML"),
        "text": plain(text.plain),
        "json": plain(json.dumps({"success": True, "data": answer}, ensure_ascii=False, indent=2)),
    }
    return {"errors": {}, "html": render_to_string("admin/notifications/preview.html", shown)}
