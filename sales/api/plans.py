"""Views of targets, campaigns and notes of a day."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from momo.rest.examples import answered, sent
from momo.rest.pagination import Pagination
from momo.rest.permissions import MANAGER, USER
from momo.rest.views import ApiView, GenericApiView
from sales.api import plan_examples as examples
from sales.api.filters import CampaignFilter, NoteFilter, TargetFilter
from sales.api.plan_serializers import (
    AttainmentQuerySerializer,
    AttainmentSerializer,
    CampaignChangesSerializer,
    CampaignSerializer,
    NewCampaignSerializer,
    NewNoteSerializer,
    NewTargetSerializer,
    NoteChangesSerializer,
    NoteSerializer,
    TargetChangesSerializer,
    TargetSerializer,
)
from sales.api.views import PAGES
from sales.models import Campaign, DayNote, Target
from sales.selectors.campaigns import campaign_by_id, campaigns, note_by_id, notes
from sales.selectors.lines import latest_or_today
from sales.selectors.targets import MEASURES, Attained, attainment, target_by_id, targets
from sales.services.campaigns import delete_campaign, save_campaign
from sales.services.notes import delete_note, save_note
from sales.services.targets import delete_target, save_target

TAGS = ["目標與檔期"]
TARGET_ID = OpenApiParameter("target_id", int, OpenApiParameter.PATH, description="目標的 `id`")
CAMPAIGN_ID = OpenApiParameter("campaign_id", int, OpenApiParameter.PATH, description="檔期的 `id`")
NOTE_ID = OpenApiParameter("note_id", int, OpenApiParameter.PATH, description="註記的 `id`")
PROGRESS = ("target", "actual", "attainment", "expected", "ahead", "projected", "needed")


class TargetListView(GenericApiView):
    """GET and POST /api/sales/targets."""

    roles = {"GET": USER, "POST": MANAGER}
    queryset = Target.objects.none()
    serializer_class = TargetSerializer
    filterset_class = TargetFilter

    def get_queryset(self) -> QuerySet[Target]:
        return targets()

    @extend_schema(
        operation_id="sales_target_list",
        tags=TAGS,
        summary="目標清單",
        description="月份由新到舊。",
        responses={200: TargetSerializer(many=True)},
        examples=[answered("清單", examples.TARGET)],
    )
    def get(self, request: Request) -> Response:
        return self.page(self.filter_queryset(self.get_queryset()), TargetSerializer)

    @extend_schema(
        operation_id="sales_target_create",
        tags=TAGS,
        summary="新增目標",
        description="每個月的每個維度與名稱只有一個；業績與毛利至少要有一個。",
        request=NewTargetSerializer,
        responses={201: TargetSerializer},
        examples=[sent("新增", examples.NEW_TARGET), answered("已新增", examples.TARGET, 201)],
    )
    def post(self, request: Request) -> Response:
        target = save_target(**self.body(NewTargetSerializer))
        return self.answer(TargetSerializer(target).data, status=201, message="已新增目標")


@extend_schema(parameters=[TARGET_ID])
class TargetView(ApiView):
    """GET, PUT and DELETE /api/sales/targets/{target_id}."""

    roles = {"GET": USER, "PUT": MANAGER, "DELETE": MANAGER}

    @extend_schema(
        operation_id="sales_target_retrieve",
        tags=TAGS,
        summary="一個目標",
        responses=TargetSerializer,
        examples=[answered("目標", examples.TARGET)],
    )
    def get(self, request: Request, target_id: int) -> Response:
        return self.answer(TargetSerializer(target_by_id(target_id)).data)

    @extend_schema(
        operation_id="sales_target_update",
        tags=TAGS,
        summary="修改目標",
        description="省略的欄位維持不變。",
        request=TargetChangesSerializer,
        responses=TargetSerializer,
        examples=[sent("改業績", {"amount": 3000000}), answered("已更新", examples.TARGET)],
    )
    def put(self, request: Request, target_id: int) -> Response:
        target = save_target(target=target_by_id(target_id), **self.body(TargetChangesSerializer))
        return self.answer(TargetSerializer(target).data, message="已更新目標")

    @extend_schema(operation_id="sales_target_destroy", tags=TAGS, summary="刪除目標", responses={200: None})
    def delete(self, request: Request, target_id: int) -> Response:
        delete_target(target=target_by_id(target_id))
        return self.answer(message="已刪除目標")


class AttainmentView(ApiView):
    """GET /api/sales/targets/attainment."""

    roles = {"GET": USER}

    @extend_schema(
        operation_id="sales_target_attainment",
        tags=TAGS,
        summary="目標達成率",
        description="一個月的目標與實績、至今應達、月底預估與剩下的每一天要多少；"
        "目標依去年同月各星期幾的業績分配到每一天，沒有時平均分配。",
        parameters=[AttainmentQuerySerializer, *PAGES],
        responses=AttainmentSerializer,
        examples=[answered("本月", examples.ATTAINMENT)],
    )
    def get(self, request: Request) -> Response:
        given = self.query(AttainmentQuerySerializer)
        found = attainment(given.get("month") or latest_or_today(), given["dimension"])
        pagination = Pagination()
        rows = pagination.paginate_queryset(found.rows, request, self)
        return self.answer(
            {
                "month": f"{found.month:%Y-%m}",
                "dimension": found.dimension,
                "until": found.until,
                "days_left": found.days_left,
                "shape": found.shape,
                "whole": _attained(found.whole),
                "difference": found.difference,
                **pagination.body([_attained(row) for row in rows]),
            }
        )


def _attained(row: Attained) -> dict[str, Any]:
    return {
        "key": row.key,
        **{measure: {name: getattr(getattr(row, measure), name) for name in PROGRESS} for measure in MEASURES},
    }


class CampaignListView(GenericApiView):
    """GET and POST /api/sales/campaigns."""

    roles = {"GET": USER, "POST": MANAGER}
    queryset = Campaign.objects.none()
    serializer_class = CampaignSerializer
    filterset_class = CampaignFilter

    def get_queryset(self) -> QuerySet[Campaign]:
        return campaigns()

    @extend_schema(
        operation_id="sales_campaign_list",
        tags=TAGS,
        summary="檔期清單",
        description="首日由新到舊。去年、今年與明年的檔期依規則建立一次，之後由使用者修改。",
        responses={200: CampaignSerializer(many=True)},
        examples=[answered("清單", examples.CAMPAIGN)],
    )
    def get(self, request: Request) -> Response:
        return self.page(self.filter_queryset(self.get_queryset()), CampaignSerializer)

    @extend_schema(
        operation_id="sales_campaign_create",
        tags=TAGS,
        summary="新增檔期",
        description="同名的檔期首日不可相同；最長 45 天。沒有限定品牌與品號時，是全部的銷售。",
        request=NewCampaignSerializer,
        responses={201: CampaignSerializer},
        examples=[sent("新增", examples.NEW_CAMPAIGN), answered("已新增", examples.CAMPAIGN, 201)],
    )
    def post(self, request: Request) -> Response:
        campaign = save_campaign(**self.body(NewCampaignSerializer))
        return self.answer(CampaignSerializer(campaign).data, status=201, message="已新增檔期")


@extend_schema(parameters=[CAMPAIGN_ID])
class CampaignView(ApiView):
    """GET, PUT and DELETE /api/sales/campaigns/{campaign_id}."""

    roles = {"GET": USER, "PUT": MANAGER, "DELETE": MANAGER}

    @extend_schema(
        operation_id="sales_campaign_retrieve",
        tags=TAGS,
        summary="一個檔期",
        responses=CampaignSerializer,
        examples=[answered("檔期", examples.CAMPAIGN)],
    )
    def get(self, request: Request, campaign_id: int) -> Response:
        return self.answer(CampaignSerializer(campaign_by_id(campaign_id)).data)

    @extend_schema(
        operation_id="sales_campaign_update",
        tags=TAGS,
        summary="修改檔期",
        description="省略的欄位維持不變。",
        request=CampaignChangesSerializer,
        responses=CampaignSerializer,
        examples=[sent("改末日", {"last": "2026-11-12"}), answered("已更新", examples.CAMPAIGN)],
    )
    def put(self, request: Request, campaign_id: int) -> Response:
        campaign = save_campaign(campaign=campaign_by_id(campaign_id), **self.body(CampaignChangesSerializer))
        return self.answer(CampaignSerializer(campaign).data, message="已更新檔期")

    @extend_schema(
        operation_id="sales_campaign_destroy",
        tags=TAGS,
        summary="刪除檔期",
        description="依規則建立的檔期刪除之後不會再出現。",
        responses={200: None},
    )
    def delete(self, request: Request, campaign_id: int) -> Response:
        delete_campaign(campaign=campaign_by_id(campaign_id))
        return self.answer(message="已刪除檔期")


class NoteListView(GenericApiView):
    """GET and POST /api/sales/notes."""

    roles = {"GET": USER, "POST": MANAGER}
    queryset = DayNote.objects.none()
    serializer_class = NoteSerializer
    filterset_class = NoteFilter

    def get_queryset(self) -> QuerySet[DayNote]:
        return notes()

    @extend_schema(
        operation_id="sales_note_list",
        tags=TAGS,
        summary="日註記清單",
        description="日期由新到舊。",
        responses={200: NoteSerializer(many=True)},
        examples=[answered("清單", examples.NOTE)],
    )
    def get(self, request: Request) -> Response:
        return self.page(self.filter_queryset(self.get_queryset()), NoteSerializer)

    @extend_schema(
        operation_id="sales_note_create",
        tags=TAGS,
        summary="新增日註記",
        description="作者是送出的人；同一天不可有相同的內容。",
        request=NewNoteSerializer,
        responses={201: NoteSerializer},
        examples=[sent("新增", examples.NEW_NOTE), answered("已新增", examples.NOTE, 201)],
    )
    def post(self, request: Request) -> Response:
        note = save_note(author=request.user, **self.body(NewNoteSerializer))
        return self.answer(NoteSerializer(note).data, status=201, message="已新增註記")


@extend_schema(parameters=[NOTE_ID])
class NoteView(ApiView):
    """GET, PUT and DELETE /api/sales/notes/{note_id}."""

    roles = {"GET": USER, "PUT": MANAGER, "DELETE": MANAGER}

    @extend_schema(
        operation_id="sales_note_retrieve",
        tags=TAGS,
        summary="一則日註記",
        responses=NoteSerializer,
        examples=[answered("註記", examples.NOTE)],
    )
    def get(self, request: Request, note_id: int) -> Response:
        return self.answer(NoteSerializer(note_by_id(note_id)).data)

    @extend_schema(
        operation_id="sales_note_update",
        tags=TAGS,
        summary="修改日註記",
        description="省略的欄位維持不變。",
        request=NoteChangesSerializer,
        responses=NoteSerializer,
        examples=[sent("改內容", {"text": "直播加碼"}), answered("已更新", examples.NOTE)],
    )
    def put(self, request: Request, note_id: int) -> Response:
        note = save_note(note=note_by_id(note_id), **self.body(NoteChangesSerializer))
        return self.answer(NoteSerializer(note_by_id(note.pk)).data, message="已更新註記")

    @extend_schema(operation_id="sales_note_destroy", tags=TAGS, summary="刪除日註記", responses={200: None})
    def delete(self, request: Request, note_id: int) -> Response:
        delete_note(note=note_by_id(note_id))
        return self.answer(message="已刪除註記")
