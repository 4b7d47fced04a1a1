"""REST API of the checks."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from ai.api.serializers_check import CheckedSerializer, CheckSerializer
from ai.services.checking import check_copy
from momo.rest.examples import answered, sent
from momo.rest.permissions import USER
from momo.rest.views import ApiView

BODY = {"text": "天然草本茶，每天一杯幫助減 肥", "domain": "food"}
CHECKED: dict[str, Any] = {
    "warnings": [
        {
            "check": "claims",
            "kind": "誇大不實",
            "severity": "high",
            "start": 12,
            "end": 15,
            "text": "減 肥",
            "reason": "涉及改變身體外觀，屬於不實、誇張或易生誤解",
            "suggestion": "改寫為養顏美容、青春美麗",
            "law": "食品安全衛生管理法第28條第1項",
        }
    ],
    "domain": "food",
}


class CheckView(ApiView):
    """POST /api/ai/check."""

    roles = {"POST": USER}
    throttle_scope = "check"
    failures = frozenset({404})

    @extend_schema(
        operation_id="ai_check",
        tags=["AI 文案"],
        summary="檢查文案",
        description="依廣告法規的詞句檢查一段文字；有 facts 或 product_id 時也核對事實。不會改動文字。"
        "沒有警告只表示沒有發現問題，不代表一定符合法規。",
        request=CheckSerializer,
        responses=CheckedSerializer,
        examples=[sent("食品文案", BODY), answered("警告", CHECKED)],
    )
    def post(self, request: Request) -> Response:
        warnings, domain = check_copy(**self.body(CheckSerializer))
        message = f"發現 {len(warnings)} 個問題" if warnings else "沒有發現問題"
        return self.answer({"warnings": [warning.as_dict() for warning in warnings], "domain": domain}, message=message)
