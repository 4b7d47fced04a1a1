"""May a template be saved? Everything that can be known without the values of a real event."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from momo.rest.errors import ValidationFailed
from notifications.models import Format
from notifications.models.templates import BODY_LENGTH, SUBJECT_LENGTH
from notifications.templating.analysis import Analysis
from notifications.templating.faults import Fault, TemplateFailed, texts
from notifications.templating.language import Unreadable, parse, produce
from notifications.templating.render import ESCAPED
from notifications.templating.tags import check_markup
from notifications.templating.variables import Variable, coerce, declared, examples

# Characters that nobody sees, and that make a template look like another one; and those that stand for tags in checks.
UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff\ufffe\uffff\U000f0000-\U0010ffff]"
)


def check_template(*, format: str, subject: str, body: str, variables: Sequence[Mapping[str, Any]]) -> None:
    """Raises ValidationFailed with everything that is wrong, each with its line: `{"body": ["第 3 行：…"]}`."""
    declarations = declared(variables)
    body = body.replace("\r\n", "\n")
    fields: dict[str, list[str]] = {}
    if format not in Format.values:
        fields["format"] = [f"格式要是 {'、'.join(Format.values)} 其中之一"]
    if "\n" in subject:
        fields["subject"] = ["主旨只能有一行"]
    else:
        fields["subject"] = _faults(subject, declarations, limit=SUBJECT_LENGTH, format=Format.PLAIN)
    fields["body"] = _faults(body, declarations, limit=BODY_LENGTH, format=format)
    if not body.strip():
        fields["body"].append("內文不能空白")
    fields = {name: messages for name, messages in fields.items() if messages}
    if fields:
        raise ValidationFailed(fields=fields)
    _try_examples(format, subject, body, declarations)


def _faults(source: str, variables: Sequence[Variable], *, limit: int, format: str) -> list[str]:
    if len(source) > limit:
        return [f"最多 {limit} 個字"]
    unseen = [
        Fault(found.start(), f"有看不見的控制字元 U+{ord(found.group()):04X}，請刪除")
        for found in UNSEEN.finditer(source)
    ]
    if unseen:
        return texts(source, unseen)
    try:
        nodes = parse(source)
    except Unreadable as error:
        return texts(source, error.faults)
    analysis = Analysis(variables)
    analysis.walk(nodes)
    return texts(source, [*analysis.faults, *check_markup(nodes, format=format, kinds=analysis.kinds)])


def _try_examples(format: str, subject: str, body: str, variables: Sequence[Variable]) -> None:
    """With everything, with as little as may come, and with nothing in the lists."""
    lists: dict[str, list[Any]] = {variable.name: [] for variable in variables if variable.type == "list"}
    full, least = examples(variables), examples(variables, only_required=True)
    for what, given in (("全部的範例", full), ("只有必填變數的範例", least), ("清單為空的範例", {**full, **lists})):
        try:
            values = coerce(variables, given)
        except ValidationFailed as error:
            raise ValidationFailed(fields={"variables": [f"{what}：{error.message}"]}) from error
        for field, source, escaped in (("subject", subject, False), ("body", body, format in ESCAPED)):
            try:
                produce(source, values, escaped=escaped)
            except TemplateFailed as error:
                raise ValidationFailed(fields={field: [f"{error.told}（用{what}試著產生時）"]}) from error
