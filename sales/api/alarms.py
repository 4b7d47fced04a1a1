"""Views of alarms about sales."""

from __future__ import annotations

from typing import Any, cast

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from momo.rest.examples import answered, sent
from momo.rest.permissions import MANAGER, USER
from momo.rest.serializers import ListField, StrictSerializer
from momo.rest.views import ApiView, GenericApiView
from sales.api.filters import AlarmFilter
from sales.models import Alarm
from sales.selectors.alarms import alarms
from sales.services.alarms import acknowledge, said_of

TAGS = ["銷售異常"]
MOST = 500
MAX_ID = 2**63 - 1
ALARM: dict[str, Any] = {
    "id": 12,
    "kind": "amount",
    "date": "2026-11-24",
    "dimension": "brand",
    "key": "水潤",
    "name": "水潤",
    "value": 12000,
    "expected": 31500,
    "text": "業績 $12,000，平常 $31,500（▼61.9%）",
    "created_at": "2026-11-25T09:10:00+08:00",
    "closed_at": None,
    "acknowledged_at": None,
    "acknowledged_by": None,
}


class AlarmSerializer(serializers.ModelSerializer[Alarm]):
    """An alarm."""

    text = serializers.SerializerMethodField(help_text="說明")
    acknowledged_by = serializers.CharField(
        source="acknowledged_by.username", default=None, allow_null=True, help_text="處理人的帳號"
    )

    class Meta:
        model = Alarm
        fields = (
            "id",
            "kind",
            "date",
            "dimension",
            "key",
            "name",
            "value",
            "expected",
            "text",
            "created_at",
            "closed_at",
            "acknowledged_at",
            "acknowledged_by",
        )

    def get_text(self, alarm: Alarm) -> str:
        """The alarm in words."""
        return said_of(alarm)


class AcknowledgeSerializer(StrictSerializer):
    """Which alarms have been seen to."""

    ids = ListField(child=serializers.IntegerField(min_value=1, max_value=MAX_ID), min_length=1, max_length=MOST)


class AcknowledgedSerializer(serializers.Serializer[Any]):
    """How many of them nobody had acknowledged before."""

    acknowledged = serializers.IntegerField()


class AlarmListView(GenericApiView):
    """GET /api/sales/alarms."""

    roles = {"GET": USER}
    queryset = Alarm.objects.none()
    serializer_class = AlarmSerializer
    filterset_class = AlarmFilter

    def get_queryset(self) -> QuerySet[Alarm]:
        return alarms()

    @extend_schema(
        operation_id="sales_alarm_list",
        tags=TAGS,
        summary="銷售異常清單",
        description="銷售日由新到舊。匯入之後檢查：業績與前八週同星期幾的中位數、暢銷品、毛利率、進價，以及缺少的日報。",
        responses={200: AlarmSerializer(many=True)},
        examples=[answered("清單", ALARM)],
    )
    def get(self, request: Request) -> Response:
        return self.page(self.filter_queryset(self.get_queryset()), AlarmSerializer)


class AcknowledgeView(ApiView):
    """POST /api/sales/alarms/acknowledge."""

    roles = {"POST": MANAGER}
    failures = frozenset({404})

    @extend_schema(
        operation_id="sales_alarm_acknowledge",
        tags=TAGS,
        summary="標記銷售異常為已處理",
        description="先前已經標記過的維持不變，不計入 acknowledged。",
        request=AcknowledgeSerializer,
        responses=AcknowledgedSerializer,
        examples=[sent("兩項", {"ids": [12, 13]}), answered("已標記", {"acknowledged": 2})],
    )
    def post(self, request: Request) -> Response:
        done = acknowledge(**self.body(AcknowledgeSerializer), user=cast(User, request.user))
        return self.answer({"acknowledged": done}, message=f"已將 {done} 項標記為已處理")
