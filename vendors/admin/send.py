"""Sending from the admin: what would be sent, to whom, and what not and why, before anything is.

`SendActions` is for pages of stockouts and of batches; both lead to `send_page`, which is a page of sendings.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextareaWidget

from accounts.models import User
from momo.admin.kit.refusals import show_refusal
from momo.core.errors import ServiceError
from notifications.admin.looks import frame
from notifications.channels.mail_page import mail_body
from vendors.models import StockoutBatch
from vendors.models.mails import MailKind
from vendors.services.compose import preview
from vendors.services.sendings import MAX_IDS, MAX_NOTE, Group, Plan, plan_stockouts, send_stockouts

SEND_PAGE = "admin:vendors_vendorsending_send"
NAMED = 20  # skipped stockouts that a reason names
PREVIEW, SEND = "preview", "send"  # names of the page's buttons


class SendForm(forms.Form):
    """What the sender may choose; `ids` are the chosen stockouts, unless it is a batch."""

    ids = forms.RegexField(r"^[0-9]{1,18}(,[0-9]{1,18})*$", required=False, widget=forms.HiddenInput)
    batch = forms.IntegerField(required=False, min_value=1, max_value=2**62, widget=forms.HiddenInput)
    note = forms.CharField(
        label="另外要說的話", required=False, max_length=MAX_NOTE, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3})
    )
    include_duplicates = forms.BooleanField(label="重複的缺貨也寄", required=False)
    resend = forms.BooleanField(label="只寄失敗的（選取的已通知過的也再寄一次）", required=False)

    def choice(self) -> dict[str, Any]:
        """The rows, as the services take them. Raises Http404 for a batch that is not there."""
        given = self.cleaned_data
        if given["batch"]:
            return {"batch": get_object_or_404(StockoutBatch, pk=given["batch"])}
        return {"ids": [int(pk) for pk in given["ids"].split(",") if pk]}


class SendActions:
    """For the pages of stockouts (`actions`) and of batches (`actions_detail`): both lead to the page of sending."""

    def has_send_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_send(request)

    @admin.action(description="寄送選取的缺貨", permissions=["send"])
    def send_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        return self._selected(request, queryset)

    @admin.action(description="重寄選取中失敗的", permissions=["send"])
    def resend_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        return self._selected(request, queryset, resend="on")

    @action(description="寄送這一批", icon="send", permissions=["send"])
    def send_batch(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return HttpResponseRedirect(f"{reverse(SEND_PAGE)}?batch={object_id}")

    send_batch.fits = lambda batch: batch.published_at is not None and batch.undone_at is None  # of BaseAdmin

    def _selected(self, request: HttpRequest, queryset: QuerySet[Any], **given: str) -> HttpResponse:
        ids = list(queryset.order_by("pk").values_list("pk", flat=True)[:MAX_IDS])
        if queryset.count() > len(ids):
            messages.warning(request, f"一次最多寄送 {MAX_IDS:,} 筆，其餘的請再做一次")
        return send_page(cast(Any, self), request, {"ids": ",".join(map(str, ids)), **given})


def may_send(request: HttpRequest) -> bool:
    """Whether the user may send mails to vendors."""
    return request.user.has_perm("vendors.add_vendorsending")


def send_page(model_admin: Any, request: HttpRequest, given: Mapping[str, Any]) -> HttpResponse:
    """The page that says what would be sent, shows a mail that was asked for, or sends.

    `given` are the values of the form: a batch or ids, and perhaps a button.
    """
    form = SendForm(given)
    if not form.is_valid():
        plan, shown = Plan([], [], []), None
    else:
        choice = form.choice()
        chosen = {name: form.cleaned_data[name] for name in ("include_duplicates", "resend")}
        note = form.cleaned_data["note"]
        try:
            if SEND in given:
                result = send_stockouts(**choice, **chosen, note=note, user=cast(User, request.user))
                if result.sending is not None:
                    messages.success(request, f"{result.mails:,} 封郵件、{result.queued:,} 筆缺貨已排入寄送")
                    page = reverse("admin:vendors_vendorsending_change", args=[result.sending.pk])
                    return HttpResponseRedirect(page)
                messages.warning(request, "沒有可以寄送的缺貨，沒有變動")
            plan = plan_stockouts(**choice, **chosen)
            wanted = str(given.get(PREVIEW, ""))
            shown = next((group for group in plan.groups if str(group.vendor.pk) == wanted), None)
        except ServiceError as refusal:
            show_refusal(request, refusal)
            return HttpResponseRedirect(reverse("admin:vendors_vendorsending_changelist"))
    return cast(
        HttpResponse,
        model_admin.own_page(
            request,
            "admin/vendors/send.html",
            title="通知廠商缺貨",
            form=form,
            page=reverse(SEND_PAGE),
            groups=plan.groups,
            rows=sum(len(group.rows) for group in plan.groups),
            skipped=by_reason(plan.skipped),
            skipped_count=len(plan.skipped),
            shown=shown,
            **(_preview(shown, note) if shown else {}),
        ),
    )


def _preview(group: Group, note: str) -> dict[str, Any]:
    """A mail, and the page of it that its recipient sees."""
    mail = preview(MailKind.STOCKOUT, vendor=group.vendor, rows=group.rows, note=note)
    page = mail_body(mail.text.html, subject=mail.text.subject, text=mail.text.plain, event=MailKind.STOCKOUT.value)
    return {"mail": mail, "frame": frame(page, title="電子郵件 HTML")}


def by_reason(skipped: Sequence[Mapping[str, Any]]) -> list[tuple[str, int, str]]:
    """Each reason, how many stockouts it keeps back, and the first of them; the most frequent first."""
    found: dict[str, list[int]] = defaultdict(list)
    for skip in skipped:
        found[skip["reason"]].append(skip["id"])
    named = [
        (reason, len(ids), "、".join(f"#{pk}" for pk in ids[:NAMED]) + ("…" if len(ids) > NAMED else ""))
        for reason, ids in found.items()
    ]
    return sorted(named, key=lambda one: -one[1])
