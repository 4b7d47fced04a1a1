"""Serializers of the template endpoints."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from momo.rest.serializers import StrictSerializer
from notifications.models import Format, Template, TemplateVersion
from notifications.models.templates import BODY_LENGTH, SUBJECT_LENGTH
from notifications.services.shipped import CONTENT, shipped_templates
from notifications.templating.bounds import NAME_LENGTH, VARIABLES
from notifications.templating.variables import DESCRIPTION_LENGTH, LABELS, SCALAR_TYPES

TYPES = tuple(LABELS.items())
SCALARS = tuple((name, LABELS[name]) for name in SCALAR_TYPES)
BODY_HELP = (
    "Liquid 範本：{{ 變數 | 過濾器 }}、{% if %}、{% for %}、{% case %}。"
    "只有標籤的一行請寫成 {%- if … %}，才不會多出空行"
)


class RenderSerializer(serializers.Serializer[Any]):
    """Body of a request to render a template."""

    code = serializers.CharField(max_length=40, help_text="範本代碼")
    variables = serializers.DictField(required=False, default=dict, help_text="範本宣告的變數與值")


class RenderedSerializer(serializers.Serializer[Any]):
    """A rendered message."""

    code = serializers.CharField()
    subject = serializers.CharField(allow_blank=True, help_text="一行純文字")
    body = serializers.CharField(allow_blank=True, help_text="以 `format` 書寫，值已經跳脫")
    format = serializers.ChoiceField(Format.choices)


class FieldSerializer(StrictSerializer):
    """A field of a list's items."""

    name = serializers.RegexField(
        r"^[a-z][a-z0-9_]*$",
        max_length=NAME_LENGTH,
        help_text="小寫英文字母、數字與底線",
        error_messages={"invalid": "請用小寫英文字母、數字與底線，以字母開頭"},
    )
    type = serializers.ChoiceField(SCALARS)
    required = serializers.BooleanField(required=False, default=False)  # type: ignore[assignment]
    example = serializers.JSONField(required=False, allow_null=True, default=None, help_text="這個類型的值")
    description = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=DESCRIPTION_LENGTH, trim_whitespace=False
    )


class VariableSerializer(FieldSerializer):
    """A declared variable."""

    type = serializers.ChoiceField(TYPES)
    fields = FieldSerializer(  # type: ignore[assignment, call-arg]
        many=True, required=False, max_length=VARIABLES, help_text="清單裡每一項的欄位；沒有欄位即文字清單"
    )


def _name(user: Any) -> str:
    return str(user) if user is not None else ""


class TemplateSummarySerializer(serializers.ModelSerializer[Template]):
    """A template in a list, without its texts and variables."""

    shipped = serializers.SerializerMethodField(help_text="系統會用到，不能刪除")
    updated_by = serializers.SerializerMethodField(help_text="空字串為系統")

    class Meta:
        model = Template
        fields: tuple[str, ...] = ("code", *CONTENT[:3], "version", "shipped", "updated_at", "updated_by")

    def get_shipped(self, template: Template) -> bool:
        return template.code in shipped_templates()

    def get_updated_by(self, template: Template) -> str:
        return _name(template.updated_by)


class TemplateSerializer(TemplateSummarySerializer):
    """A whole template."""

    variables = VariableSerializer(many=True)

    class Meta(TemplateSummarySerializer.Meta):
        fields = (*TemplateSummarySerializer.Meta.fields, *CONTENT[3:])


class TemplateChangesSerializer(StrictSerializer):
    """Changes of a template; fields that are left out stay. Other fields of GET may be sent back unchanged."""

    also = frozenset(TemplateSerializer.Meta.fields)
    title = serializers.CharField(required=False, max_length=100)
    description = serializers.CharField(required=False, allow_blank=True, max_length=300)
    format = serializers.ChoiceField(Format.choices, required=False)
    subject = serializers.CharField(
        required=False, allow_blank=True, max_length=SUBJECT_LENGTH, trim_whitespace=False, help_text=BODY_HELP
    )
    body = serializers.CharField(required=False, max_length=BODY_LENGTH, trim_whitespace=False, help_text=BODY_HELP)
    variables = VariableSerializer(many=True, required=False, max_length=VARIABLES)  # type: ignore[call-arg]
    note = serializers.CharField(required=False, allow_blank=True, max_length=200, help_text="這次修改的備註")


class TemplateVersionSerializer(serializers.ModelSerializer[TemplateVersion]):
    """A version of a template, with its whole content."""

    variables = VariableSerializer(many=True)
    created_by = serializers.SerializerMethodField(help_text="空字串為系統")

    class Meta:
        model = TemplateVersion
        fields = ("number", *CONTENT, "note", "created_at", "created_by")

    def get_created_by(self, version: TemplateVersion) -> str:
        return _name(version.created_by)
