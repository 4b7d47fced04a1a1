"""What a product's name says of its content and count."""

from __future__ import annotations

from ai.checks.facts.items import Kind
from ai.checks.facts.normalise import shadow_of
from ai.checks.facts.roles import amounts


def read_name(name: str) -> dict[str, list[str]]:
    """Contents (volume, weight) and counts as the name writes them: 「精華液 30ml 2入組」 has 30ml and 2入組."""
    shadow = shadow_of(name)
    found: dict[str, list[str]] = {"content": [], "count": []}
    for item in sorted(amounts(shadow.text, bytearray(len(shadow.text))), key=lambda item: item.start):
        key = None
        if item.kind is Kind.CONTENT and item.key in {"volume", "mass"}:
            key = "content"
        elif item.kind is Kind.COUNT and item.key == "count":
            key = "count"
        if key:
            start, end = shadow.span(item.start, item.end)
            found[key].append(name[start:end])
    return {key: texts for key, texts in found.items() if texts}
