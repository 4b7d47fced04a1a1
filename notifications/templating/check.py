"""May a template be saved? Everything that can be known without the values of a real event."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from liquid.exceptions import LiquidError

from momo.core.errors import ValidationFailed
from notifications.models import Format
from notifications.models.templates import BODY_LENGTH, SUBJECT_LENGTH
from notifications.templating.analysis import Analysis
from notifications.templating.faults import TemplateFailed, explain, fault_at, fault_texts
from notifications.templating.language import parse, produce
from notifications.templating.render import ESCAPED
from notifications.templating.tags import check_markup
from notifications.templating.variables import Variable, coerce, declared, examples

FIELDS = ("format", "subject", "body", "variables")  # what is checked
# Characters that are invisible and make a template look like another one, and those for private use, of which one
# stands for a value in the checks.
UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff\ufffe\uffff\U000f0000-\U0010ffff]"
)


def check_template(*, format: str, subject: str, body: str, variables: Sequence[Mapping[str, Any]]) -> None:
    """Raise ValidationFailed with everything that is wrong, each fault with its line: `{"body": ["第 3 行：…"]}`.

    Of faults of syntax only the first is reported, and faults of markup only when names and types are right.
    """
    declarations = declared(variables)
    body = body.replace("\r\n", "\n")
    lines = ["主旨只能有一行"] if "\n" in subject else []
    fields = {
        "format": [] if format in Format.values else [f"格式要是 {'、'.join(Format.values)} 其中之一"],
        "subject": lines or _faults(subject, declarations, limit=SUBJECT_LENGTH, format=Format.PLAIN),
        "body": _faults(body, declarations, limit=BODY_LENGTH, format=format) if body.strip() else ["內文不能空白"],
    }
    fields = {name: messages for name, messages in fields.items() if messages}
    if fields:
        raise ValidationFailed(fields=fields)
    _try_examples(format, subject, body, declarations)


def _faults(source: str, variables: Sequence[Variable], *, limit: int, format: str) -> list[str]:
    if len(source) > limit:
        return [f"最多 {limit} 個字"]
    if unseen := UNSEEN.search(source):
        message = f"有看不見的控制字元 U+{ord(unseen.group()):04X}，請刪除"
        return [fault_at(source, unseen.start(), message)[1]]
    try:
        template = parse(source)
    except LiquidError as error:
        return [explain(error)]
    faults = Analysis(template, variables).faults
    return fault_texts(faults or check_markup(template, format=format, variables=variables))


def _try_examples(format: str, subject: str, body: str, variables: Sequence[Variable]) -> None:
    """Render with all examples, with as little as may come, and with nothing in the lists."""
    lists: dict[str, list[Any]] = {variable.name: [] for variable in variables if variable.type == "list"}
    full, least = examples(variables), examples(variables, only_required=True)
    for what, given in (("全部的範例", full), ("只有必填變數的範例", least), ("清單為空的範例", {**full, **lists})):
        values = coerce(variables, given)
        for field, source, escaped in (("subject", subject, False), ("body", body, format in ESCAPED)):
            try:
                produce(source, values, escaped=escaped)
            except TemplateFailed as error:
                raise ValidationFailed(fields={field: [f"{error.detail}（用{what}試著產生時）"]}) from error
