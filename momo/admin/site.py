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
from django.template.response import TemplateResponse
from django.templatetags.static import static
from django.urls import path, reverse
from django.utils.http import urlencode
from django.utils.module_loading import autodiscover_modules
from unfold.dataclasses import Favicon, SearchResult
from unfold.sites import UnfoldAdminSite

from momo.admin.kit import nav

# Of static/admin_momo, on every page.
SCRIPTS = [
    "page",
    "packages",
    "progress",
    "jobs",
    "upload",
    "charts",
    "template_editor",
    "template_variables",
    "subscriptions",
    "workbench_text",
    "workbench_subject",
    "workbench",
]

HOME, HOME_ICON = "總覽", "dashboard"


class MomoAdminSite(UnfoldAdminSite):
    """Unfold's site in our language. Login, logout and password pages are those of `accounts`, outside of the admin."""

    site_title = "MOMO Pro"
    site_header = "MOMO Pro"
    index_title = HOME
    site_url = None
    enable_nav_sidebar = True
    empty_value_display = "－"

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Any:
        return super().admin_view(_without_nul(view), cacheable)

    def get_urls(self) -> list[Any]:
        own = [path(page.path, self.admin_view(page.show), name=page.name) for page in nav.pages()]
        return [*own, *super().get_urls()]

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        following = request.GET.get("next") or reverse("admin:index")
        return redirect(f"{reverse('login')}?{urlencode({'next': following})}")

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return redirect("logout")

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return redirect(f"{reverse('change_password')}?{urlencode({'next': reverse('admin:index')})}")

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The pages of the sidebar whose title or section contains the words `s`, as unfold's search lists them."""
        sought = request.GET.get("s", "").strip().lower()
        pages = [SearchResult(HOME, "", reverse("admin:index"), HOME_ICON)]
        pages += [
            SearchResult(entry.title, entry.section.title, reverse(f"admin:{entry.view}"), entry.icon)
            for entry in nav.entries()
            if request.user.has_perm(entry.permission)
        ]
        found = [page for page in pages if sought and sought in f"{page.title} {page.description}".lower()]
        return TemplateResponse(request, "unfold/helpers/command_results.html", {"results": found, "sought": sought})

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
    links = [reverse(f"admin:{entry.view}") for entry in nav.entries()]
    # Of two that lead here the longer one: a page of its own lies below the list of its model.
    here = max((link for link in links if request.path.startswith(link)), key=len, default="")
    sections = [
        {"title": section.title, "separator": True, "items": [_item(entry, request, here) for entry in entries]}
        for section, entries in groupby(nav.entries(), attrgetter("section"))
    ]
    sections[0]["separator"] = False
    sections[0]["items"].insert(0, {"title": HOME, "icon": HOME_ICON, "link": reverse("admin:index")})
    return sections


def _item(entry: nav.Entry, request: HttpRequest, here: str) -> dict[str, Any]:
    allowed = request.user.has_perm(entry.permission)
    link = reverse(f"admin:{entry.view}")
    item = {
        "title": entry.title,
        "icon": entry.icon,
        "link": link,
        "active": link == here,
        "permission": lambda request: allowed,
    }
    waiting = nav.count(request, entry.badge) if allowed and entry.badge else 0
    return {**item, "badge": waiting, "badge_variant": "warning"} if waiting else item


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The context of the start page: the panels that the user may see, and the cards of all apps between them.

    While something has to be done first, the steps stand above; parts without anything to show are left out.
    """
    permitted = nav.permitted(nav.Panel, request)
    panels = [panel for panel in permitted if nav.is_done(request, panel.after)]
    ready = [part for part in nav.permitted(nav.Cards, request) if nav.is_done(request, part.after)]
    new = nav.is_new(request)
    cards = [card for part in ready for card in part.make(request) if card.figure or not new]
    steps = [(step, nav.is_done(request, step.done)) for step in nav.permitted(nav.Step, request)]
    if not all(done for _, done in steps):
        panels.append(nav.Panel(0, "", "admin/steps.html", lambda request: {"steps": steps}))
    if cards:
        panels.append(nav.Panel(nav.CARDS_ORDER, "", "admin/cards.html", lambda request: {"cards": cards}))
    for panel in panels:
        context.update(panel.context(request))
    return {
        **context,
        "panels": sorted(panels, key=attrgetter("order")),
        "nothing": all(panel.notice for panel in panels),
        "waiting": not all(panel.notice for panel in permitted),
    }
