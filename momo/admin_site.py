"""The admin: its site, navigation and dashboard."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from unfold.sites import UnfoldAdminSite


class MomoAdminSite(UnfoldAdminSite):
    """Unfold's site in our language; logging in happens at /login, for browser and API alike."""

    site_title = "MOMO Pro"
    site_header = "MOMO Pro"
    index_title = "總覽"
    site_url = None
    enable_nav_sidebar = True

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        following = request.GET.get("next") or reverse("admin:index")
        return redirect(f"{reverse('login')}?{urlencode({'next': following})}")

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return redirect("logout")


class MomoAdminConfig(AdminConfig):
    default_site = "momo.admin_site.MomoAdminSite"


def _allowed(permission: str) -> Any:
    return lambda request: request.user.has_perm(permission)


def _link(title: str, icon: str, name: str, permission: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse(f"admin:{name}"), "permission": _allowed(permission)}


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The sidebar, by what people do; entries without permission are left out by unfold."""
    return [
        {
            "title": "商品與價格",
            "separator": False,
            "items": [
                {"title": "總覽", "icon": "dashboard", "link": reverse("admin:index")},
                _link("商品", "inventory_2", "products_product_changelist", "products.view_product"),
                _link("商品事件", "notifications", "products_priceevent_changelist", "products.view_priceevent"),
                _link(
                    "待確認價格", "gpp_maybe", "products_quarantinedprice_changelist", "products.view_quarantinedprice"
                ),
                _link("爬取", "travel_explore", "products_crawlrun_changelist", "products.view_crawlrun"),
                _link("警示", "warning", "products_alert_changelist", "products.view_alert"),
                _link("分類", "category", "products_category_changelist", "products.view_category"),
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
                _link(
                    "排程",
                    "schedule",
                    "django_celery_beat_periodictask_changelist",
                    "django_celery_beat.view_periodictask",
                ),
            ],
        },
    ]
