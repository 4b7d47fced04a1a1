"""Every POST that starts or sends something does so once for a key, however often it is repeated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils.module_loading import import_string

from bot.models import TelegramAccount
from momo.jobs.models import Job
from momo.rest.routes import api_routes
from notifications.models import OutboxMessage
from products.models import CrawlRun
from tests.contract.bodies import Form, sent
from tests.contract.conftest import undone
from tests.contract.description import check_described, operations
from tests.contract.matrix import BODIES, REPORT, STOCKOUT, STOCKOUTS
from tests.contract.world import World
from tests.rest.test_failures import check
from vendors.models import StockoutBatch, VendorSending

# A body for each, another one, and how many effects there are.
STARTS: dict[str, tuple[Any, Any, Any]] = {
    "/api/bot/command": (
        {"command": "/unlink", "confirmed": True},
        {"command": "/help"},
        lambda: -TelegramAccount.objects.count(),
    ),
    "/api/run_task": ({"categories": ["1100100000"]}, {}, CrawlRun.objects.count),
    "/api/import/drive/import": (
        BODIES["POST", "/api/import/drive/import"],
        {"file_id": "sales-1", "job_type": "daily_sales", "on_error": "skip"},
        Job.objects.count,
    ),
    "/api/import/upload": (
        BODIES["POST", "/api/import/upload"],
        Form({"job_type": "daily_sales"}, REPORT + b"2026-02-01,87654321,1,10\n"),
        Job.objects.count,
    ),
    "/api/import/jobs/{job_id}/retry": ({}, {"on_error": "skip"}, Job.objects.count),
    "/api/notification/telegram": (
        BODIES["POST", "/api/notification/telegram"],
        {"message": "另一則"},
        OutboxMessage.objects.count,
    ),
    "/api/vendor/stockout/import": (
        BODIES["POST", "/api/vendor/stockout/import"],
        Form({"on_error": "skip"}, STOCKOUTS),
        StockoutBatch.objects.count,
    ),
    "/api/trigger_momo_notification": ({}, {"again": True}, OutboxMessage.objects.count),
    "/api/vendor/stockout/send": (
        BODIES["POST", "/api/vendor/stockout/send"],
        {"stockout_ids": [STOCKOUT], "note": "另一句"},
        VendorSending.objects.count,
    ),
}
SUCCESS = dict.fromkeys(STARTS, 202) | {"/api/bot/command": 200}
EVERY_ROLE = {"/api/bot/command"}
# Why it is no matter how often the others are sent.
REPEATABLE = {
    "/api/ai/check": "it changes nothing",
    "/api/ai/generate": "each asks for another text; no transaction stays open while a model writes",
    "/api/ai/search": "each asks anew; no transaction stays open while Gemini searches",
    "/api/bot/telegram/webhook": "the second finds the update there",
    "/api/import/jobs/{job_id}/cancel": "the second asks for what was asked, or finds it cancelled",
    "/api/import/jobs/{job_id}/undo": "the second finds it undone",
    "/api/notification/render": "it changes nothing",
    "/api/products/watches": "the second finds the condition there, and sets it to the same",
    "/api/sales/alarms/acknowledge": "the second finds them acknowledged",
    "/api/sales/campaigns": "the second finds the campaign there",
    "/api/sales/notes": "the second finds the note there",
    "/api/sales/targets": "the second finds the target there",
    "/api/system/cleanup": "the second finds nothing left, or is refused while the first one runs",
    "/api/system/k8s/restart": "the second is refused until the first one has ended",
    "/api/user/change_password": "the second finds the old password wrong",
    "/api/users": "the second finds the name taken",
    "/api/users/{user_id}/reset_password": "only the last one counts",
    "/api/vendor/list": "the second finds the code taken",
    "/api/vendor/{vendor_id}/emails": "the second finds the address there",
}


@pytest.fixture(params=["manager", "admin"])
def actor(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def post(world: World) -> Callable[..., Any]:
    def send(client: Any, path: str, body: Any, key: str, after: str = "") -> Any:
        address = path.format(**world.paths(path)) + after
        return client.post(address, **sent(body), headers={"Idempotency-Key": key})

    return send


def test_every_post_is_the_one_or_the_other() -> None:
    posts = {route.path: import_string(route.view) for route in api_routes() if route.method == "POST"}
    assert {path for path, view in posts.items() if view.idempotent} == set(STARTS)
    assert set(posts) == STARTS.keys() | REPEATABLE.keys()


@pytest.mark.parametrize("way", ["cookie", "token"])
@pytest.mark.parametrize("path", STARTS)
def test_the_first_answer_again(path: str, way: str, actor: str, world: World, post: Any) -> None:
    body, other, effects = STARTS[path]
    client = world.actors[actor][way]
    before = effects()
    with undone():
        first = post(client, path, body, "k-1")
        assert first.status_code == SUCCESS[path]
        assert "Idempotent-Replayed" not in first
        for _ in range(2):
            again = post(client, path, body, "k-1")
            assert (again.status_code, again.content) == (first.status_code, first.content)
            assert again["Idempotent-Replayed"] == "true"
            check_described(again, ("POST", path))
        assert effects() == before + 1
        refused = post(client, path, other, "k-1")
        check(refused, 409, "CONFLICT")
        check_described(refused, ("POST", path))
        with_slash = post(client, path, body, "k-1", "/")
        assert with_slash.content == first.content, "the same path"
        assert effects() == before + 1


@pytest.mark.parametrize("path", STARTS)
def test_a_key_is_of_one_person_and_no_way_around_the_role(path: str, world: World, post: Any) -> None:
    body, _, _ = STARTS[path]
    with undone():
        first = post(world.actors["manager"]["token"], path, body, "k-1")
        assert "Idempotent-Replayed" not in post(world.actors["admin"]["token"], path, body, "k-1")
        assert post(world.actors["manager"]["cookie"], path, body, "k-1").content == first.content
        if path not in EVERY_ROLE:
            check(post(world.actors["user"]["token"], path, body, "k-1"), 403, "PERMISSION_DENIED")
        check(post(world.actors["nobody"]["nothing"], path, body, "k-1"), 401, "AUTH_REQUIRED")


@pytest.mark.parametrize("path", STARTS)
@pytest.mark.parametrize("key", ["", " ", "two words", "x" * 201, "鍵"])
def test_keys_that_are_none(path: str, key: str, world: World, post: Any) -> None:
    response = post(world.actors["admin"]["token"], path, STARTS[path][0], key)
    assert "Idempotency-Key" in check(response, 400, "VALIDATION_ERROR")["fields"]


@pytest.mark.parametrize("path", STARTS)
def test_the_header_is_described(path: str) -> None:
    operation = operations()["POST", path]
    assert "Idempotency-Key" in {parameter["name"] for parameter in operation["parameters"]}
    assert "Idempotent-Replayed" in operation["responses"][str(SUCCESS[path])]["headers"]
