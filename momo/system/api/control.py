"""Views that clean up, and that restart deployments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from momo.core.retention import Amount
from momo.core.roles import ADMIN
from momo.rest.examples import answered, sent
from momo.rest.serializers import StrictSerializer
from momo.rest.views import ApiView
from momo.system.models import Cleanup, Rollout
from momo.system.services.cleanup import Line, clean_up, lines_of, preview_cleanup
from momo.system.services.rollouts import restart_deployment

TAGS = ["系統"]
TABLE = {
    "name": "登入紀錄",
    "table": "accounts.LoginAttempt",
    "rows": 1204,
    "bytes": 154112,
    "left_rows": 0,
    "problem": "",
}
REPORT = {"cleanup_id": 12, "dry_run": False, "finished": True, "rows": 1204, "bytes": 154112, "tables": [TABLE]}
ROLLOUT: dict[str, Any] = {
    "rollout_id": 7,
    "deployment": "momo-app",
    "namespace": "momo",
    "status": "pending",
    "message": "3 個 pod，0 個已更新，3 個可用",
    "started_at": "2026-01-29T03:30:00+08:00",
}


class CleanupSerializer(StrictSerializer):
    """Body of POST /api/system/cleanup."""

    dry_run = serializers.BooleanField(required=False, default=False, help_text="只計算，不刪除")


class CleanedTableSerializer(serializers.Serializer[Any]):
    """One kind of expired rows or files."""

    name = serializers.CharField()
    table = serializers.CharField(help_text="模型；檔案則是放檔案的欄位")
    rows = serializers.IntegerField(help_text="已刪除的筆數或檔案數；試算時是會刪除的")
    bytes = serializers.IntegerField(help_text="檔案的大小；資料列以 pg_column_size 加總，不含索引與連帶刪除的明細")
    left_rows = serializers.IntegerField(help_text="找到而還沒有刪除的；試算時為 0")
    problem = serializers.CharField(help_text="沒有刪完的原因")


class CleanedSerializer(serializers.Serializer[Any]):
    """What a clean-up has deleted, or would delete."""

    cleanup_id = serializers.IntegerField(allow_null=True, help_text="試算時為 null")
    dry_run = serializers.BooleanField()
    finished = serializers.BooleanField(help_text="false：時間到，其餘由背景程式繼續")
    rows = serializers.IntegerField()
    bytes = serializers.IntegerField()
    tables = CleanedTableSerializer(many=True)


def _report(lines: Sequence[Line], run: Cleanup | None = None) -> dict[str, Any]:
    """A body of CleanedSerializer: of a clean-up, or without one of a preview."""
    total = sum((line.deleted if run else line.found for line in lines), Amount())
    return {
        "cleanup_id": run and run.pk,
        "dry_run": run is None,
        "finished": run is None or run.status not in Cleanup.UNFINISHED,
        "rows": total.rows,
        "bytes": total.bytes,
        "tables": [
            {
                "name": line.name,
                "table": line.table,
                "rows": (amount := line.deleted if run else line.found).rows,
                "bytes": amount.bytes,
                "left_rows": line.left_rows if run else 0,
                "problem": line.problem,
            }
            for line in lines
        ],
    }


class CleanupView(ApiView):
    """POST /api/system/cleanup."""

    roles = {"POST": ADMIN}
    failures = frozenset({409, 503})

    @extend_schema(
        operation_id="system_cleanup",
        tags=TAGS,
        summary="清理過期的資料",
        description=(
            "刪除所有超過保存期限的紀錄與檔案；價格紀錄不會刪除。一次請求最多刪除 `CLEANUP_REQUEST_SECONDS` 秒，"
            "刪不完時 `finished` 為 false，由背景程式繼續；再送一次請求也會繼續同一次清理。"
            "另一個程式正在清理時回答 409。`dry_run` 為 true 時只計算；緊接著清理，刪除的就是算出來的。"
        ),
        request=CleanupSerializer,
        responses=CleanedSerializer,
        examples=[sent("清理", {"dry_run": False}), answered("已清理", REPORT)],
    )
    def post(self, request: Request) -> Response:
        seconds = settings.CLEANUP_REQUEST_SECONDS
        if self.body(CleanupSerializer)["dry_run"]:
            return self.answer(_report(preview_cleanup(seconds=seconds)), message="這些資料可以清理")
        run = clean_up(trigger=Cleanup.Trigger.API, user=cast(User, request.user), seconds=seconds)
        return self.answer(_report(lines_of(run), run), message=run.message)


class RestartSerializer(StrictSerializer):
    """Body of POST /api/system/k8s/restart."""

    deployment = serializers.CharField(max_length=63, help_text="部署的名稱，K8S_DEPLOYMENTS 其中之一")


class RolloutSerializer(serializers.ModelSerializer[Rollout]):
    """A restart that was ordered."""

    rollout_id = serializers.IntegerField(source="pk")

    class Meta:
        model = Rollout
        fields = ("rollout_id", "deployment", "namespace", "status", "message", "started_at")


class RestartView(ApiView):
    """POST /api/system/k8s/restart."""

    roles = {"POST": ADMIN}
    failures = frozenset({404, 409, 502, 503})

    @extend_schema(
        operation_id="system_k8s_restart",
        tags=TAGS,
        summary="重新啟動部署",
        description=(
            "請 Kubernetes 逐一換掉部署的 pod，並由背景程式看到就緒為止；"
            "結果在後台的「重新啟動」，並通知訂閱系統警示的人。"
            "名單外的部署回答 403；同一個部署還在重新啟動、或叢集裡同時有別的變更時回答 409；"
            "叢集拒絕、沒有回應或逾時回答 502；沒有叢集回答 503。"
        ),
        request=RestartSerializer,
        responses={202: RolloutSerializer},
        examples=[sent("重新啟動", {"deployment": "momo-app"}), answered("已開始", ROLLOUT, 202)],
    )
    def post(self, request: Request) -> Response:
        rollout = restart_deployment(user=cast(User, request.user), **self.body(RestartSerializer))
        return self.answer(RolloutSerializer(rollout).data, status=202, message="已開始重新啟動")
