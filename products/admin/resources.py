"""Categories in and out of spreadsheets."""

from __future__ import annotations

from typing import Any

from import_export.fields import Field
from import_export.instance_loaders import CachedInstanceLoader
from import_export.widgets import Widget

from momo.admin_kit.transfer import SheetResource, TextWidget, YesNoWidget
from products.models import Category


class LevelWidget(Widget):
    """1, 2 or 3."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> int | None:
        text = TextWidget().clean(value)
        if not text:
            return None
        if text not in {"1", "2", "3"}:
            raise ValueError(f"「{text}」不是 1、2 或 3")
        return int(text)

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> int:
        return int(value)


class CategoryResource(SheetResource):
    """Keyed by momo's category code; what a file leaves empty stays as it is."""

    code = Field("code", "分類代碼", widget=TextWidget())
    level = Field("level", "層級", widget=LevelWidget(), saves_null_values=False)
    name = Field("name", "名稱", widget=TextWidget())
    path = Field("path", "路徑", widget=TextWidget())
    enabled = Field("enabled", "爬取", widget=YesNoWidget(), saves_null_values=False)

    class Meta:
        model = Category
        name = "分類"
        fields = ("code", "level", "name", "path", "enabled")
        import_id_fields = ("code",)
        instance_loader_class = CachedInstanceLoader
        clean_model_instances = True
        skip_unchanged = True
        use_transactions = True

    def do_instance_save(self, instance: Category, is_create: bool) -> None:
        # A crawl may be writing `last_complete_at` of the same row.
        instance.save(force_insert=is_create, update_fields=None if is_create else self._meta.fields)
