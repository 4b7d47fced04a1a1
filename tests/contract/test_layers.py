"""Every app is under the rules of pyproject.toml: one that is forgotten there would be checked by none."""

from __future__ import annotations

import tomllib
from typing import Any

from django.apps import apps
from django.conf import settings

CONFIG = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["tool"]
LINTER = CONFIG["importlinter"]


def contract(identifier: str) -> dict[str, Any]:
    return next(entry for entry in LINTER["contracts"] if entry["id"] == identifier)


def own_apps() -> list[str]:
    return [app.name for app in apps.get_app_configs() if (settings.BASE_DIR / app.name.split(".")[0]).is_dir()]


def test_every_app_is_checked() -> None:
    found = own_apps()
    assert {"accounts", "momo.jobs", "sales"} <= set(found)
    layered = " ".join(contract("layers")["layers"]).replace("|", " ").split()
    for app in found:
        assert app.split(".")[0] in CONFIG["mypy"]["files"], app
        assert app.split(".")[0] in LINTER["root_packages"], app
        assert any(app == layer or app.startswith(f"{layer}.") for layer in layered), app


def test_every_app_with_services_has_an_order_inside_and_knows_no_http() -> None:
    for app in own_apps():
        folder = settings.BASE_DIR / app.replace(".", "/")
        if (folder / "services").is_dir() or (folder / "services.py").is_file():
            assert contract(f"inside-{app.split('.')[-1]}")["exhaustive"], app
            assert f"{app}.services" in contract("no-http")["source_modules"], app
