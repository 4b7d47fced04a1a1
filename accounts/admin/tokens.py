"""Tokens of programs."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import action, display

from accounts import services
from accounts.admin.common import SaysWhy, show_secret, token_badge
from accounts.models import ApiToken, User
from momo.admin_kit.dialogs import after_dialog, question
from momo.admin_kit.display import when
from momo.admin_kit.tables import QuietAdmin


class TokenForm(forms.ModelForm):
    """Whose token, what for, until when."""

    class Meta:
        model = ApiToken
        fields = ("user", "name", "expires_at")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Not in Meta, from where they would also stand under what a made token says.
        for name, text in {"name": "例：n8n 每日匯出", "expires_at": "留空即不會到期。"}.items():
            if name in self.fields:
                self.fields[name].help_text = text

    def clean_expires_at(self) -> Any:
        moment = self.cleaned_data["expires_at"]
        if moment is not None and moment <= timezone.now():
            raise ValidationError("到期時間要在未來")
        return moment


class TokenStateFilter(DropdownFilter):
    """Tokens that work, and those that no longer do."""

    title = "狀態"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("usable", "有效"), ("revoked", "已撤銷"), ("expired", "已到期")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> QuerySet[ApiToken]:
        now = timezone.now()
        if self.value() == "revoked":
            return queryset.exclude(revoked_at=None)
        if self.value() == "expired":
            return queryset.filter(revoked_at=None, expires_at__lte=now)
        return queryset.filter(revoked_at=None).exclude(expires_at__lte=now) if self.value() == "usable" else queryset


@admin.register(ApiToken)
class ApiTokenAdmin(SaysWhy, QuietAdmin):
    """Tokens of programs. Their text is shown once, when they are made."""

    form = TokenForm
    list_display = ("name", "user", "start", "state", "created", "expires", "used", "created_by")
    list_select_related = ("user", "created_by")
    list_filter = (TokenStateFilter,)
    list_filter_submit = True
    search_fields = ("name", "prefix", "user__username", "user__display_name")
    search_help_text = "用途、開頭或使用者"
    sortable_by = ()
    autocomplete_fields = ("user",)
    actions: ClassVar = ()
    actions_row = ("revoke",)
    actions_detail = ("revoke",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_revoke_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("accounts.change_apitoken")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ("user", "name", "expires_at")
        return ("name", "user", "start", "state", "created", "created_by", "expires", "used", "revoked")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.get_fields(request, obj) if obj else ()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        new = services.create_token(created_by=cast(User, request.user), **form.cleaned_data)
        obj.pk, obj.prefix, obj.made_text = new.token.pk, new.token.prefix, new.text

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return show_secret(
            request,
            self,
            title="新的 API 權杖",
            secret=obj.made_text,
            text=f"權杖只顯示這一次，請現在存好。以「{obj.user}」的角色執行，放在 Authorization: Bearer 之後。",
            back=reverse("admin:accounts_apitoken_changelist"),
        )

    @action(
        description="撤銷",
        icon="block",
        permissions=["revoke"],
        dialog=question("撤銷 API 權杖", "使用這個權杖的程式會立刻無法登入，不能復原。", yes="撤銷"),
    )
    def revoke(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        token = get_object_or_404(ApiToken, pk=object_id)
        if token.revoked_at is None:
            services.revoke_token(token=token)
            messages.success(request, f"已撤銷 {token}")
        else:
            messages.warning(request, f"{token} 先前已經撤銷")
        return after_dialog(request, reverse("admin:accounts_apitoken_changelist"))

    @display(description="開頭")
    def start(self, obj: ApiToken) -> str:
        return f"{obj.prefix}…"

    @display(description="狀態")
    def state(self, obj: ApiToken) -> str:
        return token_badge(obj)

    @display(description="建立時間")
    def created(self, obj: ApiToken) -> str:
        return when(obj.created_at)

    @display(description="到期時間")
    def expires(self, obj: ApiToken) -> str:
        return when(obj.expires_at) if obj.expires_at else "不會到期"

    @display(description="最後使用")
    def used(self, obj: ApiToken) -> str:
        return when(obj.last_used_at)

    @display(description="撤銷時間")
    def revoked(self, obj: ApiToken) -> str:
        return when(obj.revoked_at)
