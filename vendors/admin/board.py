"""The board of open stockouts and the scores of vendors: pages of their own, whose figures lead to their rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.http import urlencode

from momo.admin.kit.display import NO_VALUE, money
from vendors.models import Vendor
from vendors.selectors.board import WAITS, Group, board
from vendors.selectors.score import DEFAULT_WINDOW, WINDOWS, Score, scores
from vendors.selectors.stockouts import UNNAMED, open_names, stored_name

VENDORS_SHOWN = 50  # those with the most rows, until all are asked for
SCORES_SHOWN = 100  # a page
BARS = 12  # in a chart
NAME = 12  # characters of a name in a chart
TONES = {"us": "#f59e0b", "vendor": "#3b82f6", "answered": "--mo-down"}
TITLES = {"pm": "依 PM", "vendor": "依廠商", "age": "依缺貨天數"}


def rows_url(**filters: object) -> str:
    """The address of the list of stockouts with filters; those that are None or empty are left out."""
    asked = {name: str(value) for name, value in filters.items() if value not in (None, "")}
    return f"{reverse('admin:vendors_stockout_changelist')}?{urlencode(asked)}"


class BoardPages:
    """Pages of `StockoutAdmin`, for users who may view stockouts."""

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view  # type: ignore[attr-defined]
        own = [
            path("board/", view(self.board), name="vendors_stockout_board"),
            path("score/", view(self.score), name="vendors_stockout_score"),
        ]
        return [*own, *super().get_urls()]  # type: ignore[misc]

    def board(self, request: HttpRequest) -> HttpResponse:
        """Open rows by whom they wait for, and by PM, vendor and age; `pm` keeps those of one PM."""
        self._check(request)
        pm = request.GET.get("pm", "")
        found = board(pms=[stored_name(pm)] if pm else None)
        names = open_names("pm")
        everyone = found.groups["vendor"]
        shown = everyone if request.GET.get("vendors") == "all" else everyone[:VENDORS_SHOWN]
        ids = dict(Vendor.objects.filter(code__in=[group.key for group in shown]).values_list("code", "pk"))
        filters: dict[str, Callable[[Group], dict[str, object]]] = {
            "pm": lambda group: {"pm": group.key or UNNAMED},
            "vendor": lambda group: {"vendor__id__exact": ids[group.key], "pm": pm},
            "age": lambda group: {"age": group.key, "pm": pm},
        }
        tables = [
            (title, name, [_line(group, **filters[name](group)) for group in groups])
            for name, title in TITLES.items()
            for groups in [shown if name == "vendor" else found.groups[name]]
        ]
        return self.own_page(  # type: ignore[attr-defined,no-any-return]
            request,
            "admin/vendors/board.html",
            title="缺貨看板",
            opts=None,
            pm=pm,
            pms=names if not pm or pm in names else [*names, pm],
            waits=[label for label, _ in WAITS.values()],
            cards=_line(found.total, pm=pm),
            tables=tables,
            more=len(everyone) - len(shown),
            more_url=f"?{urlencode({'pm': pm, 'vendors': 'all'})}",
            chart=_chart(found.groups["vendor" if pm else "pm"]),
            chart_of="廠商" if pm else "PM",
        )

    def score(self, request: HttpRequest) -> HttpResponse:
        """Vendors by what their stockouts cost, of the reports of the last `window` days.

        `answers=never` keeps those that answered no mail.
        """
        self._check(request)
        days = _window(request)
        everyone = scores(days=days)
        never = [score for score in everyone if score.never_answered]
        only_never = request.GET.get("answers") == "never"
        found = never if only_never else everyone
        page = Paginator(found, SCORES_SHOWN).get_page(request.GET.get("page"))
        costly = [score for score in found[:BARS] if score.lost]
        return self.own_page(  # type: ignore[attr-defined,no-any-return]
            request,
            "admin/vendors/score.html",
            title="廠商評分",
            opts=None,
            window=days,
            windows=WINDOWS,
            never=len(never),
            only_never=only_never,
            kept="&answers=never" if only_never else "",
            page=page,
            scores=[_score(score, days) for score in page],
            chart={
                "labels": [_short(score.name) for score in costly],
                "series": [
                    {"label": "損失估計", "data": [score.lost for score in costly], "tone": "--color-primary-500"}
                ],
                "dollars": True,
            },
        )

    def _check(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied


def _window(request: HttpRequest) -> int:
    """The window of the address, one of WINDOWS."""
    asked = request.GET.get("window", "")
    return next((days for days in WINDOWS if str(days) == asked), DEFAULT_WINDOW)


def _line(group: Group, **filters: object) -> dict[str, Any]:
    """The figures of a group, each with the address of its rows."""
    return {
        "key": group.key,
        "label": group.label or UNNAMED,
        "counts": [(label, group.counts[who], rows_url(waits=who, **filters)) for who, (label, _) in WAITS.items()],
        "rows": group.rows,
        "url": rows_url(waits="open", **filters),
        "lost": money(group.lost),
        "unknown": group.unknown,
        "unknown_url": rows_url(lost="unknown", **filters),
    }


def _chart(groups: Sequence[Group]) -> dict[str, Any]:
    """The largest groups, stacked by whom their rows wait for."""
    return {
        "labels": [_short(group.label or UNNAMED) for group in groups[:BARS]],
        "series": [
            {"label": label, "data": [group.counts[who] for group in groups[:BARS]], "tone": TONES[who]}
            for who, (label, _) in WAITS.items()
        ],
    }


def _short(name: str) -> str:
    return name if len(name) <= NAME else f"{name[: NAME - 1]}…"


def _hours(hours: float | None) -> str:
    """Hours with one decimal; NO_VALUE if unknown."""
    return NO_VALUE if hours is None else f"{hours:,.1f}"


def _score(score: Score, days: int) -> dict[str, Any]:
    filters = {"vendor__id__exact": score.vendor_id, "window": days}
    percent = score.in_time_percent
    return {
        "score": score,
        "vendor_url": reverse("admin:vendors_vendor_change", args=[score.vendor_id]),
        "rows_url": rows_url(**filters),
        "open_url": rows_url(waits="open", **filters),
        "answer": _hours(score.hours_to_answer),
        "restock": _hours(score.hours_to_restock),
        "in_time": NO_VALUE if percent is None else f"{percent}%",
        "of_due": f"{score.in_time:,} / {score.due:,}" if score.due else "",
        "lost": money(score.lost),
    }
