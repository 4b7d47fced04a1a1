"""Templates over REST: n8n renders, the team reads, managers change."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Role, User
from notifications.models import Template
from notifications.services.templates import save_template, shipped_templates, template_by_code
from tests.kit.users import person, token_client
from tests.rest.test_failures import check

pytestmark = pytest.mark.django_db
JSON = "application/json"
PATH = "/api/notification/templates/disk_warning"


@pytest.fixture
def user() -> Client:
    return token_client(person("amy"))


@pytest.fixture
def manager() -> User:
    return person("max", Role.MANAGER)


@pytest.fixture
def client(manager: User) -> Client:
    return token_client(manager)


def render(client: Client, body: Any) -> Any:
    return client.post("/api/notification/render", body, content_type=JSON)


def test_n8n_gets_one_object(user: Client) -> None:
    body = render(user, {"code": "disk_warning", "variables": {"usage_percent": 85, "host": "<web>"}}).json()
    assert body["success"] is True
    assert body["data"] == {
        "code": "disk_warning",
        "subject": "磁碟空間警告：<web> 已用 85%",
        "body": "🟡 <b>磁碟空間警告：已用 85%</b>\n主機：&lt;web&gt;\n",
        "format": "telegram_html",
    }


@pytest.mark.parametrize(
    ("variables", "fields"),
    [
        (None, {"variables.usage_percent"}),
        ({}, {"variables.usage_percent"}),
        ({"usage": 85}, {"variables.usage_percent", "variables.usage"}),
        ({"usage_percent": "many", "free_gb": []}, {"variables.usage_percent", "variables.free_gb"}),
        ({"usage_percent": True}, {"variables.usage_percent"}),
        ([85], {"variables"}),
        ("85", {"variables"}),
    ],
)
def test_values_that_are_wrong_are_named(variables: Any, fields: set[str], user: Client) -> None:
    given = {"code": "disk_warning"} | ({} if variables is None else {"variables": variables})
    assert set(check(render(user, given), 400, "VALIDATION_ERROR")["fields"]) == fields


def test_failures_are_json(user: Client) -> None:
    check(render(user, {"code": "no_such", "variables": {}}), 404, "NOT_FOUND")
    assert "code" in check(render(user, {"variables": {}}), 400, "VALIDATION_ERROR")["fields"]
    check(render(user, "{"), 400, "VALIDATION_ERROR")
    check(render(user, '{"code": "disk_warning", "variables": {"usage_percent": NaN}}'), 400, "VALIDATION_ERROR")
    check(render(user, '{"code": "disk_warning", "variables": {"usage_percent": 1e999}}'), 400, "VALIDATION_ERROR")
    deep = '{"code": "disk_warning", "variables": {"usage_percent": ' + "[" * 50_000 + "]" * 50_000 + "}}"
    check(render(user, deep), 400, "VALIDATION_ERROR")
    nested = json.dumps({"code": "disk_warning", "variables": {"usage_percent": json.loads("[" * 400 + "]" * 400)}})
    check(render(user, nested), 400, "VALIDATION_ERROR")
    huge = '{"code": "disk_warning", "variables": {"usage_percent": ' + "9" * 4000 + "}}"
    check(render(user, huge), 400, "VALIDATION_ERROR")
    check(render(Client(), {"code": "disk_warning"}), 401, "AUTH_REQUIRED")


def test_a_template_that_cannot_be_rendered_says_its_line(user: Client) -> None:
    Template.objects.filter(code="disk_warning").update(body="甲\n{{ usage_percent | divided_by: 0 }}")
    failure = check(render(user, {"code": "disk_warning", "variables": {"usage_percent": 1}}), 400, "VALIDATION_ERROR")
    assert failure["error"] == "內文第 2 行：不能除以 0"


def test_list_and_one(user: Client, manager: User) -> None:
    save_template(template=template_by_code("disk_warning"), user=manager, title="磁碟")
    with CaptureQueriesContext(connection) as queries:
        listed = user.get("/api/notification/templates?per_page=5").json()["data"]
    assert len([query for query in queries if "notifications_" in (query["sql"] or "")]) == 2
    assert (listed["total"], len(listed["items"])) == (len(shipped_templates()), 5)
    one = next(item for item in listed["items"] if item["code"] == "disk_warning")
    assert (one["title"], one["version"], one["updated_by"], one["shipped"]) == ("磁碟", 2, "max", True)
    assert "body" not in one
    whole = user.get(PATH).json()["data"]
    assert {name: whole[name] for name in one} == one
    assert [variable["name"] for variable in whole["variables"]] == ["usage_percent", "host", "path", "free_gb"]
    check(user.get("/api/notification/templates/no_such"), 404, "NOT_FOUND")


@pytest.mark.parametrize("method", ["put", "patch"])
def test_what_is_left_out_stays(method: str, client: Client, user: Client) -> None:
    before = user.get(PATH).json()["data"]
    send = getattr(client, method)
    changes = {"body": "已用 {{ usage_percent | percent }}", "note": "改短"}
    changed = send(PATH, changes, content_type=JSON).json()["data"]
    assert changed == {
        **before,
        "body": "已用 {{ usage_percent | percent }}",
        "version": 2,
        "updated_by": "max",
        "updated_at": changed["updated_at"],
    }
    assert user.get(PATH).json()["data"] == changed
    assert send(PATH, {}, content_type=JSON).json()["data"]["version"] == 2
    versions = user.get(f"{PATH}/versions").json()["data"]["items"]
    assert [(version["number"], version["note"], version["created_by"]) for version in versions] == [
        (2, "改短", "max"),
        (1, "系統預設", ""),
    ]
    assert render(user, {"code": "disk_warning", "variables": {"usage_percent": 7}}).json()["data"]["body"] == "已用 7%"


def test_what_was_read_can_be_sent_back(client: Client) -> None:
    for item in client.get("/api/notification/templates").json()["data"]["items"]:
        path = f"/api/notification/templates/{item['code']}"
        whole = client.get(path).json()["data"]
        again = client.put(path, whole, content_type=JSON)
        assert again.json()["data"] == whole, again.content


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"body": "一\n{% if usage_percent %}\n{{ usage }}{% endif %}", "subject": "{{ x }}"}, {"body", "subject"}),
        ({"body": "{{ usage_percent"}, {"body"}),
        ({"body": "<script>x</script>"}, {"body"}),
        ({"body": ""}, {"body"}),
        ({"format": "word"}, {"format"}),
        ({"variables": []}, {"subject", "body"}),
        ({"variables": [{"name": "usage percent", "type": "number"}]}, {"variables.0.name"}),
        ({"variables": [{"name": "a", "type": "number", "example": "x"}]}, {"variables", "subject", "body"}),
        ({"variables": "x"}, {"variables"}),
        ({"title": ""}, {"title"}),
    ],
)
def test_a_bad_template_is_not_saved(changes: dict[str, Any], fields: set[str], client: Client) -> None:
    failure = check(client.put(PATH, changes, content_type=JSON), 400, "VALIDATION_ERROR")
    assert set(failure["fields"]) <= fields
    assert failure["fields"]
    assert template_by_code("disk_warning").version == 1


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"bodyy": "x"}, {"bodyy"}),
        ({"code": "other"}, {"code"}),
        ({"title": "新", "versoin": 9}, {"versoin"}),
        ({"title": "", "bodyy": "x"}, {"title", "bodyy"}),
        ({"variables": [{"name": "a", "type": "text", "requird": True}]}, {"variables.0.requird"}),
        (
            {"variables": [{"name": "a", "type": "list", "fields": [{"name": "b", "type": "text", "x": 1}]}]},
            {"variables.0.fields.0.x"},
        ),
        ({"variables": ["a"]}, {"variables.0"}),
    ],
)
@pytest.mark.parametrize("method", ["put", "patch"])
def test_a_name_that_is_not_known_is_refused(
    method: str, changes: dict[str, Any], fields: set[str], client: Client
) -> None:
    failure = check(getattr(client, method)(PATH, changes, content_type=JSON), 400, "VALIDATION_ERROR")
    assert set(failure["fields"]) == fields
    assert template_by_code("disk_warning").version == 1


def test_many_strange_names_do_not_make_a_long_answer(client: Client) -> None:
    failure = check(
        client.put(PATH, {f"{n}{'x' * 500}": 1 for n in range(300)}, content_type=JSON), 400, "VALIDATION_ERROR"
    )
    assert len(failure["fields"]) == 20
    assert max(map(len, failure["fields"])) == 100


def test_the_lines_are_told(client: Client) -> None:
    changes = {"body": "一\n{{ usage }}\n{{ usage_percent | huh }}"}
    failure = check(client.put(PATH, changes, content_type=JSON), 400, "VALIDATION_ERROR")
    assert failure["fields"]["body"] == [
        "第 2 行：沒有宣告變數「usage」，是不是「usage_percent」？",
        "第 3 行：沒有過濾器「huh」",
    ]


def test_only_managers_change(user: Client) -> None:
    check(user.put(PATH, {"title": "x"}, content_type=JSON), 403, "PERMISSION_DENIED")
    check(user.patch(PATH, {"title": "x"}, content_type=JSON), 403, "PERMISSION_DENIED")
