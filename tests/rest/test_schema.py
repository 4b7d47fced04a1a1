"""The description of the API: valid, without warnings, and served by ourselves only."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from tests.rest.test_failures import check


@pytest.mark.django_db
def test_validates_without_warnings(tmp_path: Any, settings: Any) -> None:
    settings.ROOT_URLCONF = "momo.urls"
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "schema.yaml"))


@pytest.fixture
def schema(settings: Any) -> dict[str, Any]:
    settings.ROOT_URLCONF = "momo.urls"
    made: dict[str, Any] = SchemaGenerator().get_schema(public=True)
    return made


def test_both_ways_in(schema: dict[str, Any]) -> None:
    assert schema["components"]["securitySchemes"]["bearerAuth"]["scheme"] == "bearer"
    assert schema["components"]["securitySchemes"]["cookieAuth"]["name"] == "sessionid"
    assert schema["paths"]["/api/users"]["get"]["security"] == [{"bearerAuth": []}, {"cookieAuth": []}]


def test_envelope_and_failures(schema: dict[str, Any]) -> None:
    listing = schema["paths"]["/api/users"]["get"]
    body = listing["responses"]["200"]["content"]["application/json"]["schema"]
    assert set(body["required"]) == {"success", "data", "message"}
    assert {parameter["name"] for parameter in listing["parameters"]} == {"page", "per_page", "q", "role", "is_active"}
    assert listing["x-role"] == "admin"
    assert "管理員" in listing["description"]
    change = schema["paths"]["/api/users/{user_id}"]["put"]
    assert set(change["responses"]) == {"200", "400", "401", "403", "404", "409", "413", "429", "500", "503"}
    failure = change["responses"]["409"]["content"]["application/json"]["schema"]
    assert failure == {"$ref": "#/components/schemas/Failure"}


def test_bare_bodies_are_described_bare(schema: dict[str, Any]) -> None:
    body = schema["paths"]["/api/products"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    name = body["$ref"].rpartition("/")[2]
    assert set(schema["components"]["schemas"][name]["properties"]) == {
        "items",
        "total",
        "page",
        "per_page",
        "total_pages",
    }


def test_served_to_logged_in_users(api: Client, nobody: Client) -> None:
    for path in ("/api/schema", "/api/docs"):
        check(nobody.get(path, headers={"Accept": "text/html"}), 401, "AUTH_REQUIRED")
    assert b"openapi: 3" in api.get("/api/schema").content
    assert api.get("/api/schema", headers={"Accept": "text/html"}).status_code == 200


def test_docs_load_nothing_from_elsewhere(api: Client) -> None:
    page = api.get("/api/docs", headers={"Accept": "text/html"}).content.decode()
    assert "/static/drf_spectacular_sidecar/" in page
    assert "http://" not in page
    assert "https://" not in page
    assert "<script>" not in page
    script = api.get("/api/docs?script=", headers={"Accept": "*/*"})
    assert "/api/schema" in script.content.decode()
