"""The OpenAPI description as tests use it: its operations, and whether an answer is what it says."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
from drf_spectacular.generators import SchemaGenerator

Operation = tuple[str, str]
JSON = "application/json"


@functools.cache
def description() -> dict[str, Any]:
    made: dict[str, Any] = SchemaGenerator().get_schema(public=True)
    # Through JSON, as clients get it: what is lazy or a tuple becomes plain.
    plain: dict[str, Any] = json.loads(json.dumps(made, default=str))
    return plain


def operations() -> dict[Operation, dict[str, Any]]:
    """Every operation of the API by method and path; /login, which is a page, is not among them."""
    return {
        (method.upper(), path): operation
        for path, item in description()["paths"].items()
        if path.startswith("/api/")
        for method, operation in item.items()
    }


def strict(schema: Any) -> Any:
    """An OpenAPI 3.0 schema as JSON Schema 2020-12, with no property but those that it names."""
    if isinstance(schema, list):
        return [strict(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: strict(value) for name, value in schema.items() if name not in {"properties", "example"}}
    if "properties" in schema:
        made["properties"] = {name: strict(value) for name, value in schema["properties"].items()}
        made.setdefault("additionalProperties", False)
    for bound, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if made.pop(bound, False):
            made[bound] = made.pop(limit)
    if made.pop("nullable", False):
        made = {"anyOf": [made, {"type": "null"}]}
    return made


@functools.cache
def _components() -> dict[str, Any]:
    return {name: strict(schema) for name, schema in description()["components"]["schemas"].items()}


def complaints(schema: dict[str, Any], value: Any) -> list[str]:
    """Why `value` is not what `schema` of the description says; formats count."""
    whole = {**strict(schema), "components": {"schemas": _components()}}
    validator = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
    return [f"{'/'.join(map(str, error.instance_path))}: {error.message}" for error in validator.iter_errors(value)]


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema that a reference leads to."""
    while "$ref" in schema:
        schema = description()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def check_described(response: Any, operation: Operation) -> None:
    """Status, type and body of an answer are those that the description has for `operation`."""
    described = operations()[operation]["responses"]
    status, kind = str(response.status_code), response["Content-Type"].partition(";")[0]
    assert status in described, f"{operation} does not say that it answers {status}"
    contents = described[status]["content"]
    assert kind in contents, f"{operation} answers {status} as {kind}, said are {list(contents)}"
    if kind == JSON:
        assert complaints(contents[JSON]["schema"], response.json()) == []
    for name, header in described[status].get("headers", {}).items():
        if name != "Idempotent-Replayed":
            text = response[name]
            value = int(text) if header["schema"]["type"] == "integer" else text
            assert complaints(header["schema"], value) == []


def examples(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Every example of an operation: where it stands, the schema beside it, and its value."""
    places = [("request", operation.get("requestBody", {})), *operation["responses"].items()]
    for place, holder in places:
        for media in holder.get("content", {}).values():
            for name, example in media.get("examples", {}).items():
                yield f"{place} {name}", media["schema"], example["value"]
