"""What apps add to the sidebar and the start page."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from itertools import groupby
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.db import connection
from django.db.models import QuerySet
from django.http import HttpRequest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User, UserScope
from momo.admin import site
from momo.admin.kit import nav
from momo.admin.kit.display import with_code
from notifications.models import OutboxMessage
from products.models import PriceEvent, Product, QuarantinedPrice
from tests.admin import makers, makers_vendors
from tests.admin.makers_notifications import mail
from tests.vendors.makers import make_vendor


@pytest.fixture
def registered(monkeypatch: Any) -> None:
    """Parts that a test registers are gone after it."""
    monkeypatch.setattr(nav, "_registered", list(nav._registered))


def test_the_menu_names_each_list_as_the_list_names_itself() -> None:
    lists = {entry.title: apps.get_model(entry.model) for entry in nav.entries() if entry.model and not entry.page}

    assert {title: str(model._meta.verbose_name_plural) for title, model in lists.items()} == {
        title: title for title in lists
    }


@pytest.mark.usefixtures("registered")
def test_a_badge_and_a_card_count_once_a_request(as_boss: Client) -> None:
    counted: list[int] = []

    def waiting() -> QuerySet[User]:
        counted.append(1)
        return User.objects.all()

    def cards(request: HttpRequest) -> list[nav.Card]:
        return [nav.Card("待審", nav.count(request, waiting), "/admin/", "warn")]

    section = nav.Section("廠商", 25)
    nav.register(
        nav.Entry(section, 10, "廠商", "store", "accounts.user", badge=waiting),
        nav.Cards(30, "accounts.view_user", cards),
    )

    page = as_boss.get(reverse("admin:index"))

    titles = [group["title"] for group in page.context["sidebar_navigation"]]
    assert titles.index("銷售") < titles.index("廠商") < titles.index("通知")
    assert [card.figure for card in page.context["cards"] if card.name == "待審"] == [1]
    assert len(counted) == 1


@pytest.mark.usefixtures("registered", "db")
def test_nothing_is_counted_or_shown_without_permission(as_reader: Client) -> None:
    def waiting() -> QuerySet[User]:
        raise AssertionError

    nav.register(
        nav.Entry(nav.SYSTEM, 1, "秘密", "lock", "accounts.user", badge=waiting),
        nav.Cards(1, "accounts.view_user", lambda request: [nav.Card("秘密", waiting().count(), "/")]),
        nav.Panel(1, "accounts.view_user", "admin/none.html", lambda request: {"secret": waiting()}),
    )

    page = as_reader.get(reverse("admin:index"))

    assert page.status_code == 200
    assert "秘密" not in page.content.decode()


def test_every_page_of_the_sidebar_exists_and_names_a_permission(boss: User) -> None:
    request = HttpRequest()
    request.user = boss

    items = [item for section in site.navigation(request) for item in section["items"]]

    assert {entry.title for entry in nav.entries()} | {"總覽"} == {item["title"] for item in items}
    assert all(boss.has_perm(entry.permission) for entry in nav.entries())
    request.user = AnonymousUser()
    assert not nav.permitted(nav.Panel, request)


def test_each_card_counts_what_its_list_shows(as_boss: Client, boss: User, settings: Any) -> None:
    """With rows beyond each border: delisted, older, decided, sent, seen."""
    settings.PRICE_CHANGE_WINDOW_HOURS = 48
    now, ago = timezone.now(), timezone.now() - timedelta(hours=30)
    products = makers.products(12)
    for number, one in enumerate(products):
        one.status = ("active", "out_of_stock", "delisted")[number % 3]
        one.price_changed_at = now if number % 2 else ago
        one.price = 900 if number % 4 < 2 else 1100
        one.brand = "雲端客" if number in (3, 5, 9) else "山田"
        one.save()
    walk = makers.run()
    PriceEvent.objects.bulk_create(
        PriceEvent(product=one, run=walk, kind=kind, created_at=when)
        for kind in ("out_of_stock", "delisted")
        for one, when in zip(products, [now, now, ago] * 4, strict=True)
    )
    QuarantinedPrice.objects.filter(pk__in=[held.pk for held in makers.held(5)[:2]]).update(status="rejected")
    Product.objects.filter(pk=QuarantinedPrice.objects.latest("pk").product_id).update(brand="雲端客")
    for number, status in enumerate(("pending", "held", "unsent", "failed", "failed", "sent")):
        OutboxMessage.objects.filter(pk=mail(status).pk).update(
            finished_at=now if number == 3 else now - timedelta(days=8)
        )
    makers.alerts(2)
    makers.brought(makers.sold("2026-01-29", quantity="三"))
    makers_vendors.stockouts(20)
    make_vendor()
    cache.clear()

    cards = as_boss.get(reverse("admin:index")).context["cards"]

    names = {"缺貨待寄送", "待廠商回覆", "廠商需要補信箱", "未結案缺貨", "價格更新警示", "待辦"}
    assert names <= {card.name for card in cards}
    shown = {card.name: rows_of(as_boss, card.url) for card in cards}
    assert {card.name: card.figure for card in cards} == shown
    assert all(shown.values())

    UserScope.objects.create(user=boss, kind="pm", name="李小華")
    UserScope.objects.create(user=boss, kind="brand", name="雲端客")
    mine = as_boss.get(f"{reverse('admin:index')}?mine=1").context["cards"]

    assert {card.name: card.figure for card in mine} == {card.name: rows_of(as_boss, card.url) for card in mine}
    fewer = {one.name for one, whole in zip(mine, cards, strict=True) if 0 < one.figure < whole.figure}
    assert {"在架商品", "24 小時漲價", "待確認價格", "未結案缺貨", "缺貨待寄送", "待辦"} <= fewer


def rows_of(client: Client, url: str) -> int:
    """How many rows the list that a card leads to shows."""
    found = client.get(url).context
    return len(found["cl"].result_list if "cl" in found else found["rows"])


def test_the_search_of_the_menu_finds_titles_and_sections_that_the_user_may_see(
    as_reader: Client, as_boss: Client
) -> None:
    def found(client: Client, text: str) -> list[str]:
        page = client.get(reverse("admin:search"), {"s": text, "extended": "1", "page": "abc"})
        return [result.title for result in page.context["results"]]

    assert found(as_boss, "訊息") == ["訊息"]
    assert found(as_boss, "排程") == ["排程"]
    assert found(as_reader, "排程") == []
    assert found(as_reader, "銷售") == [
        *("銷售看板", "銷售日", "銷售明細", "目標", "檔期", "日註記", "銷售異常"),
        *("匯入", "欄位別名"),
        "銷售異常",  # the template
    ]
    assert found(as_reader, "") == []


def test_each_section_of_the_sidebar_is_one_block() -> None:
    titles = [title for title, _ in groupby(entry.section.title for entry in nav.entries())]
    assert len(titles) == len(set(titles))


# Names of products and files, and the trade's own; all else is Chinese.
LATIN = {
    *("AI", "API", "CSV", "Excel", "Gemini", "Google", "Kubernetes", "PM", "Telegram", "YouTube"),
    *("cosme", "momo", "mybest", "token"),
}


def test_each_page_of_the_menu_has_a_short_help_in_chinese() -> None:
    found = {entry.title: entry.help for entry in [site.HOME_ENTRY, *nav.entries()]}

    assert {title: len(text) for title, text in found.items() if not 30 <= len(text) <= 260} == {}
    assert [title for title, text in found.items() if not text.endswith("。")] == []
    assert {word for text in found.values() for word in re.findall(r"[A-Za-z_]{2,}", text)} <= LATIN


def test_each_page_of_the_menu_shows_its_help_and_without_rows_what_to_do_first(as_boss: Client) -> None:
    """Rows of migrations are gone too, but for those that name the user who looks."""
    listed = [apps.get_model(entry.model) for entry in nav.entries() if entry.model and not entry.page]
    tables = ", ".join(f'"{model._meta.db_table}"' for model in listed if model is not User)
    connection.check_constraints()  # PostgreSQL truncates no table whose checks are still to come
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {tables} CASCADE")

    helpless, silent = [], []
    for entry in [site.HOME_ENTRY, *nav.entries()]:
        page = as_boss.get(reverse(f"admin:{entry.view}"))
        shown = unescape(page.content.decode())
        if any(text not in shown for text in (entry.help, *map(unescape, map(with_code, entry.how_to)))):
            helpless.append(entry.title)
        start = re.search(r'mo-nothing__text.*?<p>(.*?)</p>\s*<a class="mo-button" href=', shown, re.S)
        if entry.model in {model._meta.label_lower for model in listed if model is not User} and not entry.page:
            silent += [] if start and start[1] == entry.empty else [entry.title]

    assert helpless == []
    assert silent == []
