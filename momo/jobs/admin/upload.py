"""The page to bring a file: dropped or chosen, looked at before anything is written, then handed to the engine."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from accounts.models import User
from momo.jobs.importers import importers
from momo.jobs.models import Job
from momo.jobs.services import create_job, preview
from momo.jobs.services.reading import Preview
from momo.rest.errors import ApiError, PayloadTooLarge, ValidationFailed
from momo.sheets.columns import Kind
from momo.sheets.errors import SheetError


class UploadPages:
    """Mixed into the jobs' admin, which gives the addresses and says who may import."""

    admin_site: Any
    opts: Any

    def has_import_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        raise PermissionDenied

    def upload_page(self, request: HttpRequest) -> HttpResponse:
        """The form on GET; on POST the job is made and its page is shown."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            try:
                job = _create(request)
            except ApiError as refusal:
                if request.headers.get("X-Requested-With") == "fetch":
                    return JsonResponse({"error": str(refusal)}, status=refusal.status_code)
                messages.error(request, str(refusal))
            else:
                page = reverse("admin:jobs_job_change", args=[job.pk])
                if request.headers.get("X-Requested-With") == "fetch":
                    return JsonResponse({"url": page}, status=202)
                return HttpResponseRedirect(page)
        context = {
            **self.admin_site.each_context(request),
            "title": "匯入檔案",
            "opts": self.opts,
            "types": [(job_type, importer.label) for job_type, importer in importers().items()],
            "on_error": Job.OnError.choices,
            "limit": settings.IMPORT_MAX_BYTES // 1024 // 1024,
            "max_bytes": settings.IMPORT_MAX_BYTES,
            "back": reverse("admin:jobs_job_changelist"),
        }
        return TemplateResponse(request, "admin/jobs/upload.html", context)

    def preview_page(self, request: HttpRequest) -> HttpResponse:
        """What a file would do, as a piece of a page; nothing is kept."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            given, job_type = _given(request)
            with tempfile.NamedTemporaryFile(prefix="momo-preview-") as kept:
                for chunk in given.chunks():
                    kept.write(chunk)
                kept.flush()
                seen = preview(Path(kept.name), given.name or "", job_type)
        except (ApiError, SheetError) as refusal:
            return TemplateResponse(request, "admin/jobs/preview.html", {"refusal": str(refusal)})
        return TemplateResponse(request, "admin/jobs/preview.html", _preview_context(seen, _on_error(request)))


def _given(request: HttpRequest) -> tuple[UploadedFile, str]:
    """File and kind of a form. Raises ValidationFailed, PayloadTooLarge."""
    given, job_type = request.FILES.get("file"), request.POST.get("job_type", "")
    if given is None:
        raise ValidationFailed("請選擇檔案")
    if job_type not in importers():
        raise ValidationFailed("請選擇報表類型")
    if (given.size or 0) > settings.IMPORT_MAX_BYTES:
        raise PayloadTooLarge(f"檔案超過 {settings.IMPORT_MAX_BYTES // 1024 // 1024} MB")
    return given, job_type


def _on_error(request: HttpRequest) -> str:
    return request.POST.get("on_error") or Job.OnError.REJECT


def _preview_context(seen: Preview, on_error: str) -> dict[str, Any]:
    looks = ["mo-cell" if kind == Kind.TEXT else "mo-num mo-nowrap" for kind in seen.kinds]
    return {
        "seen": seen,
        "total": f"{seen.total:,}",
        "error_total": f"{seen.error_count:,}",
        "warning": _warning(seen, on_error),
        # What the days would become is nothing to tell where none of it is written.
        "note": "" if seen.error_count and on_error == Job.OnError.REJECT else seen.note,
        "columns": list(zip(seen.labels, looks, strict=True)),
        "rows": [(number, list(zip(cells, looks, strict=True))) for number, cells in seen.rows],
    }


def _warning(seen: Preview, on_error: str) -> str:
    """What the import would leave out: all of it, or rows; empty when nothing."""
    good = seen.total - seen.bad
    if not seen.total:
        return "檔案裡沒有資料列，不會匯入"
    if not seen.error_count:
        return ""
    if on_error == Job.OnError.REJECT:
        return f"有 {seen.error_count:,} 個錯誤，整份不會匯入"
    if not good:
        return "每一列都有錯，沒有可以匯入的資料"
    return f"會略過 {seen.bad:,} 列，只匯入 {good:,} 列；已有資料的日子會整天換成這 {good:,} 列"


def _create(request: HttpRequest) -> Job:
    given, job_type = _given(request)
    return create_job(
        job_type=job_type,
        source=Job.Source.UPLOAD,
        file_name=given.name or "",
        content=cast(Any, given),
        user=cast(User, request.user),
        on_error=_on_error(request),
    )
