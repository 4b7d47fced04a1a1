"""Admin pages of fact sheets: begun from the catalogue, written by managers, in bulk as workbooks, recorded."""

from __future__ import annotations

from typing import Any

import pytest
from auditlog.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ai.models import FactSheet
from momo.admin.packages.audit import changes_of
from products.models import Product
from tests.admin import makers
from tests.admin.test_transfer import confirm, reasons, upload
from tests.ai.makers import sheet
from tests.kit.users import session_client

OF = "ai_factsheet"


@pytest.fixture
def as_manager(manager: Any) -> Client:
    return session_client(manager)


@pytest.fixture
def product(db: None) -> Product:
    return makers.product(name="水漾 精華液 30ml 2入組", price=1280, list_price=1600, price_changed_at=None)


def shown(page: Any) -> dict[str, str]:
    """What the form of a page would send."""
    form = page.context["adminform"].form
    return {name: form[name].value() or "" for name in form.fields}


def test_a_products_page_leads_to_a_sheet_that_begins_with_the_catalogue(product: Product, as_manager: Client) -> None:
    link = reverse("admin:ai_factsheet_of", args=[product.pk])
    assert link in as_manager.get(reverse("admin:products_product_change", args=[product.pk])).content.decode()

    page = as_manager.get(link, follow=True)
    given = shown(page)
    assert (given["name"], given["price"], given["content"], given["count"]) == (product.name, "1280", "30ml", "2入組")
    assert not FactSheet.objects.exists()

    as_manager.post(page.wsgi_request.get_full_path(), {**given, "origin": "日本", "price": "1,180", "domain": "food"})
    made = FactSheet.objects.get()
    assert (made.product, made.facts, made.domain) == (product, {"origin": "日本", "price": 1180}, "food")
    assert made.updated_by == page.wsgi_request.user
    change = reverse("admin:ai_factsheet_change", args=[made.pk])
    assert as_manager.get(link, follow=True).redirect_chain == [(change, 302)]
    again = f"{reverse('admin:ai_factsheet_add')}?product={product.pk}"
    assert as_manager.get(again).url == change

    as_manager.post(change, {**shown(as_manager.get(change)), "origin": "", "price": "1280"})
    made.refresh_from_db()
    assert (made.facts, made.priced_at) == ({}, None)


def test_what_counts_no_more_is_said(product: Product, as_manager: Client) -> None:
    made = sheet(product, price=1180, promotion=[{"text": "買一送一", "starts": "", "ends": "2020-01-01"}])
    Product.objects.update(price=1250, price_changed_at=timezone.now())

    page = as_manager.get(reverse("admin:ai_factsheet_change", args=[made.pk]))
    text = page.content.decode()
    assert "自訂的售價已失效，現在採用商品目錄的 $1,250" in text
    assert "不再採用：買一送一 ～2020-01-01" in text
    assert shown(page)["price"] == "1250"
    listed = reverse("admin:ai_factsheet_changelist")
    assert as_manager.get(f"{listed}?price=outdated").context["cl"].result_count == 1
    assert as_manager.get(f"{listed}?price=own&q=水漾").context["cl"].result_count == 0


def test_wrong_facts_are_refused_at_their_field(product: Product, as_manager: Client) -> None:
    url = f"{reverse('admin:ai_factsheet_add')}?product={product.pk}"
    page = as_manager.post(url, {"price": "免費", "promotion": "特價 2026-02-30", "other": "長" * 20_001})
    assert set(page.context["adminform"].form.errors) == {"price", "promotion", "other"}
    many = "\n".join(["長" * 190] * 100)
    page = as_manager.post(url, dict.fromkeys(("ingredients", "other", "awards"), many))
    assert "事實太長" in page.content.decode()
    assert not FactSheet.objects.exists()


def test_a_sheet_without_a_product_begins_with_its_choice(product: Product, as_manager: Client) -> None:
    url = reverse("admin:ai_factsheet_add")
    assert "origin" not in as_manager.get(url).context["adminform"].fieldsets[0][1]["fields"]
    done = as_manager.post(url, {"product": product.pk})
    made = FactSheet.objects.get()
    assert made.facts == {}
    assert done.url == reverse("admin:ai_factsheet_change", args=[made.pk])


