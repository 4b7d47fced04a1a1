"""Admin pages of stockouts: the list, a row with its mails and answers, and what closes and opens rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, BinaryIO, ClassVar, cast

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import action

from accounts.models import User
from momo.admin.kit.dialogs import confirm_dialog, dialog_action
from momo.admin.kit.display import (
    NO_VALUE,
    badge,
    column,
    full_name,
    full_time,
    goods,
    money,
    nowrap,
    page_link,
    thousands,
    when,
    with_sub,
)
from momo.admin.kit.exports import FoundList, facts_of, refuse_too_many
from momo.admin.kit.filters import Choices, ChoicesFilter, NamesFilter, RowsFilter, any_of, choice_filter
from momo.admin.kit.forms import is_id
from momo.admin.kit.mine import mine_filter
from momo.admin.kit.refusals import show_refusal
from momo.admin.kit.tables import PageAdmin
from momo.core.errors import ServiceError, ValidationFailed
from momo.sheets.write import most_rows
from products.models import Product
from vendors.admin.batches import line_badge
from vendors.admin.board import BoardPages
from vendors.admin.mails import mail_badge
from vendors.admin.send import SendActions, send_page
from vendors.exports import stockouts_file
from vendors.models import Stockout, StockoutBatch
from vendors.selectors.answers import Answer
from vendors.selectors.board import (
    AGES,
    OPEN_ROWS,
    UNKNOWN,
    WAITS,
    age_condition,
    age_label,
    lost_sales,
    overdue_condition,
    wait_condition,
)
from vendors.selectors.score import WINDOWS
from vendors.selectors.stockouts import (
    SEARCH_DAYS,
    answers_of,
    count_of_all,
    open_names,
    recent_or_open,
    reported_since,
    rows_of_batch,
    search_stockouts,
    stockouts,
    stored_name,
)
from vendors.services.closing import reopen, resolve
from vendors.services.sendings import MAX_IDS

LISTED = 100  # duplicates, mails and answers on the page of a row


class NameFilter(NamesFilter):
    """Rows of PMs or of departments, open or recent. Offers the names of open rows."""

    field: str

    def offered(self) -> list[str]:
        return open_names(self.field)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Stockout]) -> QuerySet[Stockout]:
        names = [stored_name(name) for name in self.names]
        return queryset.filter(recent_or_open(), **{f"{self.field}__in": names}) if names else queryset


def _by(field: str, title: str) -> type[NameFilter]:
    title = f"{title}（未結案與 {SEARCH_DAYS} 天內）"
    return type("NameFilter", (NameFilter,), {"field": field, "title": title, "parameter_name": field})


def wait_choices() -> Choices:
    """Open rows by whom they wait for, as the board counts them."""
    waits = {who: (label, wait_condition(who)) for who, (label, _) in WAITS.items()}
    return {"open": ("未結案（全部）", OPEN_ROWS), **waits, "overdue": ("廠商逾期未回覆", overdue_condition())}


def age_choices() -> Choices:
    """Open rows by age, as the board counts them."""
    return {key: (age_label(key), OPEN_ROWS & age_condition(key)) for key in AGES}


def duplicate_choices() -> Choices:
    """Rows that repeat another one."""
    return {"yes": ("重複的", Q(duplicate_of__isnull=False))}


def lost_choices() -> Choices:
    """Open rows of which nobody knows what they cost."""
    return {"unknown": ("無法估計（未結案）", OPEN_ROWS & UNKNOWN)}


def window_choices() -> Choices:
    """Rows as the score of vendors counts them."""
    return {str(days): (f"近 {days} 天的報表（不含重複）", reported_since(days)) for days in WINDOWS}


class BatchFilter(AutocompleteSelectFilter):
    """Rows of a report; of one that repeats another report, the rows of that one."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Stockout]) -> QuerySet[Stockout]:
        chosen = [int(text) for text in request.GET.getlist(self.lookup_kwarg) if is_id(StockoutBatch, text)]
        batch = StockoutBatch.objects.filter(pk__in=chosen, same_as__isnull=False).first() if chosen else None
        found = super().queryset(request, queryset) if batch is None else rows_of_batch(queryset, batch=batch)
        return cast("QuerySet[Stockout]", found)


class StockoutPaginator(Paginator):  # type: ignore[type-arg]
    """Counts all rows by their reports; a million of them would take a while."""

    @cached_property
    def count(self) -> int:
        rows = cast("QuerySet[Stockout]", self.object_list)
        return rows.order_by().count() if rows.query.where else count_of_all()


