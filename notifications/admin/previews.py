"""Previews of a template: with its examples, with the values of a real event, or with values typed by a person."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from django.template.loader import render_to_string

from momo.core.errors import ServiceError, ValidationFailed
from momo.core.texts import parse_json
from notifications.admin.looks import bubble, frame, plain
from notifications.channels.mail_page import mail_body
from notifications.events import event_kinds
from notifications.models import Template
from notifications.services.notify import Text
from notifications.services.templates import render_template
from notifications.templating.check import FIELDS, check_template
from notifications.templating.variables import declared, examples

EXAMPLES, OWN = "examples", "own"
RECENT = 10  # real events of one kind to choose from
MAX_VALUES = 256 * 1024  # characters of typed values


def read_json(text: str, name: str) -> Any:
    """The value of a JSON text. Raise ValidationFailed under `name`, with the line of the fault."""
    try:
        return parse_json(text)
    except ValueError as error:
        line = f"第 {error.lineno} 行：" if isinstance(error, json.JSONDecodeError) else ""
        raise ValidationFailed(fields={name: [f"{line}不是正確的 JSON"]}) from error


def recent_events(code: str) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Label and variables of the last real events that use the template, by a stable key."""
    found: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for kind in event_kinds().values():
        if not code or code not in (kind.template, kind.mail_template):
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
    """The sources of values, as choices of a drop-down."""
    events = [(key, label) for key, (label, _) in recent_events(code).items()]
    return [(EXAMPLES, "變數的範例"), *events, (OWN, "自行輸入 JSON")]


def values_of(draft: Template, source: str, typed: str) -> tuple[Mapping[str, Any], bool]:
    """The values of a source, and whether names that are not declared are an error.

    Raise ValidationFailed with faults under `values`.
    """
    if source == OWN:
        if len(typed) > MAX_VALUES:
            raise ValidationFailed(fields={"values": [f"最多 {MAX_VALUES // 1024} KB"]})
        return read_json(typed or "{}", "values"), True
    if source in ("", EXAMPLES):
        return examples(declared(draft.variables)), True
    event = recent_events(draft.code).get(source)
    if event is None:
        raise ValidationFailed(fields={"values": ["這個事件已經不在最近的紀錄裡，請重新載入這一頁"]})
    return event[1], False


def rendered(draft: Template, source: str, typed: str) -> Text:
    """The text in the form of each channel. Raise ValidationFailed, with faults of the values under `values`."""
    values, strict = values_of(draft, source, typed)
    try:
        made = render_template(draft, values, strict=strict)
    except ValidationFailed as failure:
        raise ValidationFailed(fields={"values": failure_texts(failure)}) from failure
    return Text(made, draft.title)


def failure_texts(failure: ServiceError) -> list[str]:
    """The messages of a service error; faults of values begin with the name of the variable."""
    named = [
        f"{name.removeprefix('variables.')}：{text}" if name.startswith("variables.") else text
        for name, texts in failure.fields.items()
        for text in texts
    ]
    return named or [failure.message]


def preview(draft: Template, source: str, typed: str) -> dict[str, Any]:
    """The answer for the editor's script: `errors` by field, and `html` if the draft could be rendered."""
    try:
        check_template(**{name: getattr(draft, name) for name in FIELDS})
        text = rendered(draft, source, typed)
    except ValidationFailed as failure:
        return {"errors": failure.fields or {"body": [failure.message]}, "html": ""}
    answer = {"code": draft.code, **asdict(text.rendered)}
    shown = {
        "subject": text.subject,
        "telegram": bubble(text.telegram or text.subject),
        "mail": frame(mail_body(text.html, subject=text.subject, text=text.plain), title="電子郵件 HTML"),
        "text": plain(text.plain),
        "json": plain(json.dumps({"success": True, "data": answer}, ensure_ascii=False, indent=2)),
    }
    return {"errors": {}, "html": render_to_string("admin/notifications/preview.html", shown)}
