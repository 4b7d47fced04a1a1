"""The start page of the admin: today's figures, who may see them, and where each of them leads."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from momo.admin_kit.display import duration, money, percent_change, price_change, when
from notifications.selectors import waiting_count
from products.admin.crawls import progress_bar
from products.admin.looks import product_link, verdict_badge
from products.models import Product
from products.selectors import dashboard as figures

PRODUCTS = "admin:products_product_changelist"
EVENTS = "admin:products_priceevent_changelist"
WAITING = "momo_waiting"  # where a request keeps it
OUTBOX = "admin:notifications_outboxmessage_changelist"


def waiting(request: HttpRequest) -> dict[str, int]:
    """What waits for people, for the badges of the sidebar and the start page; asked once a request."""
    known: dict[str, int] | None = getattr(request, WAITING, None)
    if known is None:
        known = {"held": figures.held_count(), "alerts": figures.open_alert_count(), "messages": waiting_count()}
        setattr(request, WAITING, known)
    return known


def fill(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the figures to the start page's context, for who may see products and crawls."""
    if request.user.has_perm("products.view_product"):
        context.update(
            cards=_cards(request),
            chart=figures.events_per_day(),
            drops=[_row(product) for product in figures.biggest_changes(up=False)],
            rises=[_row(product) for product in figures.biggest_changes(up=True)],
            drops_url=f"{reverse(PRODUCTS)}?moved=down-24h",
            rises_url=f"{reverse(PRODUCTS)}?moved=up-24h",
        )
    if request.user.has_perm("products.view_crawlrun"):
        context["crawl"] = _crawl()
    return context


def _cards(request: HttpRequest) -> list[dict[str, Any]]:
    products, events, waits = figures.product_counts(), figures.event_counts(), waiting(request)
    listed, happened = reverse(PRODUCTS), reverse(EVENTS)

    def card(name: str, number: int, url: str, tone: str = "") -> dict[str, Any]:
        return {"name": name, "number": f"{number:,}", "url": url, "tone": tone if number else ""}

    cards = [
        card("在架商品", products["on_sale"], listed),
        card("24 小時漲價", products["increased"], f"{listed}?moved=up-24h", "up"),
        card("24 小時降價", products["decreased"], f"{listed}?moved=down-24h", "down"),
        card("24 小時缺貨", events["out_of_stock"], f"{happened}?kind__exact=out_of_stock&within=24h"),
        card("24 小時下架", events["delisted"], f"{happened}?kind__exact=delisted&within=24h"),
        card("待確認價格", waits["held"], reverse("admin:products_quarantinedprice_changelist"), "warn"),
    ]
    if request.user.has_perm("notifications.view_outboxmessage"):
        cards.append(card("待處理訊息", waits["messages"], reverse(OUTBOX), "warn"))
    return cards


def _crawl() -> dict[str, Any]:
    state = figures.crawl_state()
    running, last = state["running"], state["last"]
    shown: dict[str, Any] = {"list_url": reverse("admin:products_crawlrun_changelist"), "running": None, "last": None}
    if running is not None:
        url = reverse("admin:products_crawlrun_change", args=[running.pk])
        shown["running"] = {"number": running, "url": url, "bar": progress_bar(running, state["progress"])}
    if last is not None:
        shown["last"] = {
            "number": last,
            "url": reverse("admin:products_crawlrun_change", args=[last.pk]),
            "verdict": verdict_badge(last),
            "ended": when(last.finished_at),
            "took": duration(last.finished_at - last.started_at),
            "seen": f"{last.seen:,}",
            "message": last.message,
        }
    return shown


def _row(product: Product) -> dict[str, Any]:
    return {
        "name": product_link(product.pk, product.name),
        "code": product.product_id,
        "old": money(product.previous_price),
        "new": money(product.price),
        "change": price_change(product.change),
        "percent": percent_change(product.change_percent),
        "time": when(product.price_changed_at),
    }
