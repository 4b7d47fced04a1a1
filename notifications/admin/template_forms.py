"""The form of a template, and the dialog that sends a test of one."""

from __future__ import annotations

import json
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.forms.fields import InvalidJSONInput
from django.http import QueryDict
from django.utils.functional import cached_property
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminEmailInputWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from momo.admin.kit.forms import ModelForm
from momo.core.errors import ValidationFailed
from momo.core.texts import is_storable, parse_json
from notifications.admin import previews
from notifications.models import Channel, Chat, Format, Template
from notifications.models.templates import BODY_LENGTH, SUBJECT_LENGTH
from notifications.templating.check import FIELDS, check_template


class CodeAreaWidget(UnfoldAdminTextareaWidget):
    """A text area for code. Django's own HTML keeps an empty first line, which Unfold's loses in browsers."""

    template_name = "django/forms/widgets/textarea.html"

    def __init__(self, rows: int, **attrs: str) -> None:
        super().__init__({"class": "mo-code", "rows": str(rows), "spellcheck": "false", "wrap": "off", **attrs})


class BodyField(forms.CharField):
    """Turns the line ends of browsers into `\\n`, so that a line end counts as one character."""

    def to_python(self, value: Any) -> str:
        return (super().to_python(value) or "").replace("\r\n", "\n")


class VariablesField(forms.JSONField):
    """JSON with indents and without escapes, so that people can read it."""

    def to_python(self, value: Any) -> Any:
        """Refuses also what Django's field takes or fails at: nesting, digits and characters without end or use."""
        if isinstance(value, str) and value not in self.empty_values:
            try:
                parsed = parse_json(value)
            except ValueError as error:
                raise ValidationError(self.error_messages["invalid"], code="invalid") from error
            if not is_storable(parsed):
                raise ValidationError("含有無法儲存的字元（\\u0000 或不成對的 \\ud800 到 \\udfff）", code="invalid")
        return super().to_python(value)

    def bound_data(self, data: Any, initial: Any) -> Any:
        try:
            self.to_python(data)
        except ValidationError:
            return InvalidJSONInput(data)
        return super().bound_data(data, initial)

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, InvalidJSONInput):
            return value
        return json.dumps(value, ensure_ascii=False, indent=2)


class TemplateForm(ModelForm):
    """The form of a template; refuses what `check_template` refuses, each fault at its field."""

    subject = forms.CharField(
        label="主旨",
        required=False,
        strip=False,
        max_length=SUBJECT_LENGTH,
        widget=UnfoldAdminTextInputWidget(attrs={"class": "mo-code"}),
        help_text="一行，可以用變數。電子郵件的主旨；Telegram 不顯示。",
    )
    body = BodyField(
        label="內文",
        strip=False,
        max_length=BODY_LENGTH,
        widget=CodeAreaWidget(18, **{"data-lines": ""}),
        help_text="Liquid 範本：{{ 變數 | 過濾器 }}、{% if %}、{% for %}、{% case %}。值會依格式自動跳脫。"
        "只有標籤的一行請寫成 {%- if … %}，才不會多出空行。",
    )
    variables = VariablesField(
        label="變數",
        required=False,
        initial=list,
        widget=CodeAreaWidget(12, **{"data-variables": ""}),
        help_text="內文與主旨能用的變數；必填的變數要有範例，預覽就以範例產生。",
    )
    note = forms.CharField(
        label="修改備註",
        required=False,
        max_length=200,
        widget=UnfoldAdminTextInputWidget(),
        help_text="記在版本裡，例如為什麼這樣改。",
    )
    seen_version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = Template
        fields = ("code", "title", "description", "format", "subject", "body", "variables")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "seen_version" in self.fields:
            self.initial["seen_version"] = self.instance.version
            self.fields["seen_version"].label = ""

    def clean_variables(self) -> Any:
        return self.cleaned_data["variables"] or []

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.keys() >= set(FIELDS):
            try:
                check_template(**{name: cleaned[name] for name in FIELDS})
            except ValidationFailed as failure:
                for name, texts in failure.fields.items():
                    self.add_error(name if name in self.fields else None, texts)
        if self.instance.pk and cleaned.get("seen_version") not in (None, self.instance.version):
            self._report_newer_version()
        return cleaned

    def _report_newer_version(self) -> None:
        """Another user saved meanwhile: the error is shown once; a second save overwrites on purpose."""
        self.data = {**cast(QueryDict, self.data).dict(), self.add_prefix("seen_version"): str(self.instance.version)}
        self.add_error(
            None,
            f"您編輯的時候，{self.instance.updated_by or '系統'}已經存了第 {self.instance.version} 版。"
            "請先在「版本」裡看看改了什麼；再按一次儲存，就以您的內容成為新的版本。",
        )


class TestForm(BaseDialogForm):
    """The dialog that sends a test: its recipient, and its values."""

    channel = forms.ChoiceField(label="管道", choices=Channel, widget=UnfoldAdminSelectWidget)
    address = forms.EmailField(label="電子郵件地址", required=False, max_length=254, widget=UnfoldAdminEmailInputWidget)
    chat = forms.ModelChoiceField(
        Chat.objects.filter(is_active=True),
        label="聊天室",
        required=False,
        empty_label="請選擇",
        widget=UnfoldAdminSelectWidget,
    )
    source = forms.ChoiceField(label="變數的值", widget=UnfoldAdminSelectWidget)
    values = forms.CharField(
        label="值（JSON）",
        required=False,
        strip=False,
        widget=CodeAreaWidget(5, placeholder='{"usage_percent": 85}'),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["source"].choices = previews.sources(self.template.code)
        self.fields["address"].initial = self.request.user.email
        to_chat = self.template.format == Format.TELEGRAM and Chat.objects.filter(is_active=True).exists()
        self.fields["channel"].initial = Channel.TELEGRAM if to_chat else Channel.EMAIL
        self.given: Any = None

    @cached_property
    def template(self) -> Template:
        """The template of the page; an empty one if it was deleted, which the action then reports."""
        return Template.objects.filter(pk=self.object_id).first() or Template()

    @property
    def recipient(self) -> str:
        """The address, or the chat's number."""
        if self.cleaned_data["channel"] == Channel.EMAIL:
            return str(self.cleaned_data["address"])
        return str(self.cleaned_data["chat"].chat_id)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        needed = "address" if cleaned.get("channel") == Channel.EMAIL else "chat"
        if not cleaned.get(needed) and needed not in self.errors:
            self.add_error(needed, "請填寫要寄到哪個地址" if needed == "address" else "請選擇聊天室")
        if "source" in cleaned:
            self._read_values(cleaned["source"], cleaned.get("values", ""))
        return cleaned

    def _read_values(self, source: str, typed: str) -> None:
        """Render once with the values, so that the dialog can show their faults."""
        try:
            values, strict = previews.values_of(self.template, source, typed)
            previews.rendered(self.template, source, typed)
        except ValidationFailed as failure:
            self.add_error("values" if source == previews.OWN else "source", previews.failure_texts(failure))
            return
        names = {variable["name"] for variable in self.template.variables}
        self.given = values if strict else {name: value for name, value in values.items() if name in names}
