"""Admin pages of batches: the list of imported stockout reports, and what one of them changed."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString
from unfold.decorators import action
from unfold.enums import ActionVariant

from accounts.models import User
from momo.admin.kit.dialogs import confirm_dialog, dialog_action
from momo.admin.kit.display import (
    BAD,
    GOOD,
    INFO,
    NO_VALUE,
    QUIET,
    WARN,
    badge,
    choice_badge,
    column,
    full_name,
    full_time,
    goods,
    nowrap,
    page_link,
    thousands,
    when,
)
from momo.admin.kit.filters import Choices, DayRangeFilter, choice_filter
from momo.admin.kit.tables import PageAdmin
from momo.jobs.models import Job
from momo.jobs.services import undo_job
from vendors.admin.send import SendActions
from vendors.models import Stockout, StockoutBatch
from vendors.selectors.batches import ALL, NEW, RECOVERED, REPEATED, STILL, batch_lines

ROWS_SHOWN = 50
LABELS = {NEW: "新缺貨", STILL: "仍缺貨", RECOVERED: "已恢復", REPEATED: "同份重複", ALL: "全部列"}
line_badge = choice_badge(
    {
        Stockout.Status.PENDING: WARN,
        Stockout.Status.QUEUED: INFO,
        Stockout.Status.SENT: INFO,
        Stockout.Status.FAILED: BAD,
        Stockout.Status.NO_EMAIL: BAD,
        Stockout.Status.REPLIED: GOOD,
    }
)


def is_in_force(batch: StockoutBatch) -> bool:
    """Whether the import succeeded and was not undone; also of a batch whose rows are another's."""
    return batch.published_at is not None and batch.undone_at is None


def state_badge(batch: StockoutBatch) -> SafeString:
    """What became of the report."""
    if batch.undone_at is not None:
        return badge("已復原", WARN)
    if batch.published_at is not None:
        return badge("內容相同", QUIET) if batch.same_as_id else badge("採用中", GOOD)
    if batch.job.status in Job.UNFINISHED:
        return badge("匯入中", INFO)
    if batch.job.held and batch.job.seen_at is None:
        return badge("待確認", WARN)
    return badge("未採用", QUIET) if batch.job.status == Job.Status.SUCCEEDED else badge("沒有匯入", BAD)


def state_choices() -> Choices:
    """What a report may have become."""
    return {
        "in_force": ("採用中", Q(published_at__isnull=False, undone_at=None, same_as=None)),
        "same": ("內容相同", Q(undone_at=None, same_as__isnull=False)),
        "undone": ("已復原", Q(undone_at__isnull=False)),
        "none": ("沒有匯入", Q(published_at=None)),
    }


def scope_of(batch: StockoutBatch) -> str:
    """The departments that the report is about."""
    return "、".join(name or "（空白）" for name in batch.departments) or "全部部門"


