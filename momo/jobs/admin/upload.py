"""Upload page: a file is dropped or chosen, previewed, and then imported."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Sequence
from hashlib import file_digest
from pathlib import Path
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    JsonResponse,
)
from django.template.response import TemplateResponse
from django.urls import reverse

from accounts.models import User
from momo.admin.kit.tables import PageAdmin
from momo.core.errors import PayloadTooLarge, ServiceError, ValidationFailed
from momo.core.thresholds import thresholds
from momo.jobs.admin.days import day_row
from momo.jobs.examples import example_workbook
from momo.jobs.importers import Importer, importer_for, importers
from momo.jobs.models import Job
from momo.jobs.selectors import aliases_of, imported_before
from momo.jobs.services import create_job, learn_columns, preview
from momo.jobs.services.reading import Preview
from momo.rest.errors import status_of
from momo.sheets.columns import Kind, is_personal, normalised
from momo.sheets.errors import SheetError, UnknownColumns
from momo.sheets.write import XLSX

DAYS_SHOWN = 62
GROUPS_SHOWN = 100
COLUMN = "column:"  # before the name of a field, in the form that maps headers


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
                    confirm_loss=request.POST.get("confirm_loss") == "true",
                    wanted_sheets=_choices(request)["sheets"],
                    skip_hidden=_choices(request)["skip_hidden"],
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
            reports=[_wanted(importer) for importer in importers().values()],
            chosen=request.GET.get("job_type", ""),
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
                kept.seek(0)
                known = imported_before(job_type=job_type, sha256=file_digest(kept, "sha256").hexdigest())
                seen = preview(Path(kept.name), name=given.name or "", job_type=job_type, **_choices(request))
        except (ServiceError, SheetError) as refusal:
            context = {"refusal": str(refusal)}
            if isinstance(refusal, UnknownColumns):
                context |= mapping(importers()[job_type], refusal.headers, refusal.found)
            return TemplateResponse(request, "admin/jobs/preview.html", context)
        context = _preview_context(seen, _on_error(request), known, skip_hidden=_choices(request)["skip_hidden"])
        context |= mapping(importers()[job_type], seen.unknown, seen.fields)
        return TemplateResponse(request, "admin/jobs/preview.html", context)

    def columns_page(self, request: HttpRequest) -> HttpResponse:
        """Remember which header stands for which field, as people chose beside a preview."""
        if not (self.has_import_permission(request) and request.user.has_perm("jobs.add_columnalias")):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        chosen = {
            name.removeprefix(COLUMN): str(header)
            for name, header in request.POST.items()
            if name.startswith(COLUMN) and header
        }
        try:
            learn_columns(job_type=request.POST.get("job_type", ""), columns=chosen)
        except ServiceError as refusal:
            return JsonResponse({"error": str(refusal)}, status=status_of(refusal))
        return JsonResponse({"learned": len(chosen)})

    def example(self, request: HttpRequest, job_type: str) -> FileResponse:
        """Send an example workbook of a kind of report."""
        importer = importer_for(job_type)
        if importer is None or not self.has_import_permission(request):
            raise Http404
        name, handle = example_workbook(importer)
        return FileResponse(handle, as_attachment=True, filename=name, content_type=XLSX)


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


def _choices(request: HttpRequest) -> dict[str, Any]:
    """What people chose beside the preview: which sheets, and whether rows that are not shown are left out."""
    return {"sheets": request.POST.getlist("sheet"), "skip_hidden": request.POST.get("skip_hidden") == "true"}


def _on_error(request: HttpRequest) -> str:
    return request.POST.get("on_error") or Job.OnError.REJECT


def _wanted(importer: Importer) -> dict[str, Any]:
    """What the upload page says about the columns of a kind of report."""
    taught = aliases_of(importer.job_type)
    return {
        "label": importer.label,
        "note": importer.columns_note,
        "example": reverse("admin:jobs_job_example", args=[importer.job_type]),
        "columns": [
            (field.label, field.required, "、".join(field.aliases), "、".join(taught.get(field.name, ())))
            for field in importer.fields
        ],
    }


def mapping(importer: Importer, headers: Sequence[str], found: Collection[str]) -> dict[str, Any]:
    """The form in which people say which of the unknown headers stands for which field.

    A header that is known by now, by itself too few to find the row of headers, is not offered again.
    """
    taught = aliases_of(importer.job_type)
    owners = {
        normalised(alias): field.name
        for field in importer.fields
        for alias in (*field.aliases, *taught.get(field.name, ()))
    }
    known = {header: owners[normalised(header)] for header in headers if normalised(header) in owners}
    found = {*found, *known.values()}
    fields = [
        (f"{COLUMN}{field.name}", field.label, field.required) for field in importer.fields if field.name not in found
    ]
    mapped = sorted(fields, key=lambda field: not field[2])
    offered = [header for header in dict.fromkeys(headers) if header not in known and not is_personal(header)]
    complete = not any(required for _, _, required in fields)
    return {"mapped": mapped, "offered": offered, "mapped_all": complete, "job_type": importer.job_type}


def _preview_context(seen: Preview, on_error: str, known: Job | None, *, skip_hidden: bool) -> dict[str, Any]:
    refused = bool(seen.error_count) and on_error == Job.OnError.REJECT
    days = [] if refused else [day_row(day) for day in seen.days]
    looks = ["mo-cell" if kind == Kind.TEXT else "mo-num mo-nowrap" for kind in seen.kinds]
    return {
        "seen": seen,
        "warning": seen.warning(on_error),
        # The figures of the days are left out where none of them would be written.
        "note": "" if refused else seen.note,
        "effect": None if refused else seen.effect,
        "known": known,
        "known_url": reverse("admin:jobs_job_change", args=[known.pk]) if known else "",
        # The sort is stable: losses first, since those after DAYS_SHOWN are not shown.
        "days": sorted(days, key=lambda day: not day["loss"])[:DAYS_SHOWN],
        "days_left": max(0, len(days) - DAYS_SHOWN),
        "losses": sum(day["loss"] for day in days),
        "loss_percent": thresholds.IMPORT_LOSS_PERCENT,
        "sheets": seen.sheets if len(seen.sheets) > 1 else (),
        "skip_hidden": skip_hidden,
        "groups": seen.groups[:GROUPS_SHOWN],
        "groups_left": max(0, len(seen.groups) - GROUPS_SHOWN),
        "columns": list(zip(seen.labels, looks, strict=True)),
        "rows": [(number, list(zip(cells, looks, strict=True))) for number, cells in seen.rows],
    }
