"""Import and export of templates: one row each, their variables as JSON."""

from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import ValidationError
from import_export.fields import Field
from import_export.widgets import Widget

from momo.admin.kit.transfer import ChoiceWidget, SheetResource, TextWidget, without_mark
from momo.core.errors import ValidationFailed
from momo.core.texts import parse_json
from notifications.admin.diffs import variable_lines
from notifications.models import Format, Template
from notifications.services.templates import save_template
from notifications.templating.check import FIELDS, check_template


class WrittenWidget(Widget):
    """A text whose spaces and line breaks matter."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        text = value if isinstance(value, str) else TextWidget().clean(value)
        return without_mark(text.replace("\r\n", "\n").replace("\r", "\n"))

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return str(value or "")


class VariablesWidget(Widget):
    """A list of declarations as JSON."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> list[Any]:
        text = TextWidget().clean(value)
        if not text:
            return []
        try:
            variables = parse_json(text)
        except ValueError as error:
            raise ValueError("不是正確的 JSON") from error
        if not isinstance(variables, list):
            raise ValueError("要是清單：[{...}]")
        return variables

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return json.dumps(value or [], ensure_ascii=False)

    def lines(self, value: Any) -> str:
        """Return the declarations as lines, for the page of differences."""
        return variable_lines(value)


class TemplateResource(SheetResource):
    """Templates by code; each row passes the check of the form, and creates a version."""

    MAX_ROWS = 200  # each template is compiled, and rendered three times
    empty_cells = "留空的儲存格會清空那一欄；格式例外，留空即不變。沒有的欄位不變。"

    code = Field("code", "代碼", widget=TextWidget())
    title = Field("title", "名稱", widget=TextWidget())
    description = Field("description", "說明", widget=TextWidget())
    format = Field("format", "格式", widget=ChoiceWidget(Format.choices), saves_null_values=False)
    subject = Field("subject", "主旨", widget=WrittenWidget())
    body = Field("body", "內文", widget=WrittenWidget())
    variables = Field("variables", "變數", widget=VariablesWidget())

    class Meta:
        model = Template
        name = "通知範本"
        fields = ("code", "title", "description", "format", "subject", "body", "variables")
        import_id_fields = ("code",)

    def validate_instance(
        self, instance: Template, import_validation_errors: Any = None, validate_unique: bool = True
    ) -> None:
        errors = dict(import_validation_errors or {})
        if "variables" not in errors and instance.format in Format.values:
            try:
                check_template(**{name: getattr(instance, name) for name in FIELDS})
            except ValidationFailed as failure:
                for name, texts in failure.fields.items():
                    errors.setdefault(name, ValidationError(texts))
        super().validate_instance(instance, errors, validate_unique)

    def save_instance(self, instance: Template, is_create: bool, row: Any, **kwargs: Any) -> None:
        """Save through the service, which writes the version; after a preview the library rolls back."""
        values = {name: getattr(instance, name) for name in self._meta.fields}
        saved = save_template(template=None if is_create else instance, user=kwargs.get("user"), note="匯入", **values)
        instance.pk = saved.pk
