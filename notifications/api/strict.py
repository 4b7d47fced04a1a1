"""Bodies that hold what is asked for and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from drf_spectacular.extensions import OpenApiSerializerExtension
from rest_framework import serializers

TOLD = 20  # strange names in one answer, and
NAME_LENGTH = 100  # characters of each


class StrictSerializer(serializers.Serializer):
    """Refuses names that it does not know: a typo would otherwise pass for a change that was made.

    `also` are names that a client may give back as it got them: they are passed over, and not described.
    """

    also: ClassVar[frozenset[str]] = frozenset()

    def to_internal_value(self, data: Any) -> Any:
        known = {*self.fields, *self.also}
        strange = [name for name in data if name not in known] if isinstance(data, Mapping) else []
        try:
            value = super().to_internal_value(data)
        except serializers.ValidationError as error:
            if not strange:
                raise
            raise serializers.ValidationError({**error.detail, **_complaints(strange)}) from error  # type: ignore[dict-item]
        if strange:
            raise serializers.ValidationError(_complaints(strange))
        return value


def _complaints(strange: list[Any]) -> dict[str, list[str]]:
    return {str(name)[:NAME_LENGTH]: ["沒有這個欄位，或不能修改"] for name in strange[:TOLD]}


class StrictSchema(OpenApiSerializerExtension):
    """Says so in the description."""

    target_class = StrictSerializer
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        schema: dict[str, Any] = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        return {**schema, "additionalProperties": False}
