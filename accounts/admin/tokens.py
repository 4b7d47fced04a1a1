"""Admin pages of API tokens."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from accounts import services
from accounts.admin.common import ServiceErrorMessages, TokenColumns, show_secret
from accounts.models import ApiToken, User
from momo.admin.kit.dialogs import confirm_dialog, dialog_action
from momo.admin.kit.display import column, when
from momo.admin.kit.filters import Choices, choice_filter
from momo.admin.kit.forms import ModelForm
from momo.admin.kit.tables import BaseAdmin, NoChangeDelete
from momo.core.errors import Conflict


class TokenForm(ModelForm):
    """User, purpose and expiry of a new token."""

    class Meta:
        model = ApiToken
        fields = ("user", "name", "expires_at")

    def clean_expires_at(self) -> Any:
        moment = self.cleaned_data["expires_at"]
        if moment is not None and moment <= timezone.now():
            raise ValidationError("到期時間要在未來")
        return moment


def token_states() -> Choices:
    """Usable, revoked and expired tokens."""
    valid = Q(revoked_at=None)
    expired = Q(expires_at__lte=timezone.now())
    return {"usable": ("有效", valid & ~expired), "revoked": ("已撤銷", ~valid), "expired": ("已到期", valid & expired)}


@admin.register(ApiToken)
class ApiTokenAdmin(NoChangeDelete, TokenColumns, ServiceErrorMessages, BaseAdmin):
    """All tokens. The text of a token is shown once, when it is created."""

    form = TokenForm
    list_display = ("name", "user", "start", "state", "created", "expires", "used", "created_by")
    list_select_related = ("user", "created_by")
    list_filter = (choice_filter("狀態", "state", token_states),)
    search_fields = ("name", "prefix", "user__username", "user__display_name")
    search_help_text = "用途、開頭或使用者"
    sortable_by = ()
    autocomplete_fields = ("user",)
    actions: ClassVar = ()
    actions_row = ("revoke",)
    actions_detail = ("revoke",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ("user", "name", "expires_at")
        return ("name", "user", "start", "state", "created", "created_by", "expires", "used", "revoked")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        # Not below the read-only fields of an existing token.
        texts = {} if obj else {"name": "例：n8n 每日匯出", "expires_at": "留空即不會到期。"}
        return super().get_form(request, obj, change, help_texts=texts, **kwargs)

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

    def has_revoke_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("accounts.change_apitoken")

    @dialog_action(
        "撤銷",
        "block",
        permission="revoke",
        dialog=confirm_dialog("撤銷 API 權杖", "使用這個權杖的程式會立刻無法登入，不能復原。", yes="撤銷"),
    )
    def revoke(self, request: HttpRequest, form: Any, token: ApiToken) -> str:
        if token.revoked_at is not None:
            raise Conflict(f"{token} 先前已經撤銷")
        services.revoke_token(token=token)
        return f"已撤銷 {token}"

    start = column("開頭", "{}…".format, of="prefix")
    revoked = column("撤銷時間", when, of="revoked_at")
