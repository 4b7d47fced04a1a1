"""The people."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin
from django.contrib.admin.options import InlineModelAdmin
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminPasswordWidget

from accounts import services
from accounts.admin.common import SaysWhy, show_secret, token_badge
from accounts.admin.resources import UserResource
from accounts.models import ApiToken, Role, User
from momo.admin_kit.dialogs import dialog_link
from momo.admin_kit.display import BRAND, GOOD, INFO, QUIET, WARN, badge, when
from momo.admin_kit.tables import QuietAdmin, ReadOnlyInline
from momo.admin_kit.transfer import TransferMixin

ROLE_TONES = {Role.USER: QUIET, Role.MANAGER: INFO, Role.ADMIN: BRAND}


class TokenInline(ReadOnlyInline, TabularInline):
    """Somebody's tokens, to look at and to revoke."""

    model = ApiToken
    fk_name = "user"
    fields = ("name", "prefix", "state", "created", "expires", "used", "revoke")
    readonly_fields = fields
    verbose_name_plural = "API 權杖"

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

    @display(description="撤銷")
    def revoke(self, obj: ApiToken) -> str:
        if not obj.is_usable():
            return "－"
        return dialog_link(reverse("admin:accounts_apitoken_revoke", args=[obj.pk]), "撤銷", icon="block")


class UserForm(forms.ModelForm):
    """Says early, beside the field, what the service would refuse."""

    class Meta:
        model = User
        fields: tuple[str, ...] = ("username", "display_name", "email", "role", "is_active", "must_change_password")

    def clean_username(self) -> str:
        username = User.normalize_username(self.cleaned_data["username"])
        if User.objects.filter(username__iexact=username).exclude(pk=self.instance.pk).exists():
            raise ValidationError("這個帳號已經有人使用")
        return username


class NewUserForm(UserForm):
    """A new person, with a password or one that the system makes."""

    password = forms.CharField(
        label="密碼",
        required=False,
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text="留空即由系統產生，建立後顯示一次，首次登入必須變更。",
    )

    class Meta(UserForm.Meta):
        fields = ("username", "display_name", "email", "role")

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if password:
            names = {name: self.cleaned_data.get(name, "") for name in ("username", "email", "display_name")}
            validate_password(password, User(**names))
        return password


@admin.register(User)
class UserAdmin(SaysWhy, TransferMixin, QuietAdmin):
    """Everybody who may log in, or acts through a token."""

    form = UserForm
    list_display = (
        "username",
        "display_name",
        "role_badge",
        "email",
        "active",
        "must_change",
        "last_seen",
        "joined",
    )
    list_display_links = ("username",)
    list_filter = (("role", ChoicesDropdownFilter), ("is_active", BooleanRadioFilter))
    list_filter_submit = True
    search_fields = ("username", "display_name", "email")
    search_help_text = "帳號、名稱或電子郵件"
    ordering = ("username",)
    sortable_by = ("username", "display_name", "last_seen", "joined")
    fieldsets: ClassVar = (
        (None, {"fields": ("username", "display_name", "email", "role", "is_active", "must_change_password")}),
        ("紀錄", {"fields": ("last_seen", "joined", "password_changed")}),
    )
    add_fieldsets: ClassVar = ((None, {"fields": ("username", "display_name", "email", "role", "password")}),)
    readonly_fields = ("last_seen", "joined", "password_changed")
    resource_classes: ClassVar = [UserResource]
    actions_detail = ("reset_password",)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **({} if obj else {"form": NewUserForm}), **kwargs)

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[type[InlineModelAdmin]]:
        return [TokenInline] if obj else []

    def get_actions(self, request: HttpRequest) -> Any:
        actions = super().get_actions(request)
        # One at a time, on their own page, where the service is asked.
        actions.pop("delete_selected", None)
        return actions

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        listed, counts, missing, protected = super().get_deleted_objects(objs, request)
        # Tokens are never deleted by themselves, but they go with their owner.
        return listed, counts, set(missing) - {ApiToken._meta.verbose_name}, protected

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        actor = cast(User, request.user)
        if change:
            changes = {name: form.cleaned_data[name] for name in form.changed_data}
            services.update_user(user=obj, actor=actor, **changes)
            return
        given = dict(form.cleaned_data)
        password = given.pop("password")
        obj.made_password = None if password else services.generate_password()
        made = services.create_user(password=password or obj.made_password, must_change_password=not password, **given)
        obj.pk = made.pk
        obj.refresh_from_db()

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        services.delete_user(user=obj, actor=cast(User, request.user))

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        if not obj.made_password:
            return super().response_add(request, obj, post_url_continue)
        return self._password_page(request, obj, obj.made_password)

    def _password_page(self, request: HttpRequest, user: User, password: str) -> HttpResponse:
        return show_secret(
            request,
            self,
            title=f"{user.username} 的密碼",
            secret=password,
            text="密碼只顯示這一次，請現在交給本人；登入後必須先變更。",
            back=reverse("admin:accounts_user_change", args=[user.pk]),
        )

    @action(description="重設密碼", icon="lock_reset", permissions=["change"])
    def reset_password(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Asks on GET, acts on POST and shows the made password once."""
        user = get_object_or_404(User, pk=object_id)
        if request.method != "POST":
            context = {
                **self.admin_site.each_context(request),
                "title": f"重設 {user.username} 的密碼",
                "opts": self.opts,
                "person": user,
                "back": reverse("admin:accounts_user_change", args=[user.pk]),
            }
            return TemplateResponse(request, "admin/accounts/reset_password.html", context)
        changed, made = services.reset_password(user=user)
        if changed.pk == request.user.pk:
            update_session_auth_hash(request, changed)
        self.log_change(request, changed, "重設密碼")
        return self._password_page(request, changed, made or "")

    @display(description="角色")
    def role_badge(self, obj: User) -> str:
        return badge(obj.get_role_display(), ROLE_TONES[Role(obj.role)])

    @display(description="狀態")
    def active(self, obj: User) -> str:
        return badge("啟用", GOOD) if obj.is_active else badge("停用", QUIET)

    @display(description="密碼")
    def must_change(self, obj: User) -> str:
        return badge("須變更", WARN) if obj.must_change_password else "－"

    @display(description="上次登入", ordering="last_login")
    def last_seen(self, obj: User) -> str:
        return when(obj.last_login)

    @display(description="建立時間", ordering="date_joined")
    def joined(self, obj: User) -> str:
        return when(obj.date_joined)

    @display(description="密碼變更時間")
    def password_changed(self, obj: User) -> str:
        return when(obj.password_changed_at)