@admin.register(StockoutBatch)
class StockoutBatchAdmin(SendActions, PageAdmin):
    """One row for each imported report."""

    list_display = ("number", "file", "state", "scope", "rows", "new", "still", "recovered", "new_vendors", "imported")
    list_display_links = ("number", "file")
    list_select_related = ("job",)
    list_filter = (choice_filter("狀態", "state", state_choices), ("created_at", DayRangeFilter))
    search_fields = ("job__file_name",)
    search_help_text = "檔名"
    sortable_by = ("number",)
    ordering = ("-id",)
    actions_list = ("upload",)
    actions_detail: ClassVar[Any] = ("send_batch", "undo")
    change_form_before_template = "admin/vendors/stockoutbatch/page.html"

    number = column("編號", "#{0.pk}".format, order="id")
    file = column("檔案", full_name, of="job.file_name")
    state = column("狀態", state_badge)
    scope = column("部門", lambda batch: full_name(scope_of(batch)) if batch.published_at else NO_VALUE)
    rows = column("列數", thousands, of="line_count")
    new = column("新缺貨", thousands, of="new_count")
    still = column("仍缺貨", thousands, of="still_count")
    recovered = column("已恢復", thousands, of="recovered_count")
    new_vendors = column("新廠商", thousands, of="new_vendor_count")
    imported = column("匯入時間", when, of="published_at")

    def has_import_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("jobs.add_job")

    def get_queryset(self, request: HttpRequest) -> QuerySet[StockoutBatch]:
        batches: QuerySet[StockoutBatch] = super().get_queryset(request)
        return batches.select_related("job__created_by", "same_as", "previous")

    def page_context(self, request: HttpRequest, obj: StockoutBatch) -> dict[str, Any]:
        counts = {
            NEW: obj.new_count,
            STILL: obj.still_count,
            RECOVERED: obj.recovered_count,
            REPEATED: obj.line_count - obj.new_count - obj.still_count,
            ALL: obj.line_count,
        }
        chosen = request.GET.get("group", "")
        if chosen not in LABELS:
            chosen = next((group for group in (NEW, STILL, RECOVERED) if counts[group]), ALL)
        lines = batch_lines(obj, chosen).select_related("vendor", "duplicate_of", "resolved_batch")
        page = Paginator(lines, ROWS_SHOWN).get_page(request.GET.get("page"))
        return {
            "state": state_badge(obj),
            "message": obj.job.message,
            "has_rows": is_in_force(obj) and obj.same_as_id is None,
            "same_as": _batch_link(obj.same_as) if obj.same_as else "",
            "facts": [
                ("匯入", page_link("jobs_job", obj.job_id, f"#{obj.job_id} {obj.job.file_name}")),
                ("執行者", obj.job.created_by or "系統"),
                ("匯入時間", full_time(obj.published_at)),
                ("部門", scope_of(obj) if obj.published_at else NO_VALUE),
                ("前一批", _batch_link(obj.previous)),
                ("廠商", f"{obj.vendor_count:,} 家（新 {obj.new_vendor_count:,} 家）"),
            ],
            "tabs": [
                (group, label, thousands(counts[group]), group == chosen)
                for group, label in LABELS.items()
                if group != REPEATED or counts[group]
            ],
            "chosen": chosen,
            "page": page,
            "rows": [_row(line, chosen) for line in page],
        }

    @action(description="匯入缺貨報表", icon="upload_file", variant=ActionVariant.PRIMARY, permissions=["import"])
    def upload(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(f"{reverse('admin:jobs_job_upload')}?job_type=vendor_stockout")

    @dialog_action(
        "復原",
        "undo",
        permission="import",
        fits=is_in_force,
        dialog=confirm_dialog(
            "復原這批缺貨",
            "這份報表的列會刪除，因它結案的缺貨重新開啟，它新增而沒有其他資料的廠商也會刪除。已經寄給廠商的批次不能復原。",
            yes="復原",
        ),
    )
    def undo(self, request: HttpRequest, form: Any, batch: StockoutBatch) -> str:
        job = undo_job(job=batch.job, user=cast(User, request.user))
        return f"已復原：{job.result['undo']['message']}"


def _batch_link(batch: StockoutBatch | None) -> SafeString | str:
    return page_link("vendors_stockoutbatch", batch.pk, f"缺貨批次 {batch}") if batch else NO_VALUE


def _row(line: Stockout, group: str) -> dict[str, Any]:
    """A row of the table."""
    answer = line.get_answer_display()
    if line.restock_date:
        answer += f" {line.restock_date:%m-%d}"
    notes = []
    if line.duplicate_of and group in (STILL, REPEATED, ALL):
        where = "這份報表" if line.duplicate_of.batch_id == line.batch_id else f"批次 #{line.duplicate_of.batch_id} "
        notes.append(f"同{where}第 {line.duplicate_of.row} 列")
    if group == RECOVERED:
        notes.append(f"批次 #{line.batch_id} 第 {line.row} 列")
    return {
        "number": line.row,
        "goods": goods(line.product_name or NO_VALUE, line.product_code),
        "vendor": line.vendor,
        "pm": line.pm or NO_VALUE,
        "sales": NO_VALUE if line.monthly_sales is None else thousands(line.monthly_sales),
        "stock": NO_VALUE if line.stock is None else thousands(line.stock),
        # A duplicate is worked on where its original is.
        "status": line_badge(line.duplicate_of or line),
        "answer": nowrap(answer or NO_VALUE),
        "note": "、".join(notes),
    }
