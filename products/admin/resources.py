"""Import and export of categories as spreadsheets."""

from __future__ import annotations

from import_export.fields import Field

from momo.admin.kit.transfer import KEPT, ChoiceWidget, KeptTextField, SheetResource, TextWidget, YesNoWidget
from products.models import Category

LEVELS = [(1, "1"), (2, "2"), (3, "3")]


class CategoryResource(SheetResource):
    """Categories, keyed by momo's code; a cell left empty keeps the stored value."""

    empty_cells = KEPT

    code = Field("code", "分類代碼", widget=TextWidget())
    level = Field("level", "層級", widget=ChoiceWidget(LEVELS), saves_null_values=False)
    name = KeptTextField("name", "名稱")
    path = KeptTextField("path", "路徑")
    enabled = Field("enabled", "價格更新", widget=YesNoWidget(), saves_null_values=False)

    class Meta:
        model = Category
        name = "分類"
        fields = ("code", "level", "name", "path", "enabled")
        import_id_fields = ("code",)

    def dehydrate_level(self, category: Category) -> int:
        return category.level

    def do_instance_save(self, instance: Category, is_create: bool) -> None:
        # A crawl may be writing `last_complete_at` of the same row.
        instance.save(force_insert=is_create, update_fields=None if is_create else self._meta.fields)
