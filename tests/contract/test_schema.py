"""The description of the API is complete, and the API is as described."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.management import call_command
from django.test import Client

from momo.rest.permissions import PUBLIC
from momo.rest.routes import api_routes
from tests.contract.bodies import sent
from tests.contract.calls import CALLS, Call
from tests.contract.description import (
    JSON,
    Operation,
    check_described,
    complaints,
    description,
    examples,
    operations,
    resolved,
)
from tests.contract.matrix import BODIES
from tests.contract.test_matrix import drained
from tests.contract.world import CODES, World
from tests.kit.users import PASSWORD

# What describes the API is not part of it.
UNDESCRIBED = {("GET", "/api/schema"), ("GET", "/api/docs")}
BARE = {
    ("GET", "/api/products"),
    ("GET", "/api/history/{product_id}"),
    ("POST", "/api/ai/generate"),
    ("GET", "/api/system/status"),
}
CHINESE = re.compile(r"[\u4e00-\u9fff]")
# What they are about is in the path.
BODILESS = {("POST", f"/api/import/jobs/{{job_id}}/{act}") for act in ("cancel", "undo")}
BODILESS |= {("POST", "/api/trigger_momo_notification"), ("PUT", "/api/ai/history/{generation_id}/favorite")}
FILES = {
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.ms-excel.sheet.macroEnabled.12",
    "text/csv",
    # Of reports.
    "text/html",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}
each_operation = pytest.mark.parametrize("operation", sorted(operations()), ids=" ".join)


def test_valid_without_warnings(tmp_path: Any) -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "schema.yaml"))


def test_every_route_is_described() -> None:
    assert set(operations()) == {(route.method, route.path) for route in api_routes()} - UNDESCRIBED


def test_names_are_unique() -> None:
    names = [operation["operationId"] for operation in operations().values()]
    assert sorted(names) == sorted(set(names))


@each_operation
def test_words(operation: Operation) -> None:
    described = operations()[operation]
    assert CHINESE.search(described["summary"])
    assert [CHINESE.search(tag) for tag in described["tags"]] != [None]
    assert "需要角色" in described["description"] or described["x-role"] == PUBLIC
    for parameter in described.get("parameters", []):
        assert CHINESE.search(parameter["description"]), parameter["name"]
        assert parameter["schema"]["type"] in {"string", "integer", "number", "boolean", "array"}


@each_operation
def test_bodies(operation: Operation) -> None:
    """What goes in and what comes out has a schema; in the envelope, except for what the contract answers bare."""
    method, _ = operation
    described = operations()[operation]
    if method in {"POST", "PUT", "PATCH"} and operation not in BODILESS:
        body = described["requestBody"]["content"]
        assert all(resolved(media["schema"])["properties"] for media in body.values())
        assert any(name == "request" or name.startswith("request ") for name, _, _ in examples(described))
    else:
        assert "requestBody" not in described
    [(status, success)] = [
        (status, answer) for status, answer in described["responses"].items() if status.startswith("2")
    ]
    assert CHINESE.search(success["description"])
    if JSON not in success["content"]:
        assert set(success["content"]) <= FILES
        assert all(media == {"schema": {"type": "string", "format": "binary"}} for media in success["content"].values())
        return
    schema = resolved(success["content"][JSON]["schema"])
    enveloped = {"success", "data", "message"} <= set(schema.get("properties", {}))
    assert enveloped == (operation not in BARE)
    assert any(name.startswith(status) for name, _, _ in examples(described)), "no example of what it answers"


@each_operation
def test_failures(operation: Operation) -> None:
    """405 is no operation's: it is what methods without one get."""
    method, path = operation
    described = operations()[operation]
    statuses = {int(status) for status in described["responses"] if not status.startswith("2")}
    due = {400, 401, 403, 429, 500, 503}
    if "{" in path:
        due |= {404}
    if method in {"POST", "PUT", "PATCH"}:
        due |= {409, 413}
    if method == "DELETE":
        due |= {409}
    # A file of Google Drive is named in the body, and Drive is a service outside.
    assert due <= statuses <= due | {404, 502}
    for status in statuses:
        failure = described["responses"][str(status)]
        assert CHINESE.search(failure["description"])
        media = failure["content"][JSON]
        assert media["schema"] == {"$ref": "#/components/schemas/Failure"}
        [example] = media["examples"].values()
        assert example["value"]["code"] == CODES[status]


@each_operation
def test_examples_are_true(operation: Operation) -> None:
    described = operations()[operation]
    wrong = {name: complaints(schema, value) for name, schema, value in examples(described)}
    assert {name: why for name, why in wrong.items() if why} == {}


# --- What is really answered ----------------------------------------------------------------------------------------


def send(client: Client, operation: Operation, world: World, call: Call) -> Any:
    method, path = operation
    at = {**world.paths(path), **call.at}
    if at["user_id"] in world.people:
        at["user_id"] = world.people[at["user_id"]].pk
    if isinstance(at["job_id"], str):
        at["job_id"] = getattr(world.imports, at["job_id"]).pk
    return getattr(client, method.lower())(f"{path.format(**at)}?{call.query}", **sent(call.body), headers=call.headers)


@pytest.mark.parametrize(
    ("operation", "call"),
    [
        pytest.param(operation, call, id=f"{' '.join(operation)}: {call}")
        for operation, calls in CALLS.items()
        for call in calls
    ],
)
def test_answers(operation: Operation, call: Call, world: World) -> None:
    """By token, since a visit by cookie would end some of the sessions."""
    if call.prepare is not None:
        call.prepare(world)
    response = drained(send(world.actors[call.actor]["token"], operation, world, call))
    assert response.status_code == call.status, response.content
    check_described(response, operation)


def test_login_is_described_and_does_so(world: World) -> None:
    described = description()["paths"]["/login"]["post"]
    [(kind, form)] = described["requestBody"]["content"].items()
    assert all(complaints(form["schema"], one["value"]) == [] for one in form["examples"].values())
    client = Client(headers={"Accept": JSON})
    form = {"username": world.people["user"].username, "password": PASSWORD, "next": "/admin/"}
    inside = client.post("/login", urlencode(form), content_type=kind)
    assert str(inside.status_code) in described["responses"]
    assert all(inside.headers.get(name) or inside.cookies for name in described["responses"]["302"]["headers"])
    answers = [client.post("/login", urlencode({**form, "password": "x"}), content_type=kind) for _ in range(6)]
    answers.append(client.post("/login", headers={"Sec-Fetch-Site": "cross-site"}))
    assert [answer.status_code for answer in answers] == [401] * 5 + [429, 403]
    for answer in answers:
        media = described["responses"][str(answer.status_code)]["content"][JSON]
        assert complaints(media["schema"], answer.json()) == []
        assert [complaints(media["schema"], one["value"]) for one in media["examples"].values()] == [[]]


def test_every_operation_is_called() -> None:
    assert set(CALLS) == set(operations())
    assert all(any(call.status < 300 for call in calls) for calls in CALLS.values())
    assert {operation for operation, calls in CALLS.items() if any(call.body is not None for call in calls)} >= set(
        BODIES
    )