def test_users_read_sheets_and_write_none(product: Product, user: Any) -> None:
    browser, link = session_client(user), reverse("admin:ai_factsheet_of", args=[product.pk])
    assert browser.get(link).url == reverse("admin:products_product_change", args=[product.pk])
    made = sheet(product, origin="日本")
    page = browser.get(link, follow=True)
    assert "日本" in page.content.decode()
    browser.post(reverse("admin:ai_factsheet_change", args=[made.pk]), {"origin": "台灣"})
    made.refresh_from_db()
    assert made.facts == {"origin": "日本"}


def test_the_trail_names_each_fact(product: Product, manager: Any) -> None:
    made = sheet(product, manager, origin="日本", content=["25ml", "5ml"])
    sheet(product, manager, origin="台灣", content=["25ml", "5ml"])
    first, second = (changes_of(entry, {}) for entry in LogEntry.objects.get_for_object(made).order_by("id"))
    assert ("容量或重量", "（空）", "25ml、5ml") in first
    assert second == [("產地", "日本", "台灣")]


def test_import_adds_and_changes_sheets_and_keeps_what_is_left_empty(product: Product, as_manager: Client) -> None:
    other = makers.product(2)
    sheet(product, origin="日本", awards=["金獎"])
    rows = [
        "品號,類別,產地,售價,促銷",
        f'{product.product_id},,台灣,"1,280",',
        f'{other.product_id},一般食品,,"399","買一送一 2099-01-01～2099-01-31\n滿千折百"',
    ]

    preview = upload(as_manager, "\n".join(rows).encode(), of=OF)
    assert [diff.label for diff in preview.context["result"].valid_rows()[0].diff] == ["產地"]
    assert FactSheet.objects.count() == 1
    confirm(as_manager, preview, of=OF)

    changed, added = FactSheet.objects.order_by("pk")
    assert (changed.facts, changed.domain) == ({"origin": "台灣", "awards": ["金獎"]}, "")
    assert (added.facts["price"], added.domain) == (399, "food")
    assert [one if isinstance(one, str) else one["ends"] for one in added.facts["promotion"]] == [
        "2099-01-31",
        "滿千折百",
    ]
    assert added.updated_by is not None


def test_import_names_bad_rows(product: Product, as_manager: Client) -> None:
    code = product.product_id
    rows = ["品號,類別,售價,促銷", "404,,,", f"{code},魔法,免費,特價 2026-02-30", ",,5,", f"{code},,9,"]

    page = upload(as_manager, "\n".join(rows).encode(), of=OF)

    assert [(number, sorted(found)) for number, found in reasons(page)] == [
        (2, ["品號"]),
        (3, ["促銷", "售價", "類別"]),
        (4, ["品號"]),
        (5, ["品號"]),
    ]
    assert not FactSheet.objects.exists()


def test_an_export_comes_back_unchanged_and_revives_no_old_price(product: Product, as_manager: Client) -> None:
    sheet(
        product,
        price=1180,
        content=["25ml", "5ml"],
        promotion=[{"text": "滿千折百", "starts": "2026-11-01", "ends": ""}],
    )
    Product.objects.update(price=1250, price_changed_at=timezone.now())
    fields = {f"factsheetresource_{name}": "on" for name in ("product", "domain", *FactSheet.FACTS)}
    for form in ("0", "1"):
        exported = as_manager.post(reverse("admin:ai_factsheet_export"), {"format": form, "resource": "0", **fields})
        result = upload(as_manager, exported.content, of=OF, form=form).context["result"]
        assert (result.totals["skip"], result.totals["update"], result.totals["new"]) == (1, 0, 0)

    preview = upload(as_manager, f"品號,產地\n{product.product_id},日本\n".encode(), of=OF)
    confirm(as_manager, preview, of=OF)
    assert "price" not in FactSheet.objects.get().facts
