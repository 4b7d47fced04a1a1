"""The table of method × path × role, read from the running URL configuration."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from momo.rest.permissions import stated_role

QUIET_METHODS = frozenset({"HEAD", "OPTIONS"})
CONVERTER = re.compile(r"<(?:\w+:)?(\w+)>")


@dataclass(frozen=True, order=True)
class Route:
    """One method of one path below /api. `role` is None where the view states none, `view` is its dotted name."""

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
    """Every method of every path below /api, sorted. A view that is none of ours has role None."""
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
            if method not in QUIET_METHODS
        ]
    return sorted(routes, key=lambda route: (route.path, route.method))
