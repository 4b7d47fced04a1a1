"""The table of method × path × role holds, and nothing is missing from it."""

from __future__ import annotations

import copy
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any
from zlib import crc32

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from momo.rest.routes import api_routes
from momo.system.probes import PROBES
from tests.contract.bodies import sent
from tests.contract.conftest import undone
from tests.contract.matrix import API, BODIES, METHODS, PAGES, REDIRECTS, Row, rows
from tests.contract.test_errors import KINDS
from tests.contract.world import CODES, World
from tests.rest.test_failures import check

NAMES = {path: name for name, path in REDIRECTS.items()}
API_ROWS, PAGE_ROWS = rows(API), rows(PAGES)
# Code that all views share tells who asks, refuses a method that a path does not have, and answers OPTIONS and HEAD
# (`test_every_view_is_of_a_kind`): one path of each kind of view is asked by everybody in each way. Of the others each
# actor asks in one way, now this and now that; what is shared besides, only these.
SOME = ("nobody", "admin", "dead", "cross")
PATHS_OF_KINDS = {path for _, path in KINDS.values()}


def drained(response: Any) -> Any:
    """A file read to its end, which closes it; `response.close()` would close the connection too."""
    if response.streaming:
        response.read_content = b"".join(response.streaming_content)
    return response


def ask(client: Client, row: Row, world: World) -> Any:
    """The response, after undoing what the request did."""
    given = sent(BODIES.get((row.method, row.path)))
    cookies = copy.deepcopy(client.cookies)
    with undone():
        response = getattr(client, row.method.lower())(row.path.format(**world.paths(row.path)), **given)
        client.cookies = cookies
        return drained(response)


def callers(row: Row, world: World) -> Iterator[tuple[str, str, Client]]:
    """Actor, way in and client of each that asks."""
    of_kind = row.path in PATHS_OF_KINDS or not row.path.startswith("/api/")
    shared = row.method in ("OPTIONS", "HEAD") or row.expected["admin"] == "405"
    for actor, clients in world.actors.items():
        ways = list(clients.items())
        if of_kind:
            yield from ((actor, way, client) for way, client in ways)
        elif not shared or actor in SOME:
            yield actor, *ways[crc32(row.path.encode()) % len(ways)]


def answers(rows: list[Row], world: World) -> dict[tuple[str, str, str], Any]:
    """By method, actor and way in."""
    return {
        (row.method, actor, way): ask(client, row, world) for row in rows for actor, way, client in callers(row, world)
    }


def outcome(response: Any) -> str:
    if response.status_code == 302:
        return NAMES[response["Location"].partition("?")[0]]
    return str(response.status_code)


def expected(rows: list[Row], world: World, *, tokens: bool = True) -> dict[tuple[str, str, str], str]:
    """By method, actor and way in; without `tokens` a caller with a token is nobody."""
    return {
        (row.method, actor, way): row.expected["nobody" if "token" in way and not tokens else actor]
        for row in rows
        for actor, way, _ in callers(row, world)
    }


def by_path(rows: list[Row]) -> Any:
    """A test for each path, of all of its methods."""
    paths = {row.path: [each for each in rows if each.path == row.path] for row in rows}
    return pytest.mark.parametrize("rows", paths.values(), ids=paths)


@by_path(API_ROWS)
def test_api(rows: list[Row], world: World) -> None:
    got = answers(rows, world)
    assert {who: outcome(response) for who, response in got.items()} == expected(rows, world)
    for (method, _, _), response in got.items():
        if response.status_code >= 400 and method != "HEAD":
            check(response, response.status_code, CODES[response.status_code])
        if response.status_code == 401:
            assert response["WWW-Authenticate"].startswith("Bearer")
        if response.status_code == 405:
            assert method not in response["Allow"].split(", ")


@by_path(PAGE_ROWS)
def test_pages(rows: list[Row], world: World) -> None:
    got = answers(rows, world)
    assert {who: outcome(response) for who, response in got.items()} == expected(rows, world, tokens=False)
    assert all(response["X-Request-ID"] for response in got.values())


def test_every_path_has_each_method_once() -> None:
    for table in (API_ROWS, PAGE_ROWS):
        counted = Counter((row.path, row.method) for row in table)
        assert counted == dict.fromkeys(((path, method) for path, _ in counted for method in METHODS), 1)


def test_every_route_has_a_row_and_every_row_a_route() -> None:
    """A method that a path does not have is 405 in the table, and no other is."""
    routes = {(route.path, route.method) for route in api_routes()}
    routes |= {(path, "HEAD") for path, method in routes if method == "GET"}
    tabled = {(row.path, row.method) for row in API_ROWS if row.method != "OPTIONS" and row.expected["admin"] != "405"}
    assert tabled == routes


def test_every_column_is_an_actor(world: World) -> None:
    for row in (*API_ROWS, *PAGE_ROWS):
        assert set(row.expected) == set(world.actors), row


def pages(resolver: Any = None, prefix: str = "/") -> list[str]:
    """Every address outside of /api, with 1 for each name in it."""
    found = []
    for entry in (resolver or get_resolver()).url_patterns:
        path = prefix + re.sub(r"<[^>]+>", "1", str(entry.pattern))
        if isinstance(entry, URLResolver):
            found += pages(entry, path)
        elif isinstance(entry, URLPattern) and not path.startswith("/api"):
            found.append(path)
    return found


def test_every_page_has_a_row() -> None:
    """Below /admin/ each model has its own pages, of which the next test says one thing for all."""
    own = {path for path in pages() if not path.startswith("/admin/")}
    assert {row.path for row in PAGE_ROWS} == own | {"/admin/"} | set(PROBES)


# The admin's own login and logout lead to the site's.
OF_THE_SITE = {"/admin/login/": ">login", "/admin/logout/": ">admin"}


def test_the_admin_is_closed_to_nobody(world: World) -> None:
    """Whatever is added to it; also to people who must change their password, until they did."""
    nobody, must = world.actors["nobody"]["nothing"], world.actors["must"]["cookie"]
    paths = {path for path in pages() if path.startswith("/admin/") and "^" not in path}
    assert {path: outcome(nobody.get(path)) for path in paths} == {
        path: OF_THE_SITE.get(path, ">auth") for path in paths
    }
    assert {path: outcome(must.get(path)) for path in paths} == dict.fromkeys(paths, ">change")


@pytest.mark.parametrize("method", ["TRACE", "BREW"])
def test_methods_that_nobody_knows(method: str, world: World) -> None:
    for actor in ("nobody", "admin"):
        for client in world.actors[actor].values():
            for row in API_ROWS:
                if row.method == "OPTIONS":
                    check(client.generic(method, row.path.format(**world.paths(row.path))), 405, "METHOD_NOT_ALLOWED")
