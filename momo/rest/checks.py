"""`manage.py check` complains about an API method that states no role; the check is registered by an app."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error

from momo.rest.permissions import LEVELS, PUBLIC
from momo.rest.routes import api_routes


def check_roles(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """momo.E001 for each method below /api whose view states no known role."""
    return [
        Error(
            f"{route.view} states no role for {route.method} {route.path}",
            hint=f"Add roles = {{{route.method!r}: …}} with one of {', '.join([*LEVELS, PUBLIC])}.",
            id="momo.E001",
        )
        for route in api_routes()
        if route.role not in LEVELS and route.role != PUBLIC
    ]
