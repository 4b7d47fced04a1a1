"""Views of imports: uploads, files of Drive, jobs, their errors, cancel, undo and retry."""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.idempotency import IdempotentView
from accounts.models import User
from momo.core.roles import MANAGER, USER, has_role
from momo.jobs.api import examples
from momo.jobs.api.filters import JobFilter
from momo.jobs.api.serializers import (
    DriveFilesQuerySerializer,
    DriveFilesSerializer,
    DriveImportSerializer,
    JobSerializer,
    JobStartedSerializer,
    JobSummarySerializer,
    RetrySerializer,
    UploadSerializer,
)
from momo.jobs.drive import DriveClient
from momo.jobs.marked import XLSM, errors_workbook
from momo.jobs.models import Job
from momo.jobs.selectors import job_as_dict, job_by_id, job_summary, jobs, versions_imported
from momo.jobs.services import cancel_job, create_job, import_from_drive, retry_job, undo_job
from momo.jobs.services.files import refuse_larger_than_allowed
from momo.rest.examples import answered, sent
from momo.rest.pagination import Pagination
from momo.rest.parsers import MultiPartParser
from momo.rest.views import ApiView, GenericApiView
from momo.sheets.write import XLSX

IMPORTS = ["匯入"]
JOB_ID = OpenApiParameter("job_id", int, OpenApiParameter.PATH, description="匯入的 `id`")
FORM_BYTES = 64 * 1024  # what a form needs beside its file


class DriveFilesView(ApiView):
    """GET /api/import/drive/files."""

    roles = {"GET": MANAGER}
    failures = frozenset({404, 502})

    @extend_schema(
        operation_id="import_drive_files",
        tags=IMPORTS,
        summary="雲端硬碟的檔案",
        description="設定的 Google 雲端硬碟資料夾裡的檔案，最近修改的在前。",
        parameters=[DriveFilesQuerySerializer],
        responses=DriveFilesSerializer,
        examples=[answered("檔案", examples.DRIVE_FILES)],
    )
    def get(self, request: Request) -> Response:
        asked = self.query(DriveFilesQuerySerializer)
        with DriveClient.from_settings() as client:
            page = client.list_files(page_token=asked.get("page_token"), page_size=asked["page_size"])
        imported = versions_imported([file.id for file in page.items])
        items = [
            {
                "id": file.id,
                "name": file.name,
                "mime_type": file.mime_type,
                "modified_at": file.modified_at,
                "size": file.size,
                "imported": (file.id, file.version) in imported,
            }
            for file in page.items
        ]
        return self.answer({"items": items, "next_page_token": page.next_page_token})


class DriveImportView(IdempotentView):
    """POST /api/import/drive/import."""

    roles = {"POST": MANAGER}
    # The request to Drive reads only name and version while the key is held; the worker downloads the file.
    failures = frozenset({404, 502})

    @extend_schema(
        operation_id="import_drive",
        tags=IMPORTS,
        summary="匯入雲端硬碟的檔案",
        description="檔案由背景程式下載；同一份內容匯入幾次都只算一次。",
        request=DriveImportSerializer,
        responses={202: JobStartedSerializer},
        examples=[sent("匯入", examples.DRIVE_IMPORT), answered("已開始", examples.STARTED, 202)],
    )
    def post(self, request: Request) -> Response:
        job = import_from_drive(**self.body(DriveImportSerializer), user=cast(User, request.user))
        return self.answer({"job_id": job.pk}, status=202, message="匯入已開始")