def state(row: Stockout) -> SafeString:
    """The status; of a duplicate that of its original, and that it is one."""
    if row.duplicate_of is None:
        return line_badge(row)
    return format_html("{} {}", line_badge(row.duplicate_of), badge("重複"))


def answer_of(row: Any) -> str:
    """What the vendor says about a row: of a stockout, or of a line of a submission."""
    return str(Answer.of(row)) if row.answer else NO_VALUE


def _in_list(text: str) -> str:
    return text if text == NO_VALUE else full_name(text)


def days_out(row: Stockout) -> str:
    """How long the product has been, or was, out of stock."""
    return nowrap(f"{((row.resolved_at or timezone.now()) - row.created_at).days} 天")


def or_none(show: Callable[[Any], str]) -> Callable[[Any], str]:
    """`show`, and NO_VALUE for None."""
    return lambda value: NO_VALUE if value is None else show(value)


@admin.register(Stockout)
class StockoutAdmin(SendActions, BoardPages, PageAdmin):
    """Rows of all reports, the newest first."""

    paginator = StockoutPaginator
    list_display = ("product", "supplier", "pm_name", "sales", "stock_now", "status_now", "answered", "age")
    list_display_links = ("product",)
    list_filter = (
        choice_filter("等待", "waits", wait_choices),
        ("status", ChoicesFilter),
        _by("pm", "PM"),
        _by("department", "部門"),
        any_of("缺貨天數", "age", age_choices),
        ("vendor", RowsFilter),
        ("batch", BatchFilter),
        choice_filter("重複", "duplicate", duplicate_choices),
        choice_filter("損失估計", "lost", lost_choices),
        choice_filter("評分期間", "window", window_choices),
        mine_filter(pm="pm"),
    )
    tabs = (
        ("全部", {}),
        ("未結案", {"waits": "open"}),
        *((label, {"waits": who}) for who, (label, _) in WAITS.items()),
        ("已結案", {"status__exact": Stockout.Status.RESOLVED}),
    )
    list_fullwidth = True
    list_before_template = "admin/vendors/stockouts.html"
    search_fields = ("product_code",)
    search_help_text = f"品號、品名、廠商代號或名稱（未結案與 {SEARCH_DAYS} 天內）"
    sortable_by = ()
    ordering = ("-id",)
    actions = ("send_selected", "resend_selected", "resolve_selected", "reopen_selected")
    actions_detail: ClassVar[Any] = ("send_one", "resolve_one", "reopen_one")
    change_form_before_template = "admin/vendors/stockout/page.html"

    product = column("商品", lambda row: goods(row.product_name or NO_VALUE, row.product_code))
    supplier = column("廠商", lambda vendor: with_sub(full_name(vendor.name), vendor.code), of="vendor")
    pm_name = column("PM", lambda name: nowrap(name or NO_VALUE), of="pm")
    sales = column("月銷量", or_none(thousands), of="monthly_sales")
    stock_now = column("庫存", or_none(thousands), of="stock")
    status_now = column("狀態", state)
    answered = column("回覆", lambda row: _in_list(answer_of(row.duplicate_of or row)))
    age = column("天數", days_out, number=True)

    def has_close_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("vendors.change_stockout")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Stockout]:
        return stockouts().select_related("duplicate_of", "resolved_by")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Stockout], search_term: str
    ) -> tuple[QuerySet[Stockout], bool]:
        return (search_stockouts(queryset, text=search_term) if search_term.strip() else queryset), False

    def export_file(self, found: FoundList, kind: str) -> BinaryIO:
        refuse_too_many(found.changes.result_count, most_rows(kind))
        return stockouts_file(found.changes.queryset, kind=kind, about=facts_of(found))

    # --- What changes rows ---------------------------------------------------------------------------------------

    @admin.action(description="將選取的缺貨結案", permissions=["close"])
    def resolve_selected(self, request: HttpRequest, queryset: QuerySet[Stockout]) -> None:
        self._change(request, queryset, lambda ids: self._resolved(request, ids))

    @admin.action(description="重新開啟選取的缺貨", permissions=["close"])
    def reopen_selected(self, request: HttpRequest, queryset: QuerySet[Stockout]) -> None:
        self._change(request, queryset, lambda ids: f"已重新開啟 {reopen(ids=ids):,} 項缺貨")

    def _resolved(self, request: HttpRequest, ids: list[int]) -> str:
        return f"已將 {resolve(ids=ids, user=cast(User, request.user)):,} 項缺貨結案"

    def _change(self, request: HttpRequest, rows: QuerySet[Stockout], work: Callable[[list[int]], str]) -> None:
        try:
            ids = list(rows.order_by("pk").values_list("pk", flat=True)[: MAX_IDS + 1])
            if len(ids) > MAX_IDS:
                raise ValidationFailed(f"一次最多處理 {MAX_IDS:,} 筆，沒有變動；請縮小範圍")
            messages.success(request, work(ids))
        except ServiceError as refusal:
            show_refusal(request, refusal)

    @action(description="通知廠商", icon="send", permissions=["send"])
    def send_one(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return send_page(self, request, {"ids": str(object_id)})

    @dialog_action(
        "結案",
        "task_alt",
        permission="close",
        fits=lambda row: row.status != Stockout.Status.RESOLVED,
        dialog=confirm_dialog("結案", "這項缺貨和重複於它的列會結案，不再通知廠商。之後可以重新開啟。", yes="結案"),
    )
    def resolve_one(self, request: HttpRequest, form: Any, row: Stockout) -> str:
        return self._resolved(request, [row.pk])

    @dialog_action(
        "重新開啟",
        "undo",
        permission="close",
        fits=lambda row: row.status == Stockout.Status.RESOLVED,
        dialog=confirm_dialog("重新開啟", "這項缺貨和重複於它的列會回到結案前的狀態。", yes="重新開啟"),
    )
    def reopen_one(self, request: HttpRequest, form: Any, row: Stockout) -> str:
        reopen(ids=[row.pk])
        return "已重新開啟"

    # --- The page of a row ---------------------------------------------------------------------------------------

    def page_context(self, request: HttpRequest, obj: Stockout) -> dict[str, Any]:
        product = Product.objects.filter(product_id=obj.product_code).first()
        repeats = list(obj.duplicates.select_related("batch").order_by("-pk")[:LISTED])
        return {
            "state": state(obj),
            "product_link": page_link("products_product", product.pk, "在商品目錄查看") if product else "",
            "figures": [
                ("月銷量", or_none(thousands)(obj.monthly_sales)),
                ("目前庫存", or_none(thousands)(obj.stock)),
                ("售價", money(obj.price)),
                ("缺貨", days_out(obj)),
                ("損失估計", money(lost_sales(obj))),
            ],
            "facts": [
                ("品號", obj.product_code),
                ("廠商", page_link("vendors_vendor", obj.vendor_id, obj.vendor)),
                ("PM", obj.pm or NO_VALUE),
                ("部門", obj.department or NO_VALUE),
                ("科別", obj.section or NO_VALUE),
                ("批次", _place(obj)),
                ("建立時間", full_time(obj.created_at)),
                ("首次通知", full_time(obj.notified_at)),
                ("首次回覆", full_time(obj.answered_at)),
                ("回覆", answer_of(obj)),
            ],
            "repeated": page_link("vendors_stockout", obj.duplicate_of_id, obj.duplicate_of)
            if obj.duplicate_of
            else "",
            "closing": _closing(obj),
            "mails": [
                (mail, page_link("vendors_vendormail", mail.pk, mail), mail_badge(mail))
                for mail in obj.mails.order_by("-pk")[:LISTED]
            ],
            "answers": [
                (
                    entry.submission,
                    page_link("vendors_submission", entry.submission_id, when(entry.submission.created_at)),
                    answer_of(entry),
                )
                for entry in answers_of(obj)[:LISTED]
            ],
            "duplicates": [(row, page_link("vendors_stockout", row.pk, row), _place(row)) for row in repeats],
        }


def _place(row: Stockout) -> SafeString:
    """The report of a row, and where it stands there."""
    return page_link("vendors_stockoutbatch", row.batch_id, f"#{row.batch_id} 第 {row.row} 列")


def _closing(row: Stockout) -> list[tuple[str, object]]:
    """When, why, and by whom or what the row was resolved."""
    if row.resolved_at is None:
        return []
    facts: list[tuple[str, object]] = [
        ("結案時間", full_time(row.resolved_at)),
        ("結案原因", row.get_resolved_reason_display()),
    ]
    if row.resolved_by is not None:
        facts.append(("結案者", row.resolved_by))
    if row.resolved_batch_id is not None:
        batch = page_link("vendors_stockoutbatch", row.resolved_batch_id, f"#{row.resolved_batch_id}")
        facts.append(("不再列出的批次", batch))
    return facts
