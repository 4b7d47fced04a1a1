"""Lists method, path and role of every API route, from the URL configuration in use, and checks the roles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.core.checks import CheckMessage, Error
from django.urls import URLPattern, URLResolver, get_resolver

from momo.rest.permissions import LEVELS, PUBLIC, stated_role

IMPLICIT_METHODS = frozenset({"HEAD", "OPTIONS"})
CONVERTER = re.compile(r"<(?:\w+:)?(\w+)>")


@dataclass(frozen=True, order=True)
class Route:
    """One method of one path below /api. `role` is None if the view states none; `view` is its dotted name."""

    path: str
    method: str
    role: str | None
    view: str


def _patterns(resolver: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _patterns(entry, path)
        elif isinstance(entry, URLPattern):
            yield path, entry.callback


def api_routes(urlconf: str | None = None) -> list[Route]:
    """Every method of every path below /api, sorted. A view that is not a class has method `*` and role None."""
    routes = []
    for pattern, callback in _patterns(get_resolver(urlconf), "/"):
        path = CONVERTER.sub(r"{\1}", pattern)
        if not path.startswith("/api/"):
            continue
        view = getattr(callback, "cls", None)
        if view is None:
            routes.append(Route(path, "*", None, f"{callback.__module__}.{callback.__qualname__}"))
            continue
        name = f"{view.__module__}.{view.__qualname__}"
        made = view(**callback.initkwargs)
        routes += [
            Route(path, method, stated_role(made, method), name)
            for method in made.allowed_methods
            if method not in IMPLICIT_METHODS
        ]
    return sorted(routes, key=lambda route: (route.path, route.method))


def check_roles(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """One momo.E001 for each method below /api whose view states no known role. `accounts.apps` registers it."""
    return [
        Error(
            f"{route.view} states no role for {route.method} {route.path}",
            hint=f"Add roles = {{{route.method!r}: …}} with one of {', '.join([*LEVELS, PUBLIC])}.",
            id="momo.E001",
        )
        for route in api_routes()
        if route.role not in LEVELS and route.role != PUBLIC
    ]
