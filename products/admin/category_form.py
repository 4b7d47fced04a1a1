"""The form that adds a category by the address of its page."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from momo.admin.kit.forms import ModelForm
from momo.core.errors import ValidationFailed
from products.models import Category
from products.services.catalogue import read_category_address

LOWEST = 3  # the level that a list of products usually has


class NewCategoryForm(ModelForm):
    """Code, and if left open level and name, are read from what was pasted."""

    address = forms.CharField(
        label="分類網址",
        max_length=2000,
        widget=UnfoldAdminTextInputWidget(attrs={"autofocus": True, "inputmode": "url"}),
        help_text="在 momo 開啟分類的商品列表，貼上那一頁的網址；10 位數字的分類代碼也可以。",
    )
    level = forms.TypedChoiceField(
        label="層級",
        required=False,
        choices=[("", "看網址判斷"), (1, "1（館）"), (2, "2（大分類）"), (3, "3（小分類）")],
        coerce=int,
        empty_value=None,
        widget=UnfoldAdminSelectWidget,
        help_text="網址看不出來時是 3。",
    )

    class Meta:
        model = Category
        fields = ("name", "path", "enabled")
        help_texts = {"name": "momo 頁面上的分類名稱。"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].required = False

    def clean_address(self) -> Any:
        try:
            found = read_category_address(self.cleaned_data["address"])
        except ValidationFailed as refusal:
            raise ValidationError(str(refusal)) from refusal
        known = Category.objects.filter(code=found.code).first()
        if known is not None:
            raise ValidationError(f"「{known}」（{known.code}）已經在清單裡")
        return found

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        found = cleaned.get("address")
        if found is not None:
            self.instance.code = found.code
            self.instance.level = cleaned.get("level") or found.level or LOWEST
            cleaned["name"] = cleaned.get("name") or found.name
        if not cleaned.get("name") and "name" not in self.errors:
            self.add_error("name", "請填分類的名稱")
        return cleaned
