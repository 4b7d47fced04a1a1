"""Admin pages of imports: the list with progress bars, and the page of one import."""

from __future__ import annotations

from math import ceil
from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin, messages
from django.db.models import Q
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils.dateparse import parse_datetime
from django.utils.safestring import SafeString
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.models import User
from momo.admin.kit.dialogs import confirm_dialog, dialog_action, leave_dialog
from momo.admin.kit.display import (
    BAD,
    GOOD,
    INFO,
    NO_VALUE,
    WARN,
    badge,
    choice_badge,
    column,
    full_name,
    full_time,
    nowrap,
    thousands,
    took,
    when,
)
from momo.admin.kit.filters import Choices, ChoicesFilter, DayRangeFilter, any_of, choice_filter
from momo.jobs.admin.days import day_row
from momo.jobs.admin.upload import UploadPages, mapping
from momo.jobs.errors import grouped
from momo.jobs.importers import importers, label_of
from momo.jobs.models import Job
from momo.jobs.selectors import open_failures
from momo.jobs.services import cancel_job, mark_seen, retry_job, undo_job

ERRORS_SHOWN = 100
_TABS = (Job.Status.RUNNING, Job.Status.SUCCEEDED, Job.Status.FAILED, Job.Status.UNDONE)

_status_badge = choice_badge(
    {Job.Status.RUNNING: INFO, Job.Status.SUCCEEDED: GOOD, Job.Status.FAILED: BAD, Job.Status.UNDONE: WARN}
)


def status_badge(job: Job) -> SafeString:
    """The status; a held import is one of its own for people, though `failed` to clients of the API."""
    if not job.held:
        return _status_badge(job)
    return badge("未採用") if job.seen_at else badge("待確認", WARN)


def progress_bar(job: Job) -> str:
    """Return the progress bar of a job; static/admin_momo/jobs.js keeps it up to date."""
    return render_to_string("admin/jobs/progress.html", {"job": job})


