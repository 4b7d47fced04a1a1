"""Admin pages of campaigns: list, form, and the report of each."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, TextField
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextareaWidget

from momo.admin.kit.dialogs import confirm_dialog, dialog_action
from momo.admin.kit.display import GOOD, INFO, QUIET, WARN, badge, column, link, nowrap, page_link
from momo.admin.kit.figures import export_response
from momo.admin.kit.filters import Choices, choice_filter
from momo.admin.kit.forms import LinesField, ModelForm
from momo.admin.kit.refusals import show_refusal
from momo.admin.kit.tables import BaseAdmin
from momo.core.errors import ServiceError
from sales.addresses import address_of_lines
from sales.admin.campaign_tables import CampaignTables, limits_of
from sales.models import Campaign
from sales.models.campaigns import MAX_BRANDS, MAX_PRODUCTS
from sales.selectors.campaign_report import campaign_report
from sales.selectors.campaigns import campaigns
from sales.services.campaigns import delete_campaign, save_campaign, write_campaigns

STATES = {"now": "進行中", "ahead": "未開始", "over": "已結束"}
ONE_A_LINE = "一行一個；兩欄都空白是全部銷售，都有填時是其中任何一個"


class CampaignForm(ModelForm):
    """Names of brands and codes of products stand one a line."""

    brands = LinesField(most=MAX_BRANDS, longest=120, label="限定品牌", help_text=ONE_A_LINE)
    products = LinesField(most=MAX_PRODUCTS, longest=30, label="限定品號", help_text=ONE_A_LINE)

    class Meta:
        model = Campaign
        fields = ("kind", "name", "first", "last", "warm_up_days", "brands", "products", "note")


def state_badge(campaign: Campaign) -> SafeString:
    """Whether a campaign runs today."""
    today = timezone.localdate()
    if today > campaign.last:
        return badge("已結束", QUIET)
    if today >= campaign.first:
        return badge("進行中", GOOD)
    return badge("預熱中", WARN) if today >= campaign.begins else badge("未開始", INFO)


def state_choices() -> Choices:
    """Campaigns by whether they run today."""
    today = timezone.localdate()
    conditions = {"now": Q(first__lte=today, last__gte=today), "ahead": Q(first__gt=today), "over": Q(last__lt=today)}
    return {state: (label, conditions[state]) for state, label in STATES.items()}


def _report_link(campaign: Campaign) -> SafeString:
    return link(reverse("admin:sales_campaign_report", args=[campaign.pk]), "看比較")


@admin.register(Campaign)
class CampaignAdmin(BaseAdmin):
    """Campaigns, those of rules and those of staff."""

    form = CampaignForm
    list_display = ("name", "sort", "days", "warm_up", "state", "about", "report_link")
    list_filter = (choice_filter("狀態", "state", state_choices), ("kind", ChoicesDropdownFilter))
    tabs: ClassVar = [("全部", {}), *((label, {"state": state}) for state, label in STATES.items())]
    search_fields = ("name", "note")
    search_help_text = "名稱或備註"
    ordering = ("-first", "name")
    sortable_by = ("name", "days")
    fields = CampaignForm.Meta.fields
    formfield_overrides: ClassVar = {TextField: {"widget": UnfoldAdminTextareaWidget(attrs={"rows": 3})}}
    deletes_many = False
    actions_list = ("write_defaults",)
    actions_detail: ClassVar[Any] = ("show_report",)

    sort = column("種類", lambda campaign: campaign.get_kind_display())
    days = column("期間", lambda one: nowrap(f"{one.first:%Y-%m-%d} – {one.last:%m-%d}"), order="first")
    warm_up = column("預熱", lambda days: f"{days} 天", of="warm_up_days", number=True)
    state = column("狀態", state_badge)
    about = column("限定", limits_of)
    report_link = column("業績", _report_link)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.report)
        return [path("<int:object_id>/report/", view, name="sales_campaign_report"), *super().get_urls()]

    def report(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """A campaign against the year before and against the days before."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        campaign = get_object_or_404(campaigns(), pk=object_id)
        try:
            found = campaign_report(campaign)
        except ServiceError as refusal:
            show_refusal(request, refusal)
            return HttpResponseRedirect(reverse("admin:sales_campaign_change", args=[campaign.pk]))
        made = CampaignTables(found)
        tables = made.tables()
        if (file := export_response(request, tables)) is not None:
            return file
        before = found.last_year
        return self.own_page(
            request,
            "admin/sales/campaign/report.html",
            title=campaign.name,
            opts=None,
            campaign=campaign,
            state=state_badge(campaign),
            facts=[
                ("種類", campaign.get_kind_display()),
                ("期間", nowrap(f"{campaign.first:%Y-%m-%d} – {campaign.last:%m-%d}")),
                ("預熱", f"{campaign.warm_up_days} 天"),
                ("限定", limits_of(campaign)),
                ("去年同檔期", page_link("sales_campaign", before.pk, before) if before else "沒有"),
                ("備註", campaign.note or "－"),
            ],
            tables=tables,
            may_change=self.has_change_permission(request),
            lines_url=address_of_lines(campaign.first, campaign.last),
        )

    @action(description="看比較", icon="monitoring", permissions=["view"])
    def show_report(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:sales_campaign_report", args=[object_id]))

    @dialog_action(
        "建立預設檔期",
        "event_repeat",
        permission="add",
        dialog=confirm_dialog(
            "建立預設檔期",
            "去年、今年與明年的年貨節、母親節、618、父親節、中元、中秋、週年慶、雙11 與雙12。每個年份只建立一次："
            "修改或刪除過的檔期不會再動。",
            yes="建立",
        ),
    )
    def write_defaults(self, request: HttpRequest, form: Any) -> str:
        made = write_campaigns()
        return f"已建立 {made} 個檔期" if made else "這幾年的檔期都已經建立過了"

    # --- Saving, through the services ----------------------------------------------------------------------------

    def save_model(self, request: HttpRequest, obj: Campaign, form: Any, change: bool) -> None:
        names = form.changed_data if change else list(form.cleaned_data)
        saved = save_campaign(campaign=obj if change else None, **{name: form.cleaned_data[name] for name in names})
        obj.pk = saved.pk

    def delete_model(self, request: HttpRequest, obj: Campaign) -> None:
        delete_campaign(campaign=obj)
