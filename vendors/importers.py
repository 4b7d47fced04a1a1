"""The stockout report: its columns, and the checks of its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.urls import reverse

from momo.jobs.importers import Effect, Importer, Outcome, Table
from momo.jobs.models import Job
from momo.sheets.columns import Field, Kind
from vendors.models import Stockout
from vendors.selectors.batches import batch_of_job
from vendors.services.publish import Publication
from vendors.services.undo import undo_import


def _field(name: str, label: str, kind: Kind, *aliases: str, required: bool = False) -> Field:
    length = getattr(Stockout._meta.get_field(name), "max_length", None) if name != "vendor_code" else 30
    return Field(name, label, kind, aliases, required, length or 200)


class StockoutImporter(Importer):
    """Products that vendors have to supply, one row each."""

    job_type: ClassVar[str] = "vendor_stockout"
    label: ClassVar[str] = "廠商缺貨"
    fields: ClassVar[Sequence[Field]] = (
        _field("department", "部門", Kind.TEXT, "部門"),
        _field("section", "科別", Kind.TEXT, "科別/處別", "科別", "處別"),
        _field("pm", "PM", Kind.TEXT, "PM 姓名", "PM", "負責PM"),
        _field("product_code", "品號", Kind.CODE, "品號", "商品編號", "商品代碼", "i_code", required=True),
        _field("product_name", "品名", Kind.TEXT, "品名", "商品名稱"),
        _field("vendor_code", "廠商代號", Kind.CODE, "廠商代號", "廠商編號", "供應商編號", required=True),
        _field("vendor_name", "廠商名稱", Kind.TEXT, "廠商名稱", "供應商名稱"),
        _field("monthly_sales", "月銷量", Kind.INTEGER, "月銷量", "近30天銷量"),
        _field("stock", "目前庫存", Kind.INTEGER, "目前庫存", "庫存"),
    )
    columns_note: ClassVar[str] = (
        "有「部門」欄的報表只代表它列出的部門：同部門先前的缺貨不在報表上時，視為已恢復而結案；"
        "沒有「部門」欄時代表全部。月銷量用來估算損失。"
    )

    def example_rows(self) -> Sequence[Mapping[str, Any]]:
        """Two stockouts of one vendor."""
        common = {"department": "美妝部", "section": "保養科", "pm": "王小明"}
        common |= {"vendor_code": "012345", "vendor_name": "範例廠商"}
        return (
            {**common, "product_code": "10012345", "product_name": "範例商品一（匯入前請刪除）"}
            | {"monthly_sales": 120, "stock": 0},
            {**common, "product_code": "10012346", "product_name": "範例商品二（匯入前請刪除）"}
            | {"monthly_sales": 45, "stock": -3},
        )

    def check(self, table: Table) -> None:
        """Check that there are codes. A stock below zero is as momo shows it."""
        table.check_required(self.fields)

    def publish(self, job: Job, table: Table) -> Outcome:
        """See `Publication`."""
        return Publication(table).run(job)

    def undo(self, job: Job) -> Mapping[str, Any]:
        """See `undo_import`."""
        return undo_import(job=job)

    def effect(self, table: Table) -> Effect:
        """See `Publication.effect`."""
        return Publication(table).effect()

    def page(self, job: Job) -> tuple[str, str] | None:
        """The page of the batch."""
        batch = batch_of_job(job.pk)
        if batch is None:
            return None
        return f"缺貨批次 {batch}", reverse("admin:vendors_stockoutbatch_change", args=[batch.pk])
