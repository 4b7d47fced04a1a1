"""What a check finds in a text."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Check(StrEnum):
    """Which check it was: the fact lock, or the claim check."""

    FACTS = "facts"
    CLAIMS = "claims"


class Severity(StrEnum):
    """How bad it is: high must not be published, medium is likely to be objected to, low is to be looked at."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True)
class Warning:
    """A place of a text: `text[start:end]`, in code points. `kind` is the kind of fact, or the category of a claim.

    `reason`, `suggestion` (a text that may stand there instead, or empty) and `law` are Traditional Chinese.
    """

    check: Check
    kind: str
    severity: Severity
    start: int
    end: int
    text: str
    reason: str
    suggestion: str = ""
    law: str = ""

    def as_dict(self) -> dict[str, Any]:
        """As the API answers it."""
        return {name: str(value) if isinstance(value, StrEnum) else value for name, value in asdict(self).items()}
