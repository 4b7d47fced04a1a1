"""Request bodies as the schema describes them: no unknown names, and JSON values of the type that is described."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

from drf_spectacular.extensions import OpenApiSerializerExtension
from rest_framework import serializers

MOST = 20  # unknown names in one answer
SHOWN = 100  # characters of each of them


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses unknown names, since a typo would otherwise look like a change that was made.

    `also` are names that a client may send back as it got them: they are ignored, and not described in the schema.
    `any_of` are names of which one has to be there; the schema says so, and a service refuses a body without.
    """

    also: ClassVar[frozenset[str]] = frozenset()
    any_of: ClassVar[tuple[str, ...]] = ()

    def to_internal_value(self, data: Any) -> Any:
        names = [name for name in data if name not in {*self.fields, *self.also}] if isinstance(data, Mapping) else []
        unknown = {str(name)[:SHOWN]: ["沒有這個欄位，或不能修改"] for name in names[:MOST]}
        try:
            value = super().to_internal_value(data)
        except serializers.ValidationError as error:
            if unknown:
                error.detail = {**error.detail, **unknown}  # type: ignore[dict-item]
            raise
        if unknown:
            raise serializers.ValidationError(unknown)
        return value


class StrictSchema(OpenApiSerializerExtension):
    """Describes a StrictSerializer with `additionalProperties: false`."""

    target_class = StrictSerializer
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        schema: dict[str, Any] = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        needed = {"anyOf": [{"required": [name]} for name in self.target.any_of]} if self.target.any_of else {}
        return {**schema, **needed, "additionalProperties": False}


class OpenSerializer(serializers.Serializer[Any]):
    """Describes a body with further members than those that it names."""


class OpenSchema(OpenApiSerializerExtension):
    """Describes an OpenSerializer with `additionalProperties: true`."""

    target_class = OpenSerializer
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        schema: dict[str, Any] = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        return {**schema, "additionalProperties": True}


class ListField(serializers.ListField):
    """A list whose length is checked before its items: a body of 2 MB holds a million, and each may be an error."""

    def to_internal_value(self, data: Any) -> Any:
        if self.max_length is not None and isinstance(data, list) and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        return super().to_internal_value(data)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


# Of JSON; REST framework would also take 5 for "5", "5" for 5 and "yes" for true.
_TYPES: tuple[tuple[tuple[type[serializers.Field[Any, Any, Any, Any]], ...], Callable[[Any], bool], str], ...] = (
    ((serializers.CharField,), lambda value: isinstance(value, str), "請輸入文字（JSON 字串）"),
    ((serializers.BooleanField,), lambda value: isinstance(value, bool), "請輸入 true 或 false"),
    (
        (serializers.IntegerField, serializers.FloatField, serializers.DecimalField),
        _is_number,
        "請輸入數字（JSON 數字，不加引號）",
    ),
)


def wrong_types(field: Any, value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Names and messages of JSON values that are not of the type that their field is described with."""
    if value is None:
        return
    for kinds, fits, message in _TYPES:
        if isinstance(field, kinds) and not fits(value):
            yield path, message
    parts: list[tuple[str, Any, Any]]
    if isinstance(field, serializers.Serializer) and isinstance(value, Mapping):
        parts = [(name, part, value[name]) for name, part in field.fields.items() if name in value]
    elif isinstance(field, (serializers.ListSerializer, serializers.ListField)) and isinstance(value, list):
        most: int | None = getattr(field, "max_length", None)
        if most is not None and len(value) > most:
            return  # one error of the list itself
        parts = [(str(place), field.child, one) for place, one in enumerate(value)]
    else:
        return
    for name, part, one in parts:
        yield from wrong_types(part, one, f"{path}.{name}" if path else name)
