"""Grafana's own types read the dashboard and write it again; what they do not know is lost on the way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.steps import TREE


def lost(given: Any, kept: Any, at: str = "") -> Iterator[str]:
    """Where `kept` has not what `given` has; nulls may be left out."""
    if isinstance(given, dict) and isinstance(kept, dict):
        for name, value in given.items():
            if value is not None:
                yield from lost(value, kept[name], f"{at}{name}.") if name in kept else [f"{at}{name}"]
    elif isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        for number, (one, other) in enumerate(zip(given, kept, strict=True)):
            yield from lost(one, other, f"{at}{number}.")
    elif given != kept:
        yield at.rstrip(".")


def unknown(dashboard: dict[str, Any]) -> list[str]:
    return list(lost(dashboard, json.loads(JSONEncoder().encode(Dashboard.from_json(dashboard)))))


def test_grafana_knows_every_field_of_the_dashboard() -> None:
    register_default_plugins()
    dashboard = json.loads((TREE / "deploy" / "grafana" / "dashboard.json").read_text())
    assert unknown(dashboard) == []
    dashboard["panels"][0]["titel"] = dashboard["panels"][0]["options"]["colour"] = "red"
    assert unknown(dashboard) == ["panels.0.options.colour", "panels.0.titel"]
