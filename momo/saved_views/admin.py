"""Admin pages of saved views: the menu above each list, one's own views, and their CSV addresses."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, QueryDict
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from accounts.models import User
from momo.admin.kit.dialogs import confirm_dialog, dialog_action, leave_dialog
from momo.admin.kit.display import GOOD, INFO, NO_VALUE, badge, column, full_name, full_time, link, nowrap, when
from momo.admin.kit.exports import Listed, address_of, chosen_filters, find_list
from momo.admin.kit.forms import ModelForm
from momo.admin.kit.refusals import show_refusal
from momo.admin.kit.tables import BaseAdmin
from momo.core.errors import Conflict, NotFound, ServiceError, ValidationFailed
from momo.core.secret_paths import VIEWS
from momo.saved_views.lists import list_of, list_title
from momo.saved_views.models import SavedView
from momo.saved_views.selectors import views_of, views_of_list
from momo.saved_views.services import change_view, clean_query, issue_token, revoke_token, save_view


def _list_url(view: SavedView) -> str:
    """The list with the conditions of a view; empty where there is no such list any more."""
    try:
        return f"{address_of(list_of(view.model))}?{view.query}"
    except NotFound:
        return ""


def _open_link(view: SavedView) -> str:
    return link(_list_url(view), "開啟清單")


class SavedViewForm(ModelForm):
    """Name and sharing; shows beside the name what the service would refuse."""

    class Meta:
        model = SavedView
        fields = ("name", "shared")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        same = SavedView.objects.filter(user_id=self.instance.user_id, model=self.instance.model)
        if same.filter(name=cleaned.get("name")).exclude(pk=self.instance.pk).exists():
            self.add_error("name", "這個清單已經有同名的篩選")
        return cleaned


@admin.register(SavedView)
class SavedViewAdmin(BaseAdmin):
    """One's own views, for admins everybody's; they are made from the lists."""

    form = SavedViewForm
    list_display = ("name", "of_list", "open_list", "sharing", "address_state", "used", "owner", "created")
    list_display_links = ("name",)
    list_select_related = ("user",)
    search_fields = ("name",)
    search_help_text = "名稱"
    sortable_by = ()
    fields = ("name", "shared", "of_list", "conditions", "open_list", "address_state", "used", "owner", "created")
    readonly_fields = ("of_list", "conditions", "open_list", "address_state", "used", "owner", "created")
    actions_detail: ClassVar[Any] = ("address", "revoke")

    of_list = column("清單", list_title, of="model")
    open_list = column("開啟", _open_link)
    sharing = column("看得到的人", lambda shared: badge("同事也看得到", INFO) if shared else "只有自己", of="shared")
    address_state = column(
        "CSV 網址", lambda prefix: badge(f"已建立 {prefix}…", GOOD) if prefix else NO_VALUE, of="prefix"
    )
    used = column("最後讀取", when, of="used_at")
    owner = column("建立者", lambda user: nowrap(user), of="user")
    created = column("建立時間", when, of="created_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_revoke_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(self.has_change_permission(request))

    def get_queryset(self, request: HttpRequest) -> QuerySet[SavedView]:
        return views_of(cast(User, request.user))

    def get_urls(self) -> list[Any]:
        view, name = self.admin_site.admin_view, "saved_views_savedview"
        own = [
            path("menu/", view(self.menu), name=f"{name}_menu"),
            path("keep/", view(self.keep), name=f"{name}_keep"),
        ]
        return [*own, *super().get_urls()]

    def save_model(self, request: HttpRequest, obj: SavedView, form: Any, change: bool) -> None:
        change_view(view=obj, name=obj.name, shared=obj.shared)

    # --- Above each list -------------------------------------------------------------------------------------------

    def menu(self, request: HttpRequest) -> HttpResponse:
        """A fragment: the views of a list, and the form that saves its present conditions."""
        return self._menu(request, request.GET)

    def _menu(self, request: HttpRequest, given: QueryDict, refusal: str = "") -> HttpResponse:
        """The same with what was typed in its form, and why that was refused."""
        user, model = cast(User, request.user), given.get("model", "")
        try:
            address, now = address_of(_visible(request, model)), clean_query(given.get("query", ""))
        except ServiceError as refusal:
            return HttpResponse(str(refusal), content_type="text/plain; charset=utf-8")
        views = [
            (view, f"{address}?{view.query}", view.query == now, "" if view.user_id == user.pk else str(view.user))
            for view in views_of_list(user, model=model)
        ]
        context = {"views": views, "model": model, "query": now, "keep": reverse("admin:saved_views_savedview_keep")}
        return TemplateResponse(request, "admin/saved_views/menu.html", context | {"typed": given, "refusal": refusal})

    def keep(self, request: HttpRequest) -> HttpResponse:
        """Saves the conditions of a list under a name, and returns to the list.

        A refusal stands in the menu, where what was typed stays; without scripts it is a message above the list.
        """
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        given = request.POST
        back = reverse("admin:saved_views_savedview_changelist")
        try:
            listed = _visible(request, given.get("model", ""))
            query = clean_query(given.get("query", ""))
            back = f"{address_of(listed)}?{query}"
            view = save_view(
                user=cast(User, request.user),
                model=given.get("model", ""),
                name=given.get("name", ""),
                query=query,
                shared=given.get("shared") == "on",
                replace=given.get("replace") == "on",
            )
        except ServiceError as refusal:
            if request.headers.get("HX-Request"):
                return self._menu(request, given, str(refusal))
            show_refusal(request, refusal)
        else:
            messages.success(request, f"已存下「{view}」")
        return leave_dialog(request, back)

    # --- The page of a view ----------------------------------------------------------------------------------------

    @display(description="條件")
    def conditions(self, obj: SavedView) -> str:
        """The chosen filters in the words of the list."""
        try:
            found = find_list(list_of(obj.model), user=obj.user, query=obj.query).changes
        except ServiceError as refusal:
            return str(refusal)
        facts = [*chosen_filters(found), *([("搜尋", found.query)] if found.query else [])]
        return full_name("；".join(f"{title}：{text}" for title, text in facts) or "沒有篩選，整個清單")

    @action(description="CSV 網址", icon="link", permissions=["change"], variant=ActionVariant.PRIMARY)
    def address(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """GET says what the address is for; POST makes one and shows it once."""
        view = get_object_or_404(self.get_queryset(request), pk=object_id)
        secret = ""
        if request.method == "POST":
            try:
                secret = f"{settings.PUBLIC_URL}{VIEWS}{issue_token(view=view, user=cast(User, request.user))}.csv"
            except ServiceError as refusal:
                show_refusal(request, refusal)
        response = self.own_page(
            request,
            "admin/saved_views/address.html",
            title=f"「{view}」的 CSV 網址",
            view_shown=view,
            mine=view.user_id == request.user.pk,
            list_title=list_title(view.model),
            issued=full_time(view.issued_at),
            secret=secret,
            back=reverse("admin:saved_views_savedview_change", args=[view.pk]),
        )
        response["Cache-Control"] = "no-store, private"
        return response

    @dialog_action(
        "撤銷 CSV 網址",
        "link_off",
        permission="revoke",
        fits=lambda view: bool(view.digest),
        dialog=confirm_dialog(
            "撤銷 CSV 網址", "讀取這個網址的試算表會立刻讀不到資料，不能復原；可以再建立新的網址。", yes="撤銷"
        ),
    )
    def revoke(self, request: HttpRequest, form: Any, view: SavedView) -> str:
        if not self.get_queryset(request).filter(pk=view.pk).exists():
            raise NotFound
        if not view.digest:
            raise Conflict(f"「{view}」沒有 CSV 網址")
        revoke_token(view=view)
        return f"已撤銷「{view}」的 CSV 網址"


def _visible(request: HttpRequest, model: str) -> Listed:
    """The list, if the user may see it. Raises NotFound and ValidationFailed."""
    listed = list_of(model)
    if not listed.has_view_or_change_permission(request):
        raise ValidationFailed("您沒有這個清單的權限")
    return listed
