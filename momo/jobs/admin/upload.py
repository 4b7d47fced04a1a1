"""Upload page: a file is dropped or chosen, previewed, and then imported."""

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
from momo.admin.kit.tables import PageAdmin
from momo.core.errors import PayloadTooLarge, ServiceError, ValidationFailed
from momo.jobs.importers import importers
from momo.jobs.models import Job
from momo.jobs.services import create_job, preview
from momo.jobs.services.reading import Preview
from momo.rest.errors import status_of
from momo.sheets.columns import Kind
from momo.sheets.errors import SheetError


class UploadPages(PageAdmin):
    """Views for the admin of jobs, which has their URLs."""

    def has_import_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("jobs.add_job")

    def upload_page(self, request: HttpRequest) -> HttpResponse:
        """Show the form on GET; on POST create the job and open its page."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            by_script = request.headers.get("X-Requested-With") == "fetch"
            try:
                given, job_type = _given(request)
                job = create_job(
                    job_type=job_type,
                    source=Job.Source.UPLOAD,
                    file_name=given.name or "",
                    content=cast(Any, given),
                    user=cast(User, request.user),
                    on_error=_on_error(request),
                )
            except ServiceError as refusal:
                if by_script:
                    return JsonResponse({"error": str(refusal)}, status=status_of(refusal))
                messages.error(request, str(refusal))
            else:
                page = reverse("admin:jobs_job_change", args=[job.pk])
                return JsonResponse({"url": page}, status=202) if by_script else HttpResponseRedirect(page)
        return self.own_page(
            request,
            "admin/jobs/upload.html",
            title="匯入檔案",
            types=[(job_type, importer.label) for job_type, importer in importers().items()],
            on_error=Job.OnError.choices,
            limit=settings.IMPORT_MAX_BYTES // 1024 // 1024,
            max_bytes=settings.IMPORT_MAX_BYTES,
            back=reverse("admin:jobs_job_changelist"),
        )

    def preview_page(self, request: HttpRequest) -> HttpResponse:
        """Return a fragment that shows what a file would change; nothing is stored."""
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
                seen = preview(Path(kept.name), name=given.name or "", job_type=job_type)
        except (ServiceError, SheetError) as refusal:
            return TemplateResponse(request, "admin/jobs/preview.html", {"refusal": str(refusal)})
        return TemplateResponse(request, "admin/jobs/preview.html", _preview_context(seen, _on_error(request)))


def _given(request: HttpRequest) -> tuple[UploadedFile[bytes], str]:
    """Return file and kind of report of a form. Raises ValidationFailed, PayloadTooLarge."""
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
        "warning": _warning(seen, on_error),
        # The figures of the days are left out where none of them would be written.
        "note": "" if seen.error_count and on_error == Job.OnError.REJECT else seen.note,
        "columns": list(zip(seen.labels, looks, strict=True)),
        "rows": [(number, list(zip(cells, looks, strict=True))) for number, cells in seen.rows],
    }


def _warning(seen: Preview, on_error: str) -> str:
    """Return what the import would leave out: everything, or some rows; empty when nothing."""
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
