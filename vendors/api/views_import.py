"""View that imports a stockout report."""

from __future__ import annotations

from typing import Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from momo.core.roles import MANAGER
from momo.jobs.api.serializers import FileSerializer
from momo.jobs.api.views import FileView
from momo.rest.examples import answered, sent
from vendors.services.imports import create_import

UPLOAD = {"file": "廠商缺貨_20260129.xlsx", "on_error": "reject"}
STARTED = {"job_id": 42, "batch_id": 7}


class StockoutImportStartedSerializer(serializers.Serializer[Any]):
    """Answer to the request that starts an import of stockouts."""

    job_id = serializers.IntegerField()
    batch_id = serializers.IntegerField(help_text="這份報表的批次；匯入完成之後才有列")


class StockoutImportView(FileView):
    """POST /api/vendor/stockout/import."""

    roles = {"POST": MANAGER}

    @extend_schema(
        operation_id="vendor_stockout_import",
        tags=["廠商與缺貨"],
        summary="匯入缺貨報表",
        description=(
            "進度與結果在 `GET /api/import/jobs/{job_id}`。同一份內容匯入幾次都只算一次。不認得的廠商會新增，"
            "等人補上信箱；同一廠商同一品號還沒結案時，新的列是它的重複。報表不再列出的缺貨視為已恢復而結案；"
            "會因此結案的超過設定的百分比時，"
            "匯入以 `failed` 結束、`held` 為 true，什麼都不寫入，確認後帶 `confirm_loss` 重試。"
        ),
        request={"multipart/form-data": FileSerializer},
        responses={202: StockoutImportStartedSerializer},
        examples=[sent("上傳", UPLOAD, "multipart/form-data"), answered("已開始", STARTED, 202)],
    )
    def post(self, request: Request) -> Response:
        given = self.body(FileSerializer)
        file = given.pop("file")
        batch = create_import(file_name=file.name, content=file, user=cast(User, request.user), **given)
        return self.answer({"job_id": batch.job_id, "batch_id": batch.pk}, status=202, message="匯入已開始")
