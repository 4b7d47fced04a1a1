"""Admin pages of users."""

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
from django.urls import reverse
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter
from unfold.decorators import action
from unfold.widgets import UnfoldAdminPasswordWidget

from accounts import services
from accounts.admin.common import ServiceErrorMessages, TokenColumns, show_secret
from accounts.admin.resources import UserResource
from accounts.models import ApiToken, Role, User, UserScope
from momo.admin.kit.dialogs import dialog_link
from momo.admin.kit.display import BRAND, INFO, NO_VALUE, WARN, active_badge, badge, choice_badge, column, when
from momo.admin.kit.forms import ModelForm
from momo.admin.kit.tables import BaseAdmin, NoAddChangeDelete
from momo.admin.kit.transfer import TransferMixin
from momo.core.scope import known_names
from momo.core.texts import one_line


def _revoke_link(token: ApiToken) -> str:
    if not token.is_usable():
        return NO_VALUE
    return dialog_link(reverse("admin:accounts_apitoken_revoke", args=[token.pk]), "撤銷", icon="block")


class TokenInline(TokenColumns, NoAddChangeDelete, TabularInline):
    """The user's tokens; usable ones have a link to revoke them."""

    model = ApiToken
    fk_name = "user"
    fields = ("name", "prefix", "state", "created", "expires", "used", "revoke")
    readonly_fields = fields
    verbose_name_plural = "API 權杖"
    hide_title = True

    revoke = column("撤銷", _revoke_link)


class ScopeForm(ModelForm):
    """One PM or brand, in a table whose headings are no labels."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.setdefault("aria-label", str(field.label))
        self.fields["name"].widget.attrs["list"] = "momo-scope-names"

    def clean_name(self) -> str:
        name = one_line(self.cleaned_data["name"])
        if not name:
            raise ValidationError("請填寫 PM 或品牌的名稱，和報表上的寫法相同")
        return name

    def clean(self) -> dict[str, Any]:
        # Forms within a page of another model leave out constraints that name this model.
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        same = UserScope.objects.filter(user=self.instance.user_id, kind=cleaned.get("kind"), name=cleaned.get("name"))
        if same.exclude(pk=self.instance.pk).exists():
            self.add_error("name", "這位使用者已經有這個名稱")
        return cleaned


class ScopeInline(TabularInline):
    """The PMs and brands that the user looks after."""

    model = UserScope
    form = ScopeForm
    fields = ("kind", "name")
    extra = 0
    max_num = 50
    hide_title = True


class UserForm(ModelForm):
    """Shows beside the field what the service would refuse."""

    class Meta:
        model = User
        fields: tuple[str, ...] = ("username", "display_name", "email", "role", "is_active", "must_change_password")

    def clean_username(self) -> str:
        username: str = User.normalize_username(self.cleaned_data["username"])
        if User.objects.filter(username__iexact=username).exclude(pk=self.instance.pk).exists():
            raise ValidationError("這個帳號已經有人使用")
        return username


class NewUserForm(UserForm):
    """A new user, with a given or a generated password."""

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
class UserAdmin(ServiceErrorMessages, TransferMixin, BaseAdmin):
    """All users, of the team and of programs."""

    form = UserForm
    list_display = ("username", "display_name", "role_badge", "email", "active", "must_change", "last_seen", "joined")
    list_filter = (("role", ChoicesDropdownFilter), ("is_active", BooleanRadioFilter))
    deletes_many = False  # users are deleted one at a time, on their own page, through the service
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
    change_form_after_template = "admin/accounts/names.html"

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **({} if obj else {"form": NewUserForm}), **kwargs)

    def render_change_form(self, request: HttpRequest, context: Any, **kwargs: Any) -> Any:
        context["scope_names"] = known_names() if kwargs.get("obj") else ()
        return super().render_change_form(request, context, **kwargs)

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[type[InlineModelAdmin[Any, Any]]]:
        return [ScopeInline, TokenInline] if obj else []

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        listed, counts, missing, protected = super().get_deleted_objects(objs, request)
        # Tokens cannot be deleted alone, only together with their user.
        return listed, counts, set(missing) - {ApiToken._meta.verbose_name}, protected

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        actor = cast(User, request.user)
        if change:
            changes = {name: form.cleaned_data[name] for name in form.changed_data}
            services.update_user(user=obj, actor=actor, **changes)
            return
        values = dict(form.cleaned_data)
        password = values.pop("password")
        obj.generated_password = None if password else services.generate_password()
        user = services.create_user(
            password=password or obj.generated_password, must_change_password=not password, **values
        )
        obj.pk = user.pk
        obj.refresh_from_db()

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        services.delete_user(user=obj, actor=cast(User, request.user))

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> Any:
        if not obj.generated_password:
            return super().response_add(request, obj, post_url_continue)
        return self._password_page(request, obj, obj.generated_password)

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
        """GET asks for confirmation; POST resets the password and shows the generated one once."""
        user = get_object_or_404(User, pk=object_id)
        if request.method != "POST":
            return self.own_page(
                request,
                "admin/accounts/reset_password.html",
                title=f"重設 {user.username} 的密碼",
                user_to_reset=user,
                back=reverse("admin:accounts_user_change", args=[user.pk]),
            )
        changed, password = services.reset_password(user=user)
        if changed.pk == request.user.pk:
            update_session_auth_hash(request, changed)
        self.log_change(request, changed, "重設密碼")
        return self._password_page(request, changed, password or "")

    role_badge = column("角色", choice_badge({Role.MANAGER: INFO, Role.ADMIN: BRAND}, "role"))
    active = column("狀態", active_badge, of="is_active")
    must_change = column("密碼", lambda must: badge("須變更", WARN) if must else NO_VALUE, of="must_change_password")
    last_seen = column("上次登入", when, of="last_login", order="last_login")
    joined = column("建立時間", when, of="date_joined", order="date_joined")
    password_changed = column("密碼變更時間", when, of="password_changed_at")
