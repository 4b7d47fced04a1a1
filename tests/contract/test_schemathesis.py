"""Schemathesis reads the description and asks what it allows, and what it does not: as an admin, or as each role."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, CheckContext, GenerationMode, Response
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    positive_data_acceptance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.contract.conftest import undone
from tests.contract.description import Operation, description, operations
from tests.contract.world import TELEGRAM, World

# Requests an operation; fewer where most are refused by the role before anything else is read. Nothing is refused to an
# admin, so the other roles are tried in long runs only; which of them may do what is the matter of test_matrix.
EXAMPLES = {"admin": 5}
LONG_EXAMPLES = {"nobody": 4, "user": 6, "manager": 6, "admin": 20}
# What fits the schema may still be refused for what no schema says: a category that does not exist, days in the wrong
# order, century or company, fractions of a cent, a sum with a name, names that nobody has, texts that are no templates
# or show nothing, empty files, pages that Drive does not know, passwords that are weak or wrong, addresses that only
# the standard allows, facts in each other.
BEYOND = {
    "amount",
    "batch_id",
    "body",
    "brand",
    "categories",
    "category",
    "command",
    "current_password",
    "date",
    "email",
    "end_date",
    "facts",
    "file",
    "first",
    "gross_profit",
    "key",
    "last",
    "message",
    "month",
    "name",
    "new_password",
    "page_token",
    "password",
    "pm",
    "product_id",
    "start_date",
    "style",
    "subject",
    "variables",
    "vendor_code",
    "year",
}
CONFORMANCE = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# The same requests each time, with nothing kept between runs.
STEADY = settings(
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def app() -> Iterator[WSGIHandler]:
    """The whole application, in this thread and its transaction, which Django would close between requests."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield WSGIHandler()
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture(scope="module")
def api(app: WSGIHandler) -> Any:
    loaded = schemathesis.openapi.from_dict(copy.deepcopy(description()))
    loaded.app = app
    loaded.config.generation.update(with_security_parameters=False, allow_x00=False)
    return loaded


def takes_what_fits(ctx: CheckContext, response: Response, case: Case) -> bool | None:
    if response.status_code == 400:
        fields = set(response.json().get("fields", {}))
        if fields and fields <= BEYOND:
            return None
    return positive_data_acceptance(ctx, response, case)


def refuses_what_does_not(ctx: CheckContext, response: Response, case: Case) -> bool | None:
    # A body of `null` is no body, where none is needed.
    if case.body is None and not case.operation.definition.raw.get("requestBody", {}).get("required"):
        return None
    # In a form one text is a list of one, and Schemathesis sends no empty texts of a list.
    form = case.body if case.media_type == "multipart/form-data" and isinstance(case.body, dict) else {}
    sheets = form.get("sheets")
    if isinstance(sheets, str) or (isinstance(sheets, list) and "" in sheets):
        return None
    return negative_data_rejection(ctx, response, case)


def probe(strategy: Any, *, examples: int, headers: dict[str, str]) -> None:
    @settings(STEADY, max_examples=examples)
    @given(case=strategy)
    def ask(case: Case) -> None:
        with undone():
            response = case.call(headers=headers)
        assert response.headers["x-request-id"]
        case.validate_response(response, checks=[*CONFORMANCE, takes_what_fits, refuses_what_does_not], headers=headers)

    ask()


def credentials(actor: str, world: World) -> dict[str, str]:
    return {"Authorization": f"Bearer {world.tokens[actor]}", **TELEGRAM} if actor in world.tokens else {}


each_actor = pytest.mark.parametrize(
    ("actor", "examples"),
    [
        *EXAMPLES.items(),
        *(pytest.param(actor, count, marks=pytest.mark.long) for actor, count in LONG_EXAMPLES.items()),
    ],
)


@each_actor
@pytest.mark.parametrize("operation", sorted(operations()), ids=" ".join)
def test_what_fits(operation: Operation, actor: str, examples: int, api: Any, world: World) -> None:
    """Of things that exist, so that it is more than 404."""
    method, path = operation
    there = {name: value for name, value in world.paths(path).items() if f"{{{name}}}" in path and name != "kind"}
    strategy = api[path][method].as_strategy(path_parameters=there or None)
    probe(strategy, examples=examples, headers=credentials(actor, world))


@each_actor
@pytest.mark.parametrize(
    "operation",
    sorted(name for name, one in operations().items() if one.get("parameters") or one.get("requestBody")),
    ids=" ".join,
)
def test_what_does_not_fit(operation: Operation, actor: str, examples: int, api: Any, world: World) -> None:
    method, path = operation
    strategy = api[path][method].as_strategy(generation_mode=GenerationMode.NEGATIVE)
    probe(strategy, examples=examples, headers=credentials(actor, world))
