"""Serializers of the import endpoints."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from momo.jobs.importers import importers
from momo.jobs.models import Job
from momo.rest.serializers import ListField

CONFIRM_LOSS = "資料會減少許多也照樣取代。沒有帶時，這種匯入會是 failed 且 held 為 true，什麼都沒有寫入"


class ImportChoicesSerializer(serializers.Serializer[Any]):
    """What a request for an import says about doubtful cases and about what is read."""

    on_error = serializers.ChoiceField(
        Job.OnError.choices,
        default=Job.OnError.REJECT,
        help_text="遇到有錯的列：reject 整份不匯入，skip 略過那些列",
    )
    confirm_loss = serializers.BooleanField(default=False, help_text=CONFIRM_LOSS)
    sheets = ListField(
        source="wanted_sheets",
        child=serializers.CharField(max_length=255, trim_whitespace=False),
        default=list,
        max_length=100,
        help_text="要匯入的工作表；不帶時是最符合的一張，其餘在結果的 message 說明",
    )
    skip_hidden = serializers.BooleanField(default=False, help_text="不匯入隱藏（例如被篩選掉）的列；預設也匯入")


class _OfType(ImportChoicesSerializer):
    """Base of requests for an import of any kind of report that the apps have registered."""

    def get_fields(self) -> dict[str, Any]:
        kinds = [(job_type, importer.label) for job_type, importer in importers().items()]
        texts: dict[str, Any] = {"invalid_choice": f"沒有這種匯入；可用：{'、'.join(importers())}"}
        fields: dict[str, Any] = super().get_fields()
        fields["job_type"] = serializers.ChoiceField(kinds, help_text="報表類型", error_messages=texts)
        return fields


class FileSerializer(ImportChoicesSerializer):
    """A form with a report of a known kind."""

    file = serializers.FileField(help_text=".xlsx、.xls、.xlsb、.ods、.csv，或存成 .xls 的 HTML 表格與 XML 試算表")


class UploadSerializer(_OfType, FileSerializer):
    """Form of POST /api/import/upload."""


class DriveImportSerializer(_OfType):
    """Body of POST /api/import/drive/import."""

    file_id = serializers.RegexField(
        r"^[A-Za-z0-9_-]{1,200}$",
        help_text="Google 雲端硬碟的檔案 id",
        error_messages={"invalid": "這不是 Google 雲端硬碟的檔案 id"},
    )


class RetrySerializer(serializers.Serializer[Any]):
    """Body of POST /api/import/jobs/{job_id}/retry; what is left out is as in the import that is tried again."""

    on_error = serializers.ChoiceField(
        Job.OnError.choices,
        required=False,
        help_text="遇到有錯的列：reject 整份不匯入，skip 略過那些列；沒有帶時與原來的匯入相同",
    )
    confirm_loss = serializers.BooleanField(required=False, help_text=CONFIRM_LOSS)


class JobStartedSerializer(serializers.Serializer[Any]):
    """Answer to every request that starts an import."""

    job_id = serializers.IntegerField()


class DriveFilesQuerySerializer(serializers.Serializer[Any]):
    """Query of GET /api/import/drive/files."""

    page_token = serializers.CharField(required=False, max_length=2000, help_text="前一頁回覆的 `next_page_token`")
    page_size = serializers.IntegerField(required=False, default=50, min_value=1, max_value=200, help_text="每頁筆數")


class DriveFileSerializer(serializers.Serializer[Any]):
    """A file of the Drive folder."""

    id = serializers.CharField()
    name = serializers.CharField()
    mime_type = serializers.CharField()
    modified_at = serializers.DateTimeField()
    size = serializers.IntegerField(allow_null=True, help_text="位元組；Google 試算表沒有大小")
    imported = serializers.BooleanField(help_text="這個版本已經匯入，而且沒有復原")


class DriveFilesSerializer(serializers.Serializer[Any]):
    """A page of the Drive folder."""

    items = DriveFileSerializer(many=True)
    next_page_token = serializers.CharField(allow_null=True)


class JobErrorSerializer(serializers.Serializer[Any]):
    """One bad cell of a file."""

    row = serializers.IntegerField(help_text="試算表的列號")
    column = serializers.CharField(allow_blank=True, help_text="檔案裡的欄位標題；整列的問題為空字串")
    value = serializers.CharField(allow_blank=True)
    message = serializers.CharField()
    sheet = serializers.CharField(allow_blank=True, help_text="工作表；只讀一張時為空字串")


class ErrorGroupSerializer(serializers.Serializer[Any]):
    """Equal errors of a column."""

    sheet = serializers.CharField(allow_blank=True)
    rows = serializers.CharField(help_text="列號，例如 2–291、300")
    column = serializers.CharField(allow_blank=True)
    message = serializers.CharField(help_text="內容不只一種時以「…」表示")
    values = serializers.ListField(child=serializers.CharField(), help_text="內容的例子")
    count = serializers.IntegerField()


class JobSummarySerializer(serializers.Serializer[Any]):
    """An import, as the list shows it."""

    id = serializers.IntegerField()
    job_type = serializers.CharField(allow_blank=True, help_text="看不出類型的檔案為空字串")
    source = serializers.ChoiceField(Job.Source.choices)  # type: ignore[assignment]
    file_name = serializers.CharField()
    status = serializers.ChoiceField(Job.Status.choices)
    stage = serializers.ChoiceField(Job.Stage.choices)
    progress = serializers.IntegerField(min_value=0, max_value=100)
    total_rows = serializers.IntegerField()
    processed_rows = serializers.IntegerField()
    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    skipped = serializers.IntegerField(help_text="沒有寫入的列：有錯而略過的，以及內容早已匯入、完全相同的")
    error_count = serializers.IntegerField()
    errors_url = serializers.CharField(
        allow_null=True, help_text="所有錯誤的活頁簿：主管以上為標出錯誤的原檔，使用者為錯誤清單；沒有錯誤時為 null"
    )
    result = serializers.DictField(help_text="各類型自己的結果")
    message = serializers.CharField(allow_blank=True)
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    held = serializers.BooleanField(
        help_text="等待確認，沒有匯入：資料會減少許多（減少的日子在 result.days 裡 loss 為 true，以 confirm_loss 重試"
        "即取代），或是傳給機器人、預覽後還沒有確認的檔案（重試即匯入）"
    )
    confirm_loss = serializers.BooleanField(help_text="要求時是否同意資料減少")


class JobSerializer(JobSummarySerializer):
    """An import with its first 100 errors."""

    errors = JobErrorSerializer(many=True, help_text="前 100 個錯誤")  # type: ignore[assignment]
    error_groups = ErrorGroupSerializer(many=True, help_text="相同的錯誤合為一組，前 100 組")
