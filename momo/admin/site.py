"""The admin's site. Its sidebar and start page are laid out from what each app's `nav.py` registers."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from itertools import groupby
from operator import attrgetter
from typing import Any

from django.contrib.admin.apps import AdminConfig
from django.core.exceptions import BadRequest
from django.http import HttpRequest
from django.shortcuts import redirect
from django.templatetags.static import static
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.module_loading import autodiscover_modules
from unfold.dataclasses import Favicon
from unfold.sites import UnfoldAdminSite

from momo.admin.kit import nav

# Of static/admin_momo, on every page.
SCRIPTS = ["page", "progress", "jobs", "upload", "charts", "template_editor", "template_variables", "subscriptions"]


class MomoAdminSite(UnfoldAdminSite):
    """Unfold's site in our language. Login, logout and password pages are those of `accounts`, outside of the admin."""

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
        """Adds our stylesheet, scripts and icon to every page; unfold calls it."""
        context["site_favicons"] = [Favicon(href=static("accounts/mark.svg"), rel="icon", type="image/svg+xml")]
        context["styles"] = [*context["styles"], static("admin_momo/admin.css")]
        context["scripts"] = [*context["scripts"], *(static(f"admin_momo/{name}.js") for name in SCRIPTS)]
        return context


def _without_nul(view: Callable[..., Any]) -> Callable[..., Any]:
    """`view`, with 400 for a NUL in the query string: PostgreSQL refuses NUL, and no filter has to check for it."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if any("\0" in text for name, texts in request.GET.lists() for text in (name, *texts)):
            raise BadRequest("NUL")
        return view(request, *args, **kwargs)

    return checked


class MomoAdminConfig(AdminConfig):
    """Django's admin with our site, and with what each app's `nav.py` adds to it."""

    default_site = "momo.admin.site.MomoAdminSite"

    def ready(self) -> None:
        super().ready()
        autodiscover_modules("nav")


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The sidebar as unfold takes it; unfold leaves out entries without permission."""
    sections = [
        {"title": section.title, "separator": True, "items": [_item(entry, request) for entry in entries]}
        for section, entries in groupby(nav.entries(), attrgetter("section"))
    ]
    sections[0]["separator"] = False
    sections[0]["items"].insert(0, {"title": "總覽", "icon": "dashboard", "link": reverse("admin:index")})
    return sections


def _item(entry: nav.Entry, request: HttpRequest) -> dict[str, Any]:
    allowed = request.user.has_perm(entry.permission)
    item = {
        "title": entry.title,
        "icon": entry.icon,
        "link": reverse(f"admin:{entry.view}"),
        "permission": lambda request: allowed,
    }
    waiting = nav.count(request, entry.badge) if allowed and entry.badge else 0
    return {**item, "badge": waiting, "badge_variant": "warning"} if waiting else item


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The context of the start page: the panels that the user may see, and the cards of all apps between them."""
    panels = nav.permitted(nav.Panel, request)
    cards = [card for part in nav.permitted(nav.Cards, request) for card in part.make(request)]
    if cards:
        panels.append(nav.Panel(nav.CARDS_ORDER, "", "admin/cards.html", lambda request: {"cards": cards}))
    for panel in panels:
        context.update(panel.context(request))
    return {**context, "panels": sorted(panels, key=attrgetter("order"))}