class RetryForm(BaseDialogForm):
    """How to treat errors this time; the job's own choice is preselected."""

    on_error = forms.ChoiceField(
        label="遇到錯誤時", choices=Job.OnError.choices, required=False, widget=UnfoldAdminSelectWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        job = Job.objects.filter(pk=self.object_id).first()
        self.fields["on_error"].initial = job.on_error if job else None


def type_choices() -> Choices:
    """The kinds of reports."""
    return {job_type: (importer.label, Q(job_type=job_type)) for job_type, importer in importers().items()}


def attention_choices() -> Choices:
    """What the card of the start page and the badge of the sidebar count."""
    return {"open": ("待處理", Q(pk__in=open_failures().values("pk")))}


def waits_for_confirmation(job: Job) -> bool:
    """Whether a held import is neither started again nor given up."""
    return job.held and job.seen_at is None


@admin.register(Job)
class JobAdmin(UploadPages):
    """Admin pages of imports."""

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
        choice_filter("處理", "attention", attention_choices),
        ("status", ChoicesFilter),
        any_of("類型", "job_type", type_choices),
        ("source", ChoicesFilter),
        ("created_at", DayRangeFilter),
    )
    tabs = (
        ("全部", {}),
        ("待處理", {"attention": "open"}),
        *((status.label, {"status__exact": status.value}) for status in _TABS),
    )
    list_fullwidth = True
    search_fields = ("file_name",)
    search_help_text = "檔名"
    sortable_by = ("number",)
    ordering = ("-id",)
    actions_list = ("upload",)
    actions_detail: ClassVar[Any] = ("confirm", "dismiss", "cancel", "undo", "retry")
    change_form_before_template = "admin/jobs/job/page.html"

    def get_urls(self) -> list[Any]:
        own = [
            path("upload/", self.admin_site.admin_view(self.upload_page), name="jobs_job_upload"),
            path("preview/", self.admin_site.admin_view(self.preview_page), name="jobs_job_preview"),
            path("columns/", self.admin_site.admin_view(self.columns_page), name="jobs_job_columns"),
            path("example/<str:job_type>/", self.admin_site.admin_view(self.example), name="jobs_job_example"),
            path("<int:object_id>/file/", self.admin_site.admin_view(self.file), name="jobs_job_file"),
        ]
        return [*own, *super().get_urls()]

    number = column("編號", "#{0.pk}".format, order="id")
    what = column("檔案", full_name, of="file_name")
    state = column("狀態", lambda job: progress_bar(job) if job.status in Job.UNFINISHED else status_badge(job))
    kind = column("類型", lambda job_type: nowrap(label_of(job_type) or NO_VALUE), of="job_type")
    who = column("執行者", lambda job: nowrap(job.created_by or "系統"))
    rows = column("列數", thousands, of="total_rows")
    created_rows = column("新增", thousands, of="created")
    updated_rows = column("更新", thousands, of="updated")
    skipped_rows = column("略過", thousands, of="skipped")
    wrong = column("錯誤", lambda number: badge(thousands(number), BAD) if number else "0", of="error_count")
    began = column("建立時間", when, of="created_at")
    length = column("歷時", lambda job: nowrap(took(job.started_at, job.finished_at)))

    # The page of one import

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Job | None:
        """Before the sidebar counts: a failure that somebody who may import opens is seen."""
        job: Job | None = super().get_object(request, object_id, from_field)
        # A held import waits for a decision instead.
        if job and job.status == Job.Status.FAILED and not job.held and self.has_import_permission(request):
            mark_seen(job=job)
        return job

    def page_context(self, request: HttpRequest, obj: Job) -> dict[str, Any]:
        errors = list(obj.errors.all()) if obj.error_count else []
        groups = grouped(errors)
        return {
            "badge": status_badge(obj),
            "progress": progress_bar(obj) if obj.status in Job.UNFINISHED else "",
            "note": "\n".join([obj.message or obj.result.get("message", ""), *obj.result.get("notes", [])]).strip(),
            "undone": _undone(obj),
            "facts": [
                ("類型", label_of(obj.job_type) or NO_VALUE),
                ("來源", obj.get_source_display()),
                ("執行者", obj.created_by or "系統"),
                ("遇到錯誤", obj.get_on_error_display()),
                # Unknown until a worker has fetched the file.
                ("大小", f"{ceil(obj.size / 1024):,} KB" if obj.size else NO_VALUE),
                ("SHA-256", f"{obj.sha256[:16]}…" if obj.sha256 else NO_VALUE),
                ("建立時間", full_time(obj.created_at)),
                ("結束時間", full_time(obj.finished_at)),
                ("歷時", took(obj.started_at, obj.finished_at)),
            ],
            "figures": [
                ("總列數", thousands(obj.total_rows)),
                ("新增", thousands(obj.created)),
                ("更新", thousands(obj.updated)),
                ("略過", thousands(obj.skipped)),
                ("錯誤", thousands(obj.error_count)),
            ],
            **(self._unmapped(obj) if self.has_import_permission(request) else {}),
            "brought": _brought(obj),
            "days": [day_row(day) for day in obj.result.get("days", [])],
            "days_title": "會變成這樣" if obj.held else "各日結果",
            "groups": groups[:ERRORS_SHOWN],
            "groups_left": max(0, len(groups) - ERRORS_SHOWN),
            "errors_url": reverse("import-job-errors", args=[obj.pk]) if obj.error_count else "",
            "file_url": reverse("admin:jobs_job_file", args=[obj.pk])
            if obj.file and self.has_import_permission(request)
            else "",
        }

    @staticmethod
    def _unmapped(job: Job) -> dict[str, Any]:
        """The form in which people map the headers of an import that did not know them; some may be mapped by now."""
        importer, headers = importers().get(job.job_type), job.result.get("headers")
        if importer is None or not headers or job.status != Job.Status.FAILED:
            return {}
        return mapping(importer, headers, job.result.get("found", ()))

    def file(self, request: HttpRequest, object_id: int) -> HttpResponse | FileResponse:
        """Send the original file while it is kept. It may hold personal data, so it needs the permission to import."""
        job = get_object_or_404(Job, pk=object_id)
        if not self.has_import_permission(request):
            messages.error(request, "需要主管以上的角色才能下載原始檔")
        elif not job.file or not job.file.storage.exists(job.file.name or ""):
            messages.warning(request, "這份檔案已超過保存期限")
        else:
            kind = "application/octet-stream"
            return FileResponse(job.file.open("rb"), as_attachment=True, filename=job.file_name, content_type=kind)
        return HttpResponseRedirect(reverse("admin:jobs_job_change", args=[job.pk]))

    # Actions

    @action(description="匯入檔案", icon="upload_file", variant=ActionVariant.PRIMARY, permissions=["import"])
    def upload(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:jobs_job_upload"))

    @dialog_action(
        "確認取代",
        "check_circle",
        permission="import",
        fits=waits_for_confirmation,
        dialog=confirm_dialog(
            "以這份檔案取代現有資料",
            "資料會變成這份檔案的內容，減少的部分見這一頁的說明。之後仍可復原。",
            yes="確認取代",
        ),
        variant=ActionVariant.PRIMARY,
    )
    def confirm(self, request: HttpRequest, form: Any, job: Job) -> HttpResponse:
        again = retry_job(job=job, user=cast(User, request.user), confirm_loss=True)
        messages.success(request, "已確認，重新排入")
        return leave_dialog(request, reverse("admin:jobs_job_change", args=[again.pk]))

    @dialog_action(
        "不匯入",
        "block",
        permission="import",
        fits=waits_for_confirmation,
        dialog=confirm_dialog("不匯入這份檔案", "現有資料維持不變，這份檔案不再列為待處理。", yes="不匯入"),
    )
    def dismiss(self, request: HttpRequest, form: Any, job: Job) -> str:
        mark_seen(job=job)
        return "這份檔案不會匯入"

    @dialog_action(
        "取消",
        "cancel",
        permission="import",
        fits=lambda job: job.status in Job.UNFINISHED,
        dialog=confirm_dialog("取消匯入", "還沒有寫入的資料都不會寫入。", yes="取消這次匯入"),
    )
    def cancel(self, request: HttpRequest, form: Any, job: Job) -> str:
        cancel_job(job=job, user=cast(User, request.user))
        return "已要求取消"

    @dialog_action(
        "復原",
        "undo",
        permission="import",
        fits=lambda job: job.status == Job.Status.SUCCEEDED,
        dialog=confirm_dialog("復原匯入", "這次匯入的資料不再計入，回到前一份資料。", yes="復原"),
    )
    def undo(self, request: HttpRequest, form: Any, job: Job) -> str:
        undo_job(job=job, user=cast(User, request.user))
        return "已復原"

    @dialog_action(
        "重試",
        "refresh",
        permission="import",
        fits=lambda job: job.status in (Job.Status.FAILED, Job.Status.CANCELLED) and not waits_for_confirmation(job),
        dialog=confirm_dialog("重試匯入", "以同一份檔案再匯入一次。", yes="重試", form_class=RetryForm),
    )
    def retry(self, request: HttpRequest, form: RetryForm, job: Job) -> HttpResponse:
        again = retry_job(job=job, user=cast(User, request.user), on_error=form.cleaned_data["on_error"] or None)
        messages.success(request, "已重新排入")
        return leave_dialog(request, reverse("admin:jobs_job_change", args=[again.pk]))


def _brought(job: Job) -> tuple[str, str] | None:
    """Title and URL of the page of what the import brought."""
    importer = importers().get(job.job_type)
    return importer.page(job) if importer else None


def _undone(job: Job) -> str:
    """Return who undid the import, when, and what the days show since."""
    undo = job.result.get("undo")
    if not undo:
        return ""
    moment, name = parse_datetime(undo.get("at", "")), undo.get("by")
    # The display name; the login name of a user who was deleted.
    who = (User.objects.filter(username=name).first() or name) if name else "系統"
    return f"{full_time(moment)} 由 {who} 復原：{undo.get('message', '')}"
