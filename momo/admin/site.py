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
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.utils.module_loading import autodiscover_modules
from django.views.decorators.cache import cache_control
from unfold.dataclasses import Favicon, SearchResult
from unfold.sites import UnfoldAdminSite

from momo.admin.kit import nav
from momo.core.counting import MOST, up_to_most

# Of static/admin_momo, on every page.
SCRIPTS = [
    "page",
    "packages",
    "progress",
    "jobs",
    "upload",
    "charts",
    "figures",
    "lists",
    "unsaved",
    "template_editor",
    "template_variables",
    "subscriptions",
    "workbench_text",
    "workbench_subject",
    "workbench",
    "todo",
]

STYLES = ["admin", "home", "figures", "lists", "board", "targets", "todo"]

HOME, HOME_ICON = "總覽", "dashboard"
HOME_ENTRY = nav.Entry(
    nav.Section("", 0),
    0,
    HOME,
    HOME_ICON,
    "",
    page="index",
    help=(
        "今天的重點：最新一天與本月的業績、價格變動，以及等人處理的事。先看橘色的數字，點任何一個卡片都會到它所數的那些資料。"
        "按「我的」只看自己負責的 PM 與品牌；▲ 是增加，▼ 是減少。"
    ),
)
CATALOG_SECONDS = 3600  # a new version of Django changes the texts
LAST = 100  # place of the last panel of the start page
SEARCH_LENGTH = 100  # characters of a search of the menu that are read
SEARCH_LEAST = 2  # characters for which rows are searched; an index of products has pairs of them
SEARCH_HITS = 5  # rows of one kind


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

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The models of one app, for its page. All models are in no page of ours, and take hundreds of questions."""
        return super().get_app_list(request, app_label) if app_label else []

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        following = request.GET.get("next") or reverse("admin:index")
        return redirect(f"{reverse('login')}?{urlencode({'next': following})}")

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return redirect("logout")

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return redirect(f"{reverse('change_password')}?{urlencode({'next': reverse('admin:index')})}")

    @method_decorator(cache_control(private=True, max_age=CATALOG_SECONDS))
    def i18n_javascript(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Texts of Django's scripts. Each list and form loads them before it is drawn, so browsers keep them."""
        return super().i18n_javascript(request, extra_context)

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """What unfold's search lists for `s`: pages of the sidebar, by title or section, and some rows of each kind."""
        typed = request.GET.get("s", "").strip()[:SEARCH_LENGTH]
        sought = typed.lower()
        pages = [SearchResult(HOME, "", reverse("admin:index"), HOME_ICON)]
        pages += [
            SearchResult(entry.title, entry.section.title, reverse(f"admin:{entry.view}"), entry.icon)
            for entry in nav.entries()
            if request.user.has_perm(entry.permission)
        ]
        found = [page for page in pages if sought and sought in f"{page.title} {page.description}".lower()]
        if len(typed) >= SEARCH_LEAST:
            found += [_hit(kind, row) for kind in nav.permitted(nav.Searchable, request) for row in _rows(kind, typed)]
        return TemplateResponse(request, "unfold/helpers/command_results.html", {"results": found, "sought": sought})

    def extra_context(self, context: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        """Adds our stylesheets, scripts and icon, and the page's entry of the sidebar; unfold calls it."""
        context["page_entry"] = nav.entry_of_page(request)
        context["site_favicons"] = [Favicon(href=static("accounts/mark.svg"), rel="icon", type="image/svg+xml")]
        context["styles"] = [*context["styles"], *(static(f"admin_momo/{name}.css") for name in STYLES)]
        context["scripts"] = [*context["scripts"], *(static(f"admin_momo/{name}.js") for name in SCRIPTS)]
        return context


def _rows(kind: nav.Searchable, typed: str) -> list[Any]:
    return list(kind.rows(typed)[:SEARCH_HITS])


def _hit(kind: nav.Searchable, row: Any) -> SearchResult:
    title, beside = kind.show(row)
    return SearchResult(title, "・".join(filter(None, (row._meta.verbose_name, beside))), kind.address(row), kind.icon)


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
    home = reverse("admin:index")
    counted = nav.count_badges(request, cards=request.path == home)
    links = {entry.view: reverse(f"admin:{entry.view}") for entry in nav.entries()}
    # Of two that lead here the longer one: a page of its own lies below the list of its model.
    here = max((link for link in links.values() if request.path.startswith(link)), key=len, default="")
    sections = [
        {
            "title": section.title,
            "separator": True,
            "items": [_item(entry, request, links[entry.view], here, counted) for entry in entries],
        }
        for section, entries in groupby(nav.entries(), attrgetter("section"))
    ]
    sections[0]["separator"] = False
    sections[0]["items"].insert(0, {"title": HOME, "icon": HOME_ICON, "link": home})
    return sections


def _item(
    entry: nav.Entry, request: HttpRequest, link: str, here: str, counted: dict[nav.Counter, int]
) -> dict[str, Any]:
    allowed = request.user.has_perm(entry.permission)
    item = {
        "title": entry.title,
        "icon": entry.icon,
        "link": link,
        "active": link == here,
        "permission": lambda request: allowed,
    }
    waiting = counted[entry.badge] if allowed and entry.badge else 0
    return (
        {**item, "badge": waiting if waiting < MOST else up_to_most(waiting), "badge_variant": "warning"}
        if waiting
        else item
    )


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The context of the start page: the panels that the user may see, and the cards of all apps between them.

    While something has to be done first, the steps stand above; of the optional ones those that are left stand below
    the figures. Parts without anything to show are left out.
    """
    permitted = nav.permitted(nav.Panel, request)
    panels = [panel for panel in permitted if nav.is_done(request, panel.after)]
    ready = [part for part in nav.permitted(nav.Cards, request) if nav.is_done(request, part.after)]
    new = nav.is_new(request)
    cards = [card for part in ready for card in part.make(request) if card.figure or card.text or not new]
    steps = [(step, nav.is_done(request, step.done)) for step in nav.permitted(nav.Step, request)]
    if not all(done for step, done in steps if not step.optional):
        panels.append(nav.Panel(0, "", "admin/steps.html", lambda request: {"steps": steps}))
    elif left := [step for step, done in steps if not done]:
        panels.append(nav.Panel(LAST, "", "admin/steps_left.html", lambda request: {"steps_left": left}, notice=True))
    if cards:
        panels.append(nav.Panel(nav.CARDS_ORDER, "", "admin/cards.html", lambda request: {"cards": cards}))
    for panel in panels:
        context.update(panel.context(request))
    return {
        **context,
        "page_entry": HOME_ENTRY,
        "panels": sorted(panels, key=attrgetter("order")),
        "nothing": all(panel.notice for panel in panels),
        "waiting": not all(panel.notice for panel in permitted),
    }
