"""From a template and values to the text of a message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from momo.core.texts import one_line
from notifications.models import Format
from notifications.templating.bounds import SUBJECT_CHARACTERS
from notifications.templating.language import produce
from notifications.templating.variables import Variable, coerce, stored

ESCAPED = (Format.TELEGRAM, Format.EMAIL_HTML)


@dataclass(frozen=True)
class Rendered:
    """`body` is written in `format`, and the values in it are escaped for that; `subject` is plain text on one line."""

    subject: str
    body: str
    format: str


def render(
    *,
    format: str,
    subject: str,
    body: str,
    variables: Sequence[Variable | Mapping[str, Any]],
    values: Mapping[str, Any],
    strict: bool = True,
) -> Rendered:
    """The message. `variables` are taken as they were saved, without another check of the declarations.

    Raise ValidationFailed naming values that are missing, wrong or (if `strict`) not declared, and TemplateFailed with
    the line if the text goes beyond a bound. A subject that is too long ends with ….
    """
    given = coerce(stored(variables), values, strict=strict)
    line = one_line(produce(subject, given, escaped=False, where="主旨"))
    if len(line) > SUBJECT_CHARACTERS:
        line = f"{line[: SUBJECT_CHARACTERS - 1]}…"
    text = produce(body.replace("\r\n", "\n"), given, escaped=format in ESCAPED, where="內文")
    return Rendered(line, text, format)
