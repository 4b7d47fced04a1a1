"""Bodies are what the schema says: objects, without unknown names, with values of the described types."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from accounts.models import User
from momo.jobs.api.serializers import DriveImportSerializer
from momo.rest.errors import flatten
from momo.rest.serializers import wrong_types
from notifications.api.serializers import TemplateChangesSerializer
from products.api.serializers import RunTaskSerializer
from products.models import Category
from tests.kit.users import PASSWORD, token_client
from tests.rest.test_failures import check

ECHO = {"name": "乳霜", "price": 5}


@pytest.fixture
def boss(admin: User) -> Client:
    return token_client(admin)


def post(client: Client, path: str, body: Any) -> Any:
    return client.post(path, body, content_type="application/json")


@pytest.mark.parametrize("path", ["/api/t/echo", "/api/users"])
def test_null_is_no_body(path: str, boss: Client) -> None:
    assert check(post(boss, path, "null"), 400, "VALIDATION_ERROR")["fields"].keys() == {"non_field_errors"}


def test_null_resets_no_password(boss: Client, user: User) -> None:
    check(post(boss, f"/api/users/{user.pk}/reset_password", "null"), 400, "VALIDATION_ERROR")
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
    assert post(boss, f"/api/users/{user.pk}/reset_password", {}).status_code == 200


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"name": 5}, "文字"),
        ({"name": True}, "文字"),
        ({"price": "5"}, "數字"),
        ({"price": True}, "數字"),
        ({"sure": "yes"}, "true"),
        ({"sure": 1}, "true"),
    ],
)
def test_a_value_of_another_type_is_named(wrong: dict[str, Any], word: str, boss: Client) -> None:
    body = check(post(boss, "/api/t/echo", ECHO | wrong), 400, "VALIDATION_ERROR")

    assert list(body["fields"]) == list(wrong)
    assert word in body["fields"][next(iter(wrong))][0]


def test_types_are_looked_at_in_lists_and_objects() -> None:
    assert dict(wrong_types(RunTaskSerializer(), {"categories": ["1100100001", 1100100002]})).keys() == {"categories.1"}
    template = {"variables": [{"name": 5, "fields": [{"name": "x", "required": "yes"}], "example": 5}], "title": None}
    found = dict(wrong_types(TemplateChangesSerializer(), template))
    assert found.keys() == {"variables.0.name", "variables.0.fields.0.required"}


@pytest.mark.parametrize(
    ("made", "name", "item", "most"),
    [
        (RunTaskSerializer, "categories", 1, 500),
        (DriveImportSerializer, "sheets", 1, 100),
        (TemplateChangesSerializer, "variables", {"name": 5}, 50),
    ],
)
def test_a_list_that_is_too_long_is_one_error(made: Any, name: str, item: Any, most: int) -> None:
    """And not one of each item: a body of 2 MB holds a million."""
    body = {name: [item] * (most + 1)}
    serializer = made(data=body)

    assert not serializer.is_valid()
    assert [*flatten(serializer.errors[name]).values()] == [[f"最多 {most} 個項目。"]]
    assert [*wrong_types(serializer, body)] == []


def test_unknown_names_of_users_are_refused(boss: Client, user: User) -> None:
    new = {"username": "new.one", "password": PASSWORD, "is_superuser": True, "rolle": "admin"}
    body = check(post(boss, "/api/users", new), 400, "VALIDATION_ERROR")
    assert body["fields"].keys() == {"is_superuser", "rolle"}
    assert not User.objects.filter(username="new.one").exists()

    changed = boss.patch(f"/api/users/{user.pk}", {"rolle": "admin"}, content_type="application/json")
    assert check(changed, 400, "VALIDATION_ERROR")["fields"].keys() == {"rolle"}

    whole = boss.get(f"/api/users/{user.pk}").json()["data"] | {"display_name": "小美"}
    assert boss.put(f"/api/users/{user.pk}", whole, content_type="application/json").status_code == 200
    user.refresh_from_db()
    assert user.display_name == "小美"


@pytest.mark.parametrize("code", ["１１００１００００１", "١١٠٠١٠٠٠٠١"])
def test_digits_are_those_of_ascii(code: str) -> None:
    assert not RunTaskSerializer(data={"categories": [code]}).is_valid()
    with pytest.raises(ValidationError, match="10 位數字"):
        Category(code=code, name="精華液").clean_fields()


def test_no_cache_keeps_answers(boss: Client, nobody: Client) -> None:
    for answer in (
        boss.get("/api/t/echo"),
        nobody.get("/api/t/echo"),
        boss.get("/api/nothing"),
        post(boss, "/api/t/echo", "{"),
    ):
        assert answer["Cache-Control"] == "no-store"
        assert {"Cookie", "Authorization"} <= {name.strip() for name in answer["Vary"].split(",")}


def test_pages_run_only_scripts_of_this_server(nobody: Client, settings: Any) -> None:
    settings.ROOT_URLCONF = "momo.urls"
    for path in ("/login", "/nothing"):
        policy = nobody.get(path)["Content-Security-Policy"]
        assert "script-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
    assert "Content-Security-Policy" not in nobody.get("/api/products")
