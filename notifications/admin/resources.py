"""Templates in and out of spreadsheets: one row each, their variables as JSON."""

from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import ValidationError
from import_export.fields import Field
from import_export.instance_loaders import CachedInstanceLoader
from import_export.widgets import Widget

from momo.admin_kit.transfer import SheetResource, TextWidget
from momo.rest.errors import ValidationFailed
from momo.sheets.write import FORMULA_STARTS
from notifications.admin.diffs import variable_lines
from notifications.models import Format, Template
from notifications.services.templates import save_template
from notifications.templating.check import check_template

NOTE = "匯入"


def without_mark(text: str) -> str:
    """A text of a cell without the apostrophe that keeps spreadsheets from taking it for a formula."""
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA_STARTS) else text


class WrittenWidget(Widget):
    """A text whose spaces and lines count."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        text = value if isinstance(value, str) else TextWidget().clean(value)
        return without_mark(text.replace("\r\n", "\n").replace("\r", "\n"))

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return str(value or "")


class LineWidget(TextWidget):
    """A text whose spaces around it do not count."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        return without_mark(super().clean(value, row, **kwargs))


class FormatWidget(Widget):
    """A format by its label or its name."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str | None:
        text = TextWidget().clean(value)
        for known, label in Format.choices:
            if text in (known, str(label)):
                return str(known)
        if not text:
            return None
        raise ValueError(f"「{text}」不是{'、'.join(str(label) for label in Format.labels)}其中之一")

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return str(Format(value).label) if value in Format.values else str(value)


class VariablesWidget(Widget):
    """A list of declarations as JSON."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> list[Any]:
        text = TextWidget().clean(value)
        if not text:
            return []
        try:
            variables = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValueError("不是正確的 JSON") from error
        if not isinstance(variables, list):
            raise ValueError("要是清單：[{...}]")
        return variables

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return json.dumps(value or [], ensure_ascii=False)

    def lines(self, value: Any) -> str:
        """For a look at what changes."""
        return variable_lines(value)


class TemplateResource(SheetResource):
    """Keyed by code; each row passes the same check as the form, and makes a version."""

    MAX_ROWS = 200  # each is compiled, and rendered three times

    code = Field("code", "代碼", widget=TextWidget())
    title = Field("title", "名稱", widget=LineWidget())
    description = Field("description", "說明", widget=LineWidget())
    format = Field("format", "格式", widget=FormatWidget(), saves_null_values=False)
    subject = Field("subject", "主旨", widget=WrittenWidget())
    body = Field("body", "內文", widget=WrittenWidget())
    variables = Field("variables", "變數", widget=VariablesWidget())

    class Meta:
        model = Template
        name = "通知範本"
        fields = ("code", "title", "description", "format", "subject", "body", "variables")
        import_id_fields = ("code",)
        instance_loader_class = CachedInstanceLoader
        clean_model_instances = True
        skip_unchanged = True
        use_transactions = True

    def validate_instance(
        self, instance: Template, import_validation_errors: Any = None, validate_unique: bool = True
    ) -> None:
        errors = dict(import_validation_errors or {})
        if "variables" not in errors and instance.format in Format.values:
            try:
                check_template(
                    format=instance.format,
                    subject=instance.subject,
                    body=instance.body,
                    variables=instance.variables,
                )
            except ValidationFailed as failure:
                for name, texts in failure.fields.items():
                    errors.setdefault(name, ValidationError(texts))
        super().validate_instance(instance, errors, validate_unique)

    def save_instance(self, instance: Template, is_create: bool, row: Any, **kwargs: Any) -> None:
        """Through the service, which writes the version; a look at the file is rolled back by the library."""
        values = {name: getattr(instance, name) for name in self._meta.fields}
        saved = save_template(template=None if is_create else instance, user=kwargs.get("user"), note=NOTE, **values)
        instance.pk = saved.pk
