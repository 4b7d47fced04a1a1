"""Crawl runs and alerts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from momo.admin_kit.dialogs import after_dialog, question
from momo.admin_kit.display import BAD, GOOD, WARN, badge, duration, full_time, when
from momo.admin_kit.filters import DayRangeFilter
from momo.admin_kit.tables import PageAdmin, ReadOnlyAdmin
from products.admin.looks import OUTCOME_TONES, SHARD_TONES, run_link, verdict_badge
from products.models import Alert, CategoryResult, CrawlRun, CrawlShard
from products.selectors.crawls import progress_of
from products.selectors.pages import RUN_ROWS, alerts_of, counts_of, errors_of, results_of
from products.services.runs import BrokerUnavailable, NothingToCrawl, UnknownCategories, start_run


def start_crawl(request: HttpRequest, *, categories: Sequence[str] | None = None) -> HttpResponse | None:
    """Ask for a run and say what became of it. Leads to the run, or nowhere when there is none."""
    try:
        started = start_run(trigger=CrawlRun.Trigger.ADMIN, user=request.user, categories=categories)  # type: ignore[arg-type]
    except (NothingToCrawl, UnknownCategories) as error:
        messages.warning(request, str(error))
        return None
    except BrokerUnavailable as error:
        messages.error(request, str(error))
        return None
    if started.already_running:
        messages.warning(request, f"爬取 #{started.run.pk} 還在進行，這次沒有另外開始")
    else:
        messages.success(request, f"爬取 #{started.run.pk} 已開始，共 {started.run.categories} 個分類")
    return HttpResponseRedirect(reverse("admin:products_crawlrun_change", args=[started.run.pk]))


def progress_bar(run: CrawlRun, progress: dict[str, int] | None = None) -> str:
    """How far a run is; static/admin_momo/progress.js keeps it up to date."""
    return render_to_string("admin/products/progress.html", {"run": run, "progress": progress or progress_of(run)})


def took(run: CrawlRun) -> str:
    return duration((run.finished_at or timezone.now()) - run.started_at)


@admin.register(CrawlRun)
class CrawlRunAdmin(PageAdmin):
    """Every walk over momo: how it went and what it found."""

    list_display = (
        "number",
        "verdict_or_progress",
        "started",
        "length",
        "trigger",
        "who",
        "categories",
        "seen",
        "new",
        "increased",
        "decreased",
        "sold_out",
        "delisted",
        "quarantined",
        "error_count",
    )
    list_display_links = ("number",)
    list_select_related = ("requested_by",)
    list_filter = (
        ("verdict", ChoicesDropdownFilter),
        ("status", ChoicesDropdownFilter),
        ("trigger", ChoicesDropdownFilter),
        ("started_at", DayRangeFilter),
    )
    list_filter_submit = True
    list_fullwidth = True
    sortable_by = ("number",)
    ordering = ("-id",)
    actions_list = ("crawl_now",)
    change_form_before_template = "admin/products/crawlrun/page.html"

    def has_crawl_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("products.add_crawlrun")

    @action(
        description="立即爬取",
        icon="play_arrow",
        variant=ActionVariant.PRIMARY,
        permissions=["crawl"],
        dialog=question("立即爬取", "爬取全部啟用的分類。同一時間只會有一次爬取在進行。", yes="開始爬取"),
    )
    def crawl_now(self, request: HttpRequest, form: Any) -> HttpResponse:
        started = start_crawl(request)
        return (
            after_dialog(request, reverse("admin:products_crawlrun_changelist"))
            if started is None
            else _lead(request, started)
        )

    @display(description="編號", ordering="id")
    def number(self, obj: CrawlRun) -> str:
        return f"#{obj.pk}"

    @display(description="判定")
    def verdict_or_progress(self, obj: CrawlRun) -> str:
        return progress_bar(obj) if obj.status == CrawlRun.Status.RUNNING else verdict_badge(obj)

    @display(description="執行者")
    def who(self, obj: CrawlRun) -> str:
        return format_html('<span class="mo-nowrap">{}</span>', obj.requested_by or "系統")

    @display(description="開始時間")
    def started(self, obj: CrawlRun) -> str:
        return when(obj.started_at)

    @display(description="歷時")
    def length(self, obj: CrawlRun) -> str:
        return format_html('<span class="mo-nowrap">{}</span>', took(obj))

    def page_context(self, request: HttpRequest, obj: CrawlRun) -> dict[str, Any]:
        running = obj.status == CrawlRun.Status.RUNNING
        events = reverse("admin:products_priceevent_changelist")
        return {
            "verdict": verdict_badge(obj),
            "progress": progress_bar(obj) if running else "",
            "facts": [
                ("來源", obj.get_trigger_display()),
                ("執行者", obj.requested_by or "系統"),
                ("開始時間", full_time(obj.started_at)),
                ("結束時間", full_time(obj.finished_at)),
                ("歷時", took(obj)),
                ("分類數", obj.categories),
                ("看到商品", f"{obj.seen:,}"),
                ("待確認價格", obj.quarantined),
            ],
            "counts": [
                {"label": label, "number": number, "url": f"{events}?run__id__exact={obj.pk}&kind__exact={kind}"}
                for kind, label, number in counts_of(obj)
            ],
            "shards": [_shard_row(shard) for shard in obj.shards.all()],
            "results": [_result_row(result) for result in results_of(obj)],
            # Not `errors`, which Django's form page takes for its own.
            "troubles": list(errors_of(obj)),
            "error_total": obj.error_count,
            "rows_shown": RUN_ROWS,
            "alerts": list(alerts_of(obj)),
        }


def _lead(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """A redirect that also works from within a dialog."""
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": response["Location"]})
    return response


def _shard_row(shard: CrawlShard) -> dict[str, Any]:
    return {
        "number": shard.number,
        "status": badge(shard.get_status_display(), SHARD_TONES[CrawlShard.Status(shard.status)]),
        "categories": len(shard.category_codes),
        "attempt": shard.attempt,
        "pages": f"{shard.pages} / {shard.pages_expected}" if shard.pages_expected else f"{shard.pages}",
        "items": f"{shard.items:,}",
        "requests": f"{shard.requests:,}",
        "memory": f"{shard.peak_rss_bytes / 1024 / 1024:,.0f} MB" if shard.peak_rss_bytes else "－",
        "heartbeat": when(shard.heartbeat_at),
        "message": shard.message,
    }


def _result_row(result: CategoryResult) -> dict[str, Any]:
    return {
        "category": result.category,
        "outcome": badge(result.get_outcome_display(), OUTCOME_TONES[CategoryResult.Outcome(result.outcome)]),
        "suspect": badge("可疑", WARN) if result.suspect else "",
        "pages": f"{result.pages} / {result.max_page}",
        "seen": f"{result.seen:,} / {result.total:,}" if result.total else f"{result.seen:,}",
        "missing": result.missing,
        "message": result.message,
    }


class OpenFilter(DropdownFilter):
    """Alerts that still stand, or those that a good run has cleared."""

    title = "狀態"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "未解除"), ("resolved", "已解除")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Alert]) -> QuerySet[Alert]:
        chosen = self.value()
        return queryset.filter(resolved_at__isnull=chosen == "open") if chosen in {"open", "resolved"} else queryset


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    """What people had to hear of."""

    list_display = ("created", "sort", "message", "run_number", "state", "sent")
    list_display_links = ("created", "message")
    list_filter = (("kind", ChoicesDropdownFilter), OpenFilter, ("created_at", DayRangeFilter))
    list_filter_submit = True
    ordering = ("-id",)
    fields = ("sort", "message", "run_number", "codes", "created", "sent", "resolved")
    readonly_fields = fields

    @display(description="種類")
    def sort(self, obj: Alert) -> str:
        return badge(obj.get_kind_display(), WARN if obj.kind == Alert.Kind.SUSPECT else BAD)

    @display(description="爬取")
    def run_number(self, obj: Alert) -> str:
        return run_link(obj.run_id)

    @display(description="狀態")
    def state(self, obj: Alert) -> str:
        return badge("已解除", GOOD) if obj.resolved_at else badge("未解除", WARN)

    @display(description="時間", ordering="id")
    def created(self, obj: Alert) -> str:
        return when(obj.created_at)

    @display(description="通知時間")
    def sent(self, obj: Alert) -> str:
        return when(obj.sent_at)

    @display(description="解除時間")
    def resolved(self, obj: Alert) -> str:
        return when(obj.resolved_at)

    @display(description="分類代碼")
    def codes(self, obj: Alert) -> str:
        return "、".join(obj.category_codes) or "全部"
