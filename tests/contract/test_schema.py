"""The description of the API is complete, and the API is as described."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.models import User
from momo.rest.permissions import PUBLIC
from momo.rest.routes import api_routes
from products.models import Category, Product
from tests.accounts.people import PASSWORD
from tests.contract.description import JSON, Operation, check_described, complaints, examples, operations, resolved
from tests.contract.matrix import BODIES, NEW
from tests.contract.test_matrix import drained
from tests.contract.world import CODES, World

# What describes the API is not part of it.
UNDESCRIBED = {("GET", "/api/schema"), ("GET", "/api/docs")}
BARE = {("GET", "/api/products"), ("GET", "/api/history/{product_id}")}
CHINESE = re.compile(r"[\u4e00-\u9fff]")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
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
    told = operations()[operation]
    assert CHINESE.search(told["summary"])
    assert [CHINESE.search(tag) for tag in told["tags"]] != [None]
    assert "需要角色" in told["description"] or told["x-role"] == PUBLIC
    for parameter in told.get("parameters", []):
        assert CHINESE.search(parameter["description"]), parameter["name"]
        assert parameter["schema"]["type"] in {"string", "integer", "number", "boolean", "array"}


@each_operation
def test_bodies(operation: Operation) -> None:
    """What goes in and what comes out has a schema; in the envelope, except for what the contract answers bare."""
    method, _ = operation
    told = operations()[operation]
    if method in {"POST", "PUT", "PATCH"}:
        body = told["requestBody"]["content"]
        assert all(resolved(media["schema"])["properties"] for media in body.values())
        assert any(name == "request" or name.startswith("request ") for name, _, _ in examples(told))
    else:
        assert "requestBody" not in told
    [(status, success)] = [(status, told) for status, told in told["responses"].items() if status.startswith("2")]
    assert CHINESE.search(success["description"])
    if JSON not in success["content"]:
        assert success["content"] == {XLSX: {"schema": {"type": "string", "format": "binary"}}}
        return
    schema = resolved(success["content"][JSON]["schema"])
    enveloped = {"success", "data", "message"} <= set(schema.get("properties", {}))
    assert enveloped == (operation not in BARE)
    assert any(name.startswith(status) for name, _, _ in examples(told)), "no example of what it answers"


@each_operation
def test_failures(operation: Operation) -> None:
    """405 is no operation's: it is what methods without one get."""
    method, path = operation
    told = operations()[operation]
    statuses = {int(status) for status in told["responses"] if not status.startswith("2")}
    due = {400, 401, 403, 429, 500, 503}
    if "{" in path:
        due |= {404}
    if method in {"POST", "PUT", "PATCH"}:
        due |= {409, 413}
    if method == "DELETE":
        due |= {409}
    assert due <= statuses <= due | {502}
    for status in statuses:
        failure = told["responses"][str(status)]
        assert CHINESE.search(failure["description"])
        media = failure["content"][JSON]
        assert media["schema"] == {"$ref": "#/components/schemas/Failure"}
        [example] = media["examples"].values()
        assert example["value"]["code"] == CODES[status]


@each_operation
def test_examples_are_true(operation: Operation) -> None:
    told = operations()[operation]
    wrong = {name: complaints(schema, value) for name, schema, value in examples(told)}
    assert {name: why for name, why in wrong.items() if why} == {}


# --- What is really answered ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Call:
    """A request of `actor` and its status; `at` replaces what stands for a name in the path."""

    status: int
    actor: str = "admin"
    query: str = ""
    body: Any = None
    at: dict[str, Any] = field(default_factory=dict)
    prepare: Any = None

    def __str__(self) -> str:
        return f"{self.status} {self.actor} {self.query or self.body or self.at or ''}".strip()


def no_products(world: World) -> None:
    Product.objects.all().delete()


def no_categories(world: World) -> None:
    Category.objects.update(enabled=False)


def crawling(world: World) -> None:
    world.actors["admin"]["token"].post("/api/run_task", {}, content_type=JSON)


def bare_user(world: World) -> None:
    """As few values as a user can have, and a name that is not ASCII."""
    User.objects.filter(pk=world.people["target"].pk).update(username="小美", email="", last_login=None)


