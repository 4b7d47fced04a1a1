"""The list of imports with live bars, and the page of one."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin, messages
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.models import User
from momo.admin_kit.amounts import difference, dollars
from momo.admin_kit.dialogs import after_dialog, question
from momo.admin_kit.display import BAD, GOOD, INFO, NOTHING, QUIET, WARN, badge, duration, full_time, when
from momo.admin_kit.filters import DayRangeFilter
from momo.admin_kit.tables import PageAdmin
from momo.jobs.admin.upload import UploadPages
from momo.jobs.importers import importers, label_of
from momo.jobs.models import Job
from momo.jobs.services import cancel_job, retry_job, undo_job
from momo.rest.errors import ApiError

TONES = {
    Job.Status.PENDING: QUIET,
    Job.Status.RUNNING: INFO,
    Job.Status.SUCCEEDED: GOOD,
    Job.Status.FAILED: BAD,
    Job.Status.CANCELLED: QUIET,
    Job.Status.UNDONE: WARN,
}
UNFINISHED = (Job.Status.PENDING, Job.Status.RUNNING)
ERRORS_SHOWN = 100
DAY_TONES = {"new": GOOD, "changed": WARN, "unchanged": QUIET, "superseded": QUIET}
DAY_WORDS = {"new": "新增", "changed": "更正", "unchanged": "相同", "superseded": "未採用"}


def status_badge(job: Job) -> str:
    return badge(job.get_status_display(), TONES[Job.Status(job.status)])


def progress_bar(job: Job) -> str:
    """How far a job is; static/admin_momo/jobs.js keeps it up to date."""
    return render_to_string("admin/jobs/progress.html", {"job": job})


def took(job: Job) -> str:
    """From the first attempt to the end, or until now."""
    if job.started_at is None:
        return NOTHING
    return duration((job.finished_at or timezone.now()) - job.started_at)


class RetryForm(BaseDialogForm):
    """What to do about errors this time; as before where nothing is chosen."""

    on_error = forms.ChoiceField(
        label="遇到錯誤時", choices=Job.OnError.choices, required=False, widget=UnfoldAdminSelectWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        job = Job.objects.filter(pk=self.object_id).first()
        self.fields["on_error"].initial = job.on_error if job else None


class TypeFilter(DropdownFilter):
    """Kinds of reports."""

    title = "類型"
    parameter_name = "job_type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(job_type, importer.label) for job_type, importer in importers().items()]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(job_type=self.value()) if self.value() else queryset


@admin.register(Job)
class JobAdmin(UploadPages, PageAdmin):
    """Every file that was brought: how it went, what it changed, what was wrong with it."""

    list_display = (
        "number",
        "what",
        "state",
        "kind",
        "source",
        "who",
        "rows",
        "created_rows",
        "updated_rows",
        "skipped_rows",
        "wrong",
        "began",
        "length",
    )
    list_display_links = ("number", "what")
    list_select_related = ("created_by",)
    list_filter = (
        ("status", ChoicesDropdownFilter),
        TypeFilter,
        ("source", ChoicesDropdownFilter),
        ("created_at", DayRangeFilter),
    )
    list_filter_submit = True
    list_fullwidth = True
    search_fields = ("file_name",)
    search_help_text = "檔名"
    sortable_by = ("number",)
    ordering = ("-id",)
    actions_list = ("upload",)
    actions_detail: ClassVar[Any] = ("cancel", "undo", "retry")
    change_form_before_template = "admin/jobs/job/page.html"

    def has_import_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("jobs.add_job")

    def get_urls(self) -> list[Any]:
        own = [
            path("upload/", self.admin_site.admin_view(self.upload_page), name="jobs_job_upload"),
            path("preview/", self.admin_site.admin_view(self.preview_page), name="jobs_job_preview"),
            path("<int:object_id>/file/", self.admin_site.admin_view(self.file), name="jobs_job_file"),
        ]
        return [*own, *super().get_urls()]

    # What the list says

    @display(description="編號", ordering="id")
    def number(self, obj: Job) -> str:
        return f"#{obj.pk}"

    @display(description="檔案")
    def what(self, obj: Job) -> str:
        return format_html('<span class="mo-name">{}</span>', obj.file_name)

    @display(description="狀態")
    def state(self, obj: Job) -> str:
        return progress_bar(obj) if obj.status in UNFINISHED else status_badge(obj)

    @display(description="類型")
    def kind(self, obj: Job) -> str:
        return format_html('<span class="mo-nowrap">{}</span>', label_of(obj.job_type) or NOTHING)

    @display(description="執行者")
    def who(self, obj: Job) -> str:
        return format_html('<span class="mo-nowrap">{}</span>', obj.created_by or "系統")

    @display(description="列數")
    def rows(self, obj: Job) -> str:
        return f"{obj.total_rows:,}"

    @display(description="新增")
    def created_rows(self, obj: Job) -> str:
        return f"{obj.created:,}"

    @display(description="更新")
    def updated_rows(self, obj: Job) -> str:
        return f"{obj.updated:,}"

    @display(description="略過")
    def skipped_rows(self, obj: Job) -> str:
        return f"{obj.skipped:,}"

    @display(description="錯誤")
    def wrong(self, obj: Job) -> str:
        return badge(f"{obj.error_count:,}", BAD) if obj.error_count else "0"

    @display(description="建立時間")
    def began(self, obj: Job) -> str:
        return when(obj.created_at)

    @display(description="歷時")
    def length(self, obj: Job) -> str:
        return format_html('<span class="mo-nowrap">{}</span>', took(obj))

    # What the page says

    def page_context(self, request: HttpRequest, obj: Job) -> dict[str, Any]:
        days = [_day_row(day) for day in obj.result.get("days", [])]
        errors = list(obj.errors.all()[:ERRORS_SHOWN])
        return {
            "badge": status_badge(obj),
            "progress": progress_bar(obj) if obj.status in UNFINISHED else "",
            "note": obj.message or obj.result.get("message", ""),
            "undone": _undone(obj),
            "facts": [
                ("類型", label_of(obj.job_type) or NOTHING),
                ("來源", obj.get_source_display()),
                ("執行者", obj.created_by or "系統"),
                ("遇到錯誤", obj.get_on_error_display()),
                # Unknown until a worker has fetched the file.
                ("大小", f"{ceil(obj.size / 1024):,} KB" if obj.size else NOTHING),
                ("SHA-256", f"{obj.sha256[:16]}…" if obj.sha256 else NOTHING),
                ("建立時間", full_time(obj.created_at)),
                ("結束時間", full_time(obj.finished_at)),
                ("歷時", took(obj)),
            ],
            "figures": [
                ("總列數", f"{obj.total_rows:,}"),
                ("新增", f"{obj.created:,}"),
                ("更新", f"{obj.updated:,}"),
                ("略過", f"{obj.skipped:,}"),
                ("錯誤", f"{obj.error_count:,}"),
            ],
            "days": days,
            # Not `errors`, which Django's form page takes for its own.
            "bad_cells": errors,
            "error_total": f"{obj.error_count:,}",
            "errors_url": reverse("import-job-errors", args=[obj.pk]) if obj.error_count else "",
            "file_url": reverse("admin:jobs_job_file", args=[obj.pk])
            if obj.file and self.has_import_permission(request)
            else "",
        }

    def file(self, request: HttpRequest, object_id: int) -> HttpResponse | FileResponse:
        """The file as it was brought, while it is kept; it may hold personal data, so only for who may import."""
        job = get_object_or_404(Job, pk=object_id)
        if not self.has_import_permission(request):
            messages.error(request, "需要主管以上的角色才能下載原始檔")
            return HttpResponseRedirect(reverse("admin:jobs_job_change", args=[job.pk]))
        if not job.file or not job.file.storage.exists(job.file.name or ""):
            messages.warning(request, "這份檔案已超過保存期限")
            return HttpResponseRedirect(reverse("admin:jobs_job_change", args=[job.pk]))
        return FileResponse(
            job.file.open("rb"),
            as_attachment=True,
            filename=job.file_name,
            content_type="application/octet-stream",
        )

    # What can be done

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        job = Job.objects.filter(pk=object_id).first()
        fit = {
            "cancel": UNFINISHED,
            "undo": (Job.Status.SUCCEEDED,),
            "retry": (Job.Status.FAILED, Job.Status.CANCELLED),
        }
        found = super().get_actions_detail(request, object_id)
        if job is None:
            return []
        return [one for one in found if job.status in fit.get(one.action_name.removeprefix("jobs_job_"), ())]

    @action(description="匯入檔案", icon="upload_file", variant=ActionVariant.PRIMARY, permissions=["import"])
    def upload(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:jobs_job_upload"))

    @action(
        description="取消",
        icon="cancel",
        permissions=["import"],
        dialog=question("取消匯入", "還沒有寫入的資料都不會寫入。", yes="取消這次匯入"),
    )
    def cancel(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        return self._do(request, object_id, lambda job: cancel_job(job, cast(User, request.user)), "已要求取消")

    @action(
        description="復原",
        icon="undo",
        permissions=["import"],
        dialog=question("復原匯入", "這次匯入的資料不再計入，各日回到前一份資料。", yes="復原"),
    )
    def undo(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        user = cast(User, request.user)
        return self._do(request, object_id, lambda job: undo_job(job, user), "已復原")

    @action(
        description="重試",
        icon="refresh",
        permissions=["import"],
        dialog=question("重試匯入", "以同一份檔案再匯入一次。", yes="重試", form_class=RetryForm),
    )
    def retry(self, request: HttpRequest, form: RetryForm, object_id: str) -> HttpResponse:
        user, on_error = cast(User, request.user), form.cleaned_data["on_error"] or None
        return self._do(request, object_id, lambda job: retry_job(job, user, on_error=on_error), "已重新排入")

    def _do(self, request: HttpRequest, object_id: Any, act: Callable[[Job], Any], done: str) -> HttpResponse:
        """Carry out and say what became of it, on the page of the job that it leads to."""
        job = get_object_or_404(Job, pk=object_id)
        try:
            job = act(job) or job
        except ApiError as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, done)
        page = reverse("admin:jobs_job_change", args=[job.pk])
        if str(job.pk) != str(object_id) and request.headers.get("HX-Request"):
            return HttpResponse(headers={"HX-Redirect": page})
        return after_dialog(request, page)


def _day_row(day: dict[str, Any]) -> dict[str, Any]:
    """One day that an import wrote, beside what counted before."""
    status, before = day.get("status", ""), day.get("before") or {}
    amount, old = day.get("amount"), before.get("amount")
    return {
        "date": day.get("date", ""),
        "status": badge(DAY_WORDS.get(status, status), DAY_TONES.get(status, QUIET)),
        "lines": f"{day.get('lines', 0):,}",
        "quantity": f"{day.get('quantity', 0):,}",
        "amount": dollars(amount),
        "before": dollars(old),
        "difference": difference(amount, old),
    }


def _undone(job: Job) -> str:
    """Who took the import back, when, and what the days show since."""
    told = job.result.get("undo")
    if not told:
        return ""
    moment, name = parse_datetime(told.get("at", "")), told.get("by")
    # As people are called everywhere else; by the name they log in with when they are gone.
    who = (User.objects.filter(username=name).first() or name) if name else "系統"
    return f"{full_time(moment)} 由 {who} 復原：{told.get('message', '')}"
