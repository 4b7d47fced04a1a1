"""The admin: its site, navigation and dashboard."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.admin.apps import AdminConfig
from django.core.exceptions import BadRequest
from django.http import HttpRequest
from django.shortcuts import redirect
from django.templatetags.static import static
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.module_loading import import_string
from unfold.dataclasses import Favicon
from unfold.sites import UnfoldAdminSite


class MomoAdminSite(UnfoldAdminSite):
    """Unfold's site in our language; logging in and passwords are at the front door, for browser and API alike."""

    site_title = "MOMO Pro"
    site_header = "MOMO Pro"
    index_title = "總覽"
    site_url = None
    enable_nav_sidebar = True
    empty_value_display = "－"

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Any:
        return super().admin_view(_without_nul(view), cacheable)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        following = request.GET.get("next") or reverse("admin:index")
        return redirect(f"{reverse('login')}?{urlencode({'next': following})}")

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return redirect("logout")

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return redirect(f"{reverse('change_password')}?{urlencode({'next': reverse('admin:index')})}")

    def extra_context(self, context: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        """Called by unfold for every page: our stylesheet, scripts and icon beside its own."""
        context["site_favicons"] = [Favicon(href=static("accounts/mark.svg"), rel="icon", type="image/svg+xml")]
        context["styles"] = [*context["styles"], static("admin_momo/admin.css")]
        scripts = (
            "page",
            "progress",
            "jobs",
            "upload",
            "charts",
            "template_editor",
            "template_variables",
            "subscriptions",
        )
        context["scripts"] = [*context["scripts"], *(static(f"admin_momo/{name}.js") for name in scripts)]
        return context


def _without_nul(view: Callable[..., Any]) -> Callable[..., Any]:
    """`view`, which answers 400 to a NUL in the address: PostgreSQL takes none, and each filter would have to know."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if any("\0" in text for name, texts in request.GET.lists() for text in (name, *texts)):
            raise BadRequest("NUL")
        return view(request, *args, **kwargs)

    return checked


class MomoAdminConfig(AdminConfig):
    default_site = "momo.admin_site.MomoAdminSite"

    def ready(self) -> None:
        super().ready()
        # After every app's own admin, since it takes the place of some that came with packages.
        import_module("momo.package_admin")


def _allowed(permission: str) -> Any:
    return lambda request: request.user.has_perm(permission)


def _link(title: str, icon: str, name: str, permission: str, waiting: int = 0) -> dict[str, Any]:
    item = {"title": title, "icon": icon, "link": reverse(f"admin:{name}"), "permission": _allowed(permission)}
    return {**item, "badge": waiting, "badge_variant": "warning"} if waiting else item


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The sidebar, by what people do, with how much of it waits; unfold leaves out what has no permission."""
    # Django reads this module before there are models, so what needs them lies apart.
    waiting = import_string("momo.dashboard.waiting")(request)
    # Only where mails go to files instead of a server.
    kept = _link("本機郵件", "drafts", "notifications_outboxmessage_mails", "notifications.change_outboxmessage")
    return [
        {
            "title": "商品與價格",
            "separator": False,
            "items": [
                {"title": "總覽", "icon": "dashboard", "link": reverse("admin:index")},
                _link("商品", "inventory_2", "products_product_changelist", "products.view_product"),
                _link("商品事件", "notifications", "products_priceevent_changelist", "products.view_priceevent"),
                _link(
                    "待確認價格",
                    "gpp_maybe",
                    "products_quarantinedprice_changelist",
                    "products.view_quarantinedprice",
                    waiting["held"],
                ),
                _link("爬取", "travel_explore", "products_crawlrun_changelist", "products.view_crawlrun"),
                _link(
                    "警示",
                    "warning",
                    "products_alert_changelist",
                    "products.view_alert",
                    waiting["alerts"],
                ),
                _link("分類", "category", "products_category_changelist", "products.view_category"),
            ],
        },
        {
            "title": "銷售",
            "separator": True,
            "items": [
                _link("銷售日", "calendar_month", "sales_dayowner_changelist", "sales.view_dayowner"),
                _link("銷售明細", "receipt_long", "sales_salesline_changelist", "sales.view_salesline"),
                _link("匯入", "upload_file", "jobs_job_changelist", "jobs.view_job"),
                _link("欄位別名", "label", "jobs_columnalias_changelist", "jobs.view_columnalias"),
            ],
        },
        {
            "title": "通知",
            "separator": True,
            "items": [
                _link("通知範本", "edit_note", "notifications_template_changelist", "notifications.view_template"),
                _link(
                    "寄件匣",
                    "outbox",
                    "notifications_outboxmessage_changelist",
                    "notifications.view_outboxmessage",
                    waiting["messages"],
                ),
                _link(
                    "訂閱", "subscriptions", "notifications_subscription_changelist", "notifications.view_subscription"
                ),
                _link("Telegram 聊天室", "forum", "notifications_chat_changelist", "notifications.view_chat"),
                *([] if settings.EMAIL_URL else [kept]),
            ],
        },
        {
            "title": "系統",
            "separator": True,
            "collapsible": False,
            "items": [
                _link("使用者", "group", "accounts_user_changelist", "accounts.view_user"),
                _link("API 權杖", "key", "accounts_apitoken_changelist", "accounts.view_apitoken"),
                _link("登入紀錄", "login", "accounts_loginattempt_changelist", "accounts.view_loginattempt"),
                _link("異動紀錄", "history", "auditlog_logentry_changelist", "auditlog.view_logentry"),
                _link(
                    "排程",
                    "schedule",
                    "django_celery_beat_periodictask_changelist",
                    "django_celery_beat.view_periodictask",
                ),
            ],
        },
    ]


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the start page shows."""
    return import_string("momo.dashboard.fill")(request, context)
