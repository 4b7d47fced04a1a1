"""What is sent with a request: JSON, or a form with a file; the same for every test that asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from tests.contract.description import JSON

MULTIPART = "multipart/form-data"


@dataclass(frozen=True)
class Form:
    """A form, and the content of its file; None for none."""

    values: Mapping[str, str] = field(default_factory=dict)
    file: bytes | None = None
    name: str = "每日銷售.csv"

    def parts(self) -> dict[str, Any]:
        """As Django's client takes them; a file is read once."""
        return {**self.values, **({"file": SimpleUploadedFile(self.name, self.file)} if self.file is not None else {})}

    def __str__(self) -> str:
        size = "no file" if self.file is None else f"{self.name} of {len(self.file)} bytes"
        return f"{dict(self.values)} {size}"


def sent(body: Any) -> dict[str, Any]:
    """What a method of Django's client is given for `body`; nothing for None."""
    if body is None:
        return {}
    return {"data": body.parts()} if isinstance(body, Form) else {"data": body, "content_type": JSON}
