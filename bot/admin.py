"""Admin pages of linked Telegram accounts, and the page on which a user links the own one."""

from __future__ import annotations

from typing import Any, ClassVar, cast

import segno
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from unfold.decorators import action
from unfold.enums import ActionVariant

from accounts.models import Role, User
from bot.linking import create_code, unlink
from bot.models import TelegramAccount
from bot.selectors import may_use_bot
from bot.services.telegram import bot_name, connected
from momo.admin.kit.dialogs import confirm_dialog, dialog_action
from momo.admin.kit.display import BAD, GOOD, badge, choice_badge, column, when
from momo.admin.kit.refusals import show_refusal
from momo.admin.kit.tables import ReadOnlyAdmin
from momo.core.errors import Forbidden, ServiceError
from momo.core.roles import ADMIN, has_role


def qr_svg(text: str) -> SafeString:
    """A QR code as SVG, dark on light in both themes, since phones read it so."""
    return mark_safe(segno.make(text, error="m").svg_inline(scale=5, dark="#000", light="#fff"))  # noqa: S308 - drawn


@admin.register(TelegramAccount)
class TelegramAccountAdmin(ReadOnlyAdmin):
    """Linked accounts: each user sees the own one, admins see all."""

    list_display = ("user", "name", "telegram_id", "role", "state", "linked")
    list_display_links = ("user",)
    list_select_related = ("user",)
    search_fields = ("name", "telegram_id", "user__username", "user__display_name")
    search_help_text = "使用者、Telegram 名稱或編號"
    sortable_by = ()
    fields = ("user", "name", "telegram_id", "role", "state", "linked")
    actions_list: ClassVar[Any] = ("link",)
    actions_row = ("end",)
    actions_detail: ClassVar[Any] = ("end",)

    role = column("角色", choice_badge({}, "role"), of="user")
    state = column("機器人", lambda user: badge("可使用", GOOD) if may_use_bot(user) else badge("停用", BAD), of="user")
    linked = column("連結時間", when, of="linked_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[TelegramAccount]:
        rows: QuerySet[TelegramAccount] = super().get_queryset(request).filter(user__isnull=False)
        return rows if has_role(request.user, ADMIN) else rows.filter(user=cast(User, request.user))

    @action(description="連結我的 Telegram", icon="link", variant=ActionVariant.PRIMARY, permissions=["view"])
    def link(self, request: HttpRequest) -> HttpResponse:
        """GET says how; POST makes a code and shows it once, with a link and its QR code."""
        back = reverse("admin:bot_telegramaccount_changelist")
        page: dict[str, Any] = {"title": "連結我的 Telegram", "back": back}
        if request.method == "POST":
            try:
                page |= _code_page(cast(User, request.user))
            except ServiceError as refusal:
                show_refusal(request, refusal)
        response: HttpResponse = self.own_page(request, "admin/bot/link.html", **page)
        response["Cache-Control"] = "no-store, private"
        return response

    def has_end_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(self.has_view_permission(request))

    @dialog_action(
        "解除連結",
        "link_off",
        permission="end",
        dialog=confirm_dialog("解除連結", "機器人不再回答這個 Telegram 帳號，它的私訊通知也會停止。", yes="解除連結"),
    )
    def end(self, request: HttpRequest, form: Any, account: TelegramAccount) -> str:
        if account.user_id != request.user.pk and not has_role(request.user, Role.ADMIN):
            raise Forbidden
        unlink(account=account)
        return f"已解除 {account} 的連結"


def _code_page(user: User) -> dict[str, Any]:
    """Variables of the page with a new code. Without the bot's name there is no link to it."""
    with connected() as telegram:
        name = bot_name(telegram.call)
    code = create_code(user=user)
    url = f"https://t.me/{name}?start={code.text}" if name else ""
    return {"code": code, "url": url, "qr": qr_svg(url) if url else "", "bot": name}
