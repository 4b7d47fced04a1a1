"""PMs and brands of a user, and pages that are narrowed to them."""

from __future__ import annotations

from typing import Any

from auditlog.models import LogEntry
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts.models import User, UserScope
from accounts.selectors import scope_of
from momo.admin.kit import mine
from momo.core.scope import Scope
from products.models import Product
from tests.admin import makers
from tests.admin.test_users import tokens_of


def test_an_admin_ties_a_user_to_pms_and_brands(as_boss: Client, reader: User) -> None:
    names = [("pm", "  王小明\u3000"), ("brand", "山田\n研究所")]
    rows = {
        f"scopes-{number}-{field}": value
        for number, row in enumerate(names)
        for field, value in zip(("kind", "name"), row, strict=True)
    }
    form = {"username": "amy", "display_name": "小美", "email": "", "role": "user", "is_active": "on"}
    address = reverse("admin:accounts_user_change", args=[reader.pk])

    done = as_boss.post(address, {**form, **tokens_of(0), "scopes-TOTAL_FORMS": 2, **rows})
    again = as_boss.post(
        address,
        {**form, **tokens_of(0), "scopes-TOTAL_FORMS": 1, "scopes-0-kind": "pm", "scopes-0-name": " 王小明"},
    )

    makers.brought(makers.sold("2026-01-29", pm="王小明", brand="山田"))
    assert '<option value="王小明">' in as_boss.get(address).content.decode()
    assert (done.status_code, again.status_code) == (302, 200)  # the second time it is there already
    assert scope_of(reader) == Scope(frozenset({"王小明"}), frozenset({"山田 研究所"}))
    assert LogEntry.objects.get_for_model(UserScope).count() == 2


def test_a_page_is_narrowed_to_what_its_user_looks_after(reader: User, rf: RequestFactory, boss: User) -> None:
    for number, brand in enumerate(("山田", "雲端客", "")):
        makers.product(number, brand=brand)
    UserScope.objects.create(user=reader, kind="brand", name="山田")

    def of(user: User, address: str) -> Any:
        request = rf.get(address)
        request.user = user
        return request

    scope = mine.chosen_scope(of(reader, "/admin/?mine=1"))
    assert scope is not None
    assert [one.brand for one in Product.objects.filter(scope.condition(brand="brand"))] == ["山田"]
    assert not Product.objects.filter(scope.condition(pm="note")).exists()  # no PMs, so no row of theirs
    assert mine.chosen_scope(of(reader, "/admin/")) is None
    assert mine.chosen_scope(of(boss, "/admin/?mine=1")) is None  # looks after nothing: everything
    switch = mine.switch(of(reader, "/admin/?q=x&p=3"))
    assert (switch["all_url"], switch["mine_url"]) == ("?q=x", "?q=x&mine=1")