NOBODY = {"user_id": 999999}
CALLS: dict[Operation, list[Call]] = {
    ("GET", "/api/export/excel/{kind}"): [
        *(Call(200, actor, at={"kind": kind}) for actor in ("user",) for kind in ("all", "changes", "delisted")),
        Call(200, prepare=no_products),
        Call(404, at={"kind": "everything"}),
    ],
    ("GET", "/api/history/{product_id}"): [
        Call(200, "user"),
        Call(200, query="start_date=2026-01-01&end_date=2199-01-01"),
        Call(200, query="end_date=2000-01-01"),
        Call(400, query="start_date=yesterday"),
        Call(400, query="start_date=2026-02-02&end_date=2026-02-01"),
        Call(404, at={"product_id": "00000000"}),
    ],
    ("GET", "/api/products"): [
        Call(200, "user"),
        Call(200, query="filter=decrease&hours=24&sort_by=change_percent&order=asc&q=12345678&per_page=1"),
        Call(200, query="filter=delisted&category=1100100000"),
        Call(200, query="page=99"),
        Call(200, prepare=no_products),
        Call(400, query="filter=unknown"),
        Call(400, query="category=unknown"),
        Call(400, query="hours=0"),
        Call(400, query="hours=1.5"),
        Call(400, query="sort_by=password"),
        Call(400, query="order=up"),
        Call(400, query="page=0"),
        Call(400, query="per_page=201"),
        Call(400, query=f"q={'x' * 101}"),
    ],
    ("POST", "/api/run_task"): [
        Call(202, "manager", body={}),
        Call(202, body={"categories": ["1100100000"]}),
        Call(202, body={"categories": None}),
        Call(202, body={}, prepare=crawling),
        Call(400, body={"categories": []}),
        Call(400, body={"categories": ["x"]}),
        Call(400, body={"categories": ["9999999999"]}),
        Call(400, body={}, prepare=no_categories),
        Call(403, "user", body={}),
    ],
    ("GET", "/api/system/crawler/status"): [Call(200, "user"), Call(200, prepare=crawling)],
    ("POST", "/api/user/change_password"): [
        Call(200, "user", body={"current_password": PASSWORD, "new_password": NEW}),
        Call(200, "must", body={"current_password": PASSWORD, "new_password": NEW}),
        Call(400, body={"current_password": "wrong", "new_password": NEW}),
        Call(400, body={"current_password": PASSWORD, "new_password": "123"}),
        Call(400, body={}),
    ],
    ("GET", "/api/users"): [
        Call(200),
        Call(200, prepare=bare_user),
        Call(200, query="q=admin&role=admin&is_active=true&per_page=1"),
        Call(400, query="role=god"),
        Call(400, query="is_active=maybe"),
        Call(400, query="page=x"),
        Call(403, "manager"),
    ],
    ("POST", "/api/users"): [
        Call(201, body={"username": "new.one", "password": NEW}),
        Call(
            201,
            body={
                "username": "小美",
                "password": NEW,
                "email": "mei@example.com",
                "role": "manager",
                "display_name": "小美",
                "must_change_password": True,
            },
        ),
        Call(400, body={"username": "ADMIN", "password": NEW}),
        Call(400, body={"username": "a b", "password": "x", "role": "god", "email": "nonsense"}),
        Call(403, "manager", body={}),
    ],
    ("GET", "/api/users/login_history"): [
        Call(200, "user"),
        Call(200, query="username=user&success=false&start_date=2026-01-01&end_date=2199-01-01"),
        Call(400, query="success=perhaps"),
        Call(400, query="end_date=9999-12-31"),
    ],
    ("GET", "/api/users/{user_id}"): [Call(200), Call(200, prepare=bare_user), Call(404, at=NOBODY)],
    ("PUT", "/api/users/{user_id}"): [
        Call(200, body={}),
        Call(200, body={"role": "admin", "display_name": "新", "email": "", "is_active": False}),
        Call(400, body={"username": "admin"}),
        Call(400, body={"email": "nonsense"}),
        Call(404, at=NOBODY, body={}),
        Call(409, at={"user_id": "admin"}, body={"is_active": False}),
    ],
    ("PATCH", "/api/users/{user_id}"): [
        Call(200, body={"username": "小美"}),
        Call(400, body={"role": None}),
        Call(404, at=NOBODY, body={}),
    ],
    ("DELETE", "/api/users/{user_id}"): [
        Call(200),
        Call(404, at=NOBODY),
        Call(409, at={"user_id": "admin"}),
    ],
    ("POST", "/api/users/{user_id}/reset_password"): [
        Call(200, body={}),
        Call(200, body={"new_password": NEW}),
        Call(400, body={"new_password": "123"}),
        Call(404, at=NOBODY, body={}),
    ],
}


def send(client: Client, operation: Operation, world: World, call: Call) -> Any:
    method, path = operation
    at = {**world.paths(), **call.at}
    if at["user_id"] in world.people:
        at["user_id"] = world.people[at["user_id"]].pk
    given = {"data": call.body, "content_type": JSON} if call.body is not None else {}
    return getattr(client, method.lower())(f"{path.format(**at)}?{call.query}", **given)


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


def test_every_operation_is_called() -> None:
    assert set(CALLS) == set(operations())
    assert all(any(call.status < 300 for call in calls) for calls in CALLS.values())
    assert {operation for operation, calls in CALLS.items() if any(call.body is not None for call in calls)} >= set(
        BODIES
    )
