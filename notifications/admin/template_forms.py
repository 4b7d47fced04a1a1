"""The form of a template, and the dialog that sends a test of one."""

from __future__ import annotations

import json
from typing import Any, cast

from django import forms
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

from momo.rest.errors import ValidationFailed
from notifications.admin import previews
from notifications.models import Channel, Chat, Format, Template
from notifications.models.templates import BODY_LENGTH, SUBJECT_LENGTH
from notifications.templating.check import check_template

CHECKED = frozenset(("format", "subject", "body", "variables"))


class CodeAreaWidget(UnfoldAdminTextareaWidget):
    """Text whose lines and spaces count; Django's own template keeps an empty first line, which browsers would drop."""

    template_name = "django/forms/widgets/textarea.html"

    def __init__(self, rows: int, **attrs: str) -> None:
        super().__init__({"class": "mo-code", "rows": str(rows), "spellcheck": "false", "wrap": "off", **attrs})


class BodyField(forms.CharField):
    """Counts a line end as one character, as it is kept, though browsers send two."""

    def to_python(self, value: Any) -> str:
        return (super().to_python(value) or "").replace("\r\n", "\n")


class VariablesField(forms.JSONField):
    """Shown so that people can read it: one thing a line, in their own letters."""

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, InvalidJSONInput):
            return value
        return json.dumps(value, ensure_ascii=False, indent=2)


class TemplateForm(forms.ModelForm):
    """Refuses what `check_template` refuses, each fault at its field."""

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
        help_text="Liquid 範本：{{ 變數 | 過濾器 }}、{% if %}、{% for %}、{% case %}。值會依格式自動跳脫。",
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
        if cleaned.keys() >= CHECKED:
            try:
                check_template(**{name: cleaned[name] for name in CHECKED})
            except ValidationFailed as failure:
                for name, texts in failure.fields.items():
                    self.add_error(name if name in self.fields else None, texts)
        if self.instance.pk and cleaned.get("seen_version") not in (None, self.instance.version):
            self._tell_of_others()
        return cleaned

    def _tell_of_others(self) -> None:
        """Somebody saved meanwhile: said once, and whoever saves again means it."""
        self.data = {**cast(QueryDict, self.data).dict(), self.add_prefix("seen_version"): str(self.instance.version)}
        self.add_error(
            None,
            f"您編輯的時候，{self.instance.updated_by or '系統'}已經存了第 {self.instance.version} 版。"
            "請先在「版本」裡看看改了什麼；再按一次儲存，就以您的內容成為新的版本。",
        )


class TestForm(BaseDialogForm):
    """Where a test goes, and with which values."""

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
        """The one whose page it is; an empty one where that is gone, which the action then says."""
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
        """Take only values that the template takes, so that the dialog can say what is wrong with them."""
        one = self.template
        draft = previews.Draft.of(one)
        try:
            values, strict = previews.values_of(draft, source, typed)
            previews.rendered(draft, source, typed)
        except ValidationFailed as failure:
            self.add_error("values" if source == previews.OWN else "source", previews.told(failure))
            return
        names = {variable["name"] for variable in one.variables}
        self.given = values if strict else {name: value for name, value in values.items() if name in names}
