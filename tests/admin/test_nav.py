"""What apps add to the sidebar and the start page."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from momo.admin import site
from momo.admin.kit import nav


@pytest.fixture
def registered(monkeypatch: Any) -> None:
    """Parts that a test registers are gone after it."""
    monkeypatch.setattr(nav, "_registered", list(nav._registered))


@pytest.mark.usefixtures("registered")
def test_a_badge_and_a_card_count_once_a_request(as_boss: Client) -> None:
    counted: list[int] = []

    def waiting() -> int:
        counted.append(1)
        return 7

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
    assert [card.figure for card in page.context["cards"] if card.name == "待審"] == [7]
    assert len(counted) == 1


@pytest.mark.usefixtures("registered", "db")
def test_nothing_is_counted_or_shown_without_permission(as_reader: Client) -> None:
    def waiting() -> int:
        raise AssertionError

    nav.register(
        nav.Entry(nav.SYSTEM, 1, "秘密", "lock", "accounts.user", badge=waiting),
        nav.Cards(1, "accounts.view_user", lambda request: [nav.Card("秘密", waiting(), "/")]),
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
