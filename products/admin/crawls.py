"""Admin pages of crawl runs and alerts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.enums import ActionVariant

from momo.admin.kit.dialogs import confirm_dialog, dialog_action, leave_dialog
from momo.admin.kit.display import (
    BAD,
    GOOD,
    NO_VALUE,
    WARN,
    badge,
    choice_badge,
    column,
    full_time,
    nowrap,
    thousands,
    took,
    when,
)
from momo.admin.kit.filters import ChoicesFilter, DayRangeFilter, choice_filter
from momo.admin.kit.tables import PageAdmin, ReadOnlyAdmin
from products.admin.looks import outcome_badge, run_link, shard_badge, verdict_badge
from products.models import Alert, CrawlRun, CrawlShard
from products.selectors.crawls import progress_of
from products.selectors.pages import RUN_ROWS, alerts_of, counts_of, errors_of, results_of
from products.services.runs import start_run


def start_crawl(request: HttpRequest, *, categories: Sequence[str] | None = None) -> HttpResponse:
    """Start a run, show a message, and redirect to the run. Raises ServiceError if there is none."""
    started = start_run(trigger=CrawlRun.Trigger.ADMIN, user=request.user, categories=categories)  # type: ignore[arg-type]
    if started.already_running:
        messages.warning(request, f"價格更新 #{started.run.pk} 還在進行，這次沒有另外開始")
    else:
        messages.success(request, f"價格更新 #{started.run.pk} 已開始，共 {started.run.categories} 個分類")
    return leave_dialog(request, reverse("admin:products_crawlrun_change", args=[started.run.pk]))


def progress_bar(run: CrawlRun, progress: dict[str, int] | None = None) -> str:
    """HTML of a run's progress, which static/admin_momo/progress.js keeps up to date."""
    return render_to_string("admin/products/progress.html", {"run": run, "progress": progress or progress_of(run)})


@admin.register(CrawlRun)
class CrawlRunAdmin(PageAdmin):
    """Crawl runs: their progress, verdict and findings."""

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
        ("verdict", ChoicesFilter),
        ("status", ChoicesFilter),
        ("trigger", ChoicesFilter),
        ("started_at", DayRangeFilter),
    )
    tabs = (
        ("全部", {}),
        ("進行中", {"status__exact": CrawlRun.Status.RUNNING}),
        *((verdict.label, {"verdict__exact": verdict.value}) for verdict in CrawlRun.Verdict),
    )
    list_fullwidth = True
    sortable_by = ("number",)
    ordering = ("-id",)
    actions_list = ("crawl_now",)
    change_form_before_template = "admin/products/crawlrun/page.html"

    number = column("編號", "#{0.pk}".format, order="id")
    verdict_or_progress = column(
        "檢查結果", lambda run: progress_bar(run) if run.status == CrawlRun.Status.RUNNING else verdict_badge(run)
    )
    who = column("執行者", lambda run: nowrap(run.requested_by or "系統"))
    started = column("開始時間", when, of="started_at")
    length = column("歷時", lambda run: nowrap(took(run.started_at, run.finished_at)))

    def has_crawl_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("products.add_crawlrun")

    @dialog_action(
        "立即更新價格",
        "play_arrow",
        variant=ActionVariant.PRIMARY,
        permission="crawl",
        dialog=confirm_dialog(
            "立即更新價格", "更新全部啟用分類的價格。同一時間只會有一次價格更新在進行。", yes="開始更新價格"
        ),
    )
    def crawl_now(self, request: HttpRequest, form: Any) -> HttpResponse:
        return start_crawl(request)

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
                ("歷時", took(obj.started_at, obj.finished_at)),
                ("分類數", obj.categories),
                ("看到商品", thousands(obj.seen)),
                ("待確認價格", obj.quarantined),
            ],
            "counts": [
                (f"{events}?run__id__exact={obj.pk}&kind__exact={kind}", label, number)
                for kind, label, number in counts_of(obj)
            ],
            "shards": [(shard, shard_badge(shard), _memory(shard)) for shard in obj.shards.all()],
            "results": [
                (result, outcome_badge(result), badge("可疑", WARN) if result.suspect else "")
                for result in results_of(obj)
            ],
            # Not `errors`, a name that Django's form page uses itself.
            "troubles": list(errors_of(obj)),
            "error_total": obj.error_count,
            "rows_shown": RUN_ROWS,
            "alerts": list(alerts_of(obj)),
        }


def _memory(shard: CrawlShard) -> str:
    return f"{shard.peak_rss_bytes / 1024 / 1024:,.0f} MB" if shard.peak_rss_bytes else NO_VALUE


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    """Alerts: read only, since runs raise and resolve them."""

    list_display = ("created", "sort", "message", "run_number", "state", "sent")
    list_display_links = ("created", "message")
    list_filter = (
        ("kind", ChoicesDropdownFilter),
        choice_filter(
            "狀態",
            "state",
            lambda: {"open": ("未解除", Q(resolved_at=None)), "resolved": ("已解除", Q(resolved_at__isnull=False))},
        ),
        ("created_at", DayRangeFilter),
    )
    ordering = ("-id",)
    fields = ("sort", "message", "run_number", "codes", "created", "sent", "resolved")

    sort = column("種類", choice_badge({Alert.Kind.SUSPECT: WARN, Alert.Kind.FAILED: BAD}, "kind"))
    run_number = column("價格更新", run_link, of="run_id")
    state = column("狀態", lambda at: badge("已解除", GOOD) if at else badge("未解除", WARN), of="resolved_at")
    created = column("時間", when, of="created_at", order="id")
    sent = column("通知時間", when, of="sent_at")
    resolved = column("解除時間", when, of="resolved_at")
    codes = column("分類代碼", lambda codes: "、".join(codes) or "全部", of="category_codes")
