"""What happens to a text after the model: Traditional Chinese, then the checks. Nothing else is altered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ai.checks.traditional import to_traditional
from ai.services.checking import check_text
from ai.services.subjects import Subject


@dataclass(frozen=True)
class Text:
    """`original` is the text before its simplified characters were converted, empty if there were none."""

    content: str
    converted: bool = False
    original: str = ""
    warnings: list[dict[str, Any]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """As the API answers it."""
        return {
            "content": self.content,
            "converted": self.converted,
            "original": self.original,
            "warnings": self.warnings,
        }


def finish(*, text: str, subject: Subject) -> Text:
    """Converts simplified characters, except in names and facts, then runs both checks."""
    content, converted = to_traditional(text, subject.protected)
    found = check_text(text=content, domain=subject.domain, facts=subject.facts)
    return Text(content, converted, text if converted else "", [warning.as_dict() for warning in found])