class FileView(IdempotentView):
    """Base of views to which a report is uploaded."""

    parser_classes = [MultiPartParser]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse by its Content-Length what is too large, before the body is read."""
        super().initial(request, *args, **kwargs)
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdecimal() and int(length) > settings.IMPORT_MAX_BYTES + FORM_BYTES:
            refuse_larger_than_allowed(int(length))


class UploadView(FileView):
    """POST /api/import/upload."""

    roles = {"POST": MANAGER}

    @extend_schema(
        operation_id="import_upload",
        tags=IMPORTS,
        summary="上傳檔案匯入",
        description=(
            "同一份內容匯入幾次都只算一次；內容不同的檔案會取代同一天的資料。某一天的列數或業績會減少超過設定的百分比時，"
            "匯入以 `failed` 結束、`held` 為 true，什麼都不寫入；確認後帶 `confirm_loss` 重試。"
        ),
        request={"multipart/form-data": UploadSerializer},
        responses={202: JobStartedSerializer},
        examples=[
            sent("上傳", examples.UPLOAD, "multipart/form-data"),
            answered("已開始", examples.STARTED, 202),
        ],
    )
    def post(self, request: Request) -> Response:
        given = self.body(UploadSerializer)
        job = create_job(
            job_type=given["job_type"],
            source=Job.Source.UPLOAD,
            file_name=given["file"].name,
            content=given["file"],
            user=cast(User, request.user),
            on_error=given["on_error"],
            confirm_loss=given["confirm_loss"],
            wanted_sheets=given["wanted_sheets"],
            skip_hidden=given["skip_hidden"],
        )
        return self.answer({"job_id": job.pk}, status=202, message="匯入已開始")


class JobListView(GenericApiView):
    """GET /api/import/jobs."""

    roles = {"GET": USER}
    queryset = Job.objects.none()
    serializer_class = JobSummarySerializer
    filterset_class = JobFilter

    def get_queryset(self) -> Any:
        return jobs()

    @extend_schema(
        operation_id="import_jobs_list",
        tags=IMPORTS,
        summary="匯入紀錄",
        description="由新到舊；錯誤的內容在單筆查詢裡。",
        responses={200: JobSummarySerializer(many=True)},
        examples=[answered("清單", examples.SUMMARY)],
    )
    def get(self, request: Request) -> Response:
        pagination = Pagination()
        rows = pagination.paginate_queryset(self.filter_queryset(self.get_queryset()), request, self)
        return self.answer(pagination.body([job_summary(job) for job in rows]))


@extend_schema(parameters=[JOB_ID])
class JobView(ApiView):
    """GET /api/import/jobs/{job_id}."""

    roles = {"GET": USER}

    @extend_schema(
        operation_id="import_jobs_retrieve",
        tags=IMPORTS,
        summary="一個匯入的狀態",
        description="進度在匯入時每半秒更新一次。",
        responses=JobSerializer,
        examples=[answered("匯入", examples.JOB)],
    )
    def get(self, request: Request, job_id: int) -> Response:
        return self.answer(job_as_dict(job_by_id(job_id)))


@extend_schema(parameters=[JOB_ID])
class JobErrorsView(ApiView):
    """GET /api/import/jobs/{job_id}/errors."""

    roles = {"GET": USER}

    @extend_schema(
        operation_id="import_jobs_errors",
        tags=IMPORTS,
        summary="所有錯誤的活頁簿",
        description=(
            "主管與管理員：上傳的活頁簿，有錯的儲存格標上顏色與註解；原檔已超過保存期限時為錯誤清單。"
            "使用者：錯誤清單（列、欄位、內容、問題），不含檔案裡的其他資料，因為原檔可能有個人資料。"
            "有相同的錯誤時，第一張工作表把它們合為一列並寫出個數，第二張逐一列出。沒有錯誤時為 404。"
        ),
        responses={
            (200, XLSX): OpenApiResponse(OpenApiTypes.BINARY),
            (200, XLSM): OpenApiResponse(OpenApiTypes.BINARY),
        },
    )
    def get(self, request: Request, job_id: int) -> FileResponse:
        own_file = has_role(request.user, MANAGER)
        name, handle, content_type = errors_workbook(job_by_id(job_id), own_file=own_file)
        return FileResponse(handle, as_attachment=True, filename=name, content_type=content_type)


@extend_schema(parameters=[JOB_ID])
class UndoView(ApiView):
    """POST /api/import/jobs/{job_id}/undo."""

    roles = {"POST": MANAGER}

    @extend_schema(
        operation_id="import_jobs_undo",
        tags=IMPORTS,
        summary="復原匯入",
        description="只有完成的匯入能復原；再復原一次為 409。",
        request=None,
        responses=JobSerializer,
        examples=[answered("已復原", examples.JOB | {"status": "undone"})],
    )
    def post(self, request: Request, job_id: int) -> Response:
        job = undo_job(job=job_by_id(job_id), user=cast(User, request.user))
        return self.answer(job_as_dict(job), message="匯入已復原")


@extend_schema(parameters=[JOB_ID])
class CancelView(ApiView):
    """POST /api/import/jobs/{job_id}/cancel."""

    roles = {"POST": MANAGER}

    @extend_schema(
        operation_id="import_jobs_cancel",
        tags=IMPORTS,
        summary="取消匯入",
        description="等待中的立刻取消；進行中的在寫入生效之前取消。已結束的為 409。",
        request=None,
        responses=JobSerializer,
        examples=[answered("已取消", examples.JOB | {"status": "cancelled"})],
    )
    def post(self, request: Request, job_id: int) -> Response:
        job = cancel_job(job=job_by_id(job_id), user=cast(User, request.user))
        message = "匯入已取消" if job.status == Job.Status.CANCELLED else "匯入即將取消"
        return self.answer(job_as_dict(job), message=message)


@extend_schema(parameters=[JOB_ID])
class RetryView(IdempotentView):
    """POST /api/import/jobs/{job_id}/retry."""

    roles = {"POST": MANAGER}

    @extend_schema(
        operation_id="import_jobs_retry",
        tags=IMPORTS,
        summary="重試匯入",
        description=(
            "用同一個檔案再匯入一次，為新的匯入；只有失敗或取消的匯入能重試，其他為 409。"
            "`held` 的匯入以 `confirm_loss` 重試，就會取代現有資料。"
        ),
        request=RetrySerializer,
        responses={202: JobStartedSerializer},
        examples=[sent("同意資料減少", examples.RETRY), answered("已開始", examples.STARTED, 202)],
    )
    def post(self, request: Request, job_id: int) -> Response:
        job = job_by_id(job_id)
        given = {} if _is_empty_form(request) else self.body(RetrySerializer)
        again = retry_job(job=job, user=cast(User, request.user), **given)
        return self.answer({"job_id": again.pk}, status=202, message="匯入已開始")


def _is_empty_form(request: Request) -> bool:
    """Whether the body is a form without a field of ours, which some clients send where no body is needed."""
    form = request.content_type.startswith(("multipart/form-data", "application/x-www-form-urlencoded"))
    body = request._request.body if form else b""
    return form and not any(str(name).encode() in body for name in RetrySerializer().fields)
