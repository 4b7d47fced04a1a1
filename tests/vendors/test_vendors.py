"""Vendors and their addresses: what is kept, what is refused, what a merge moves."""

from __future__ import annotations

from typing import Any

import pytest

from momo.core.errors import Conflict, ValidationFailed
from tests.vendors.makers import make_batch, make_stockout, make_vendor
from vendors.models import Stockout, Vendor, VendorAddress
from vendors.selectors.vendors import needing_address, search_vendors, vendors
from vendors.services.merge import merge_vendors, preview_merge
from vendors.services.vendors import delete_address, delete_vendor, save_address, save_vendor

pytestmark = pytest.mark.django_db


def fields(error: pytest.ExceptionInfo[ValidationFailed]) -> list[str]:
    return list(error.value.fields)


def test_a_vendor_is_stored_clean_and_changed_field_by_field() -> None:
    vendor = save_vendor(code=" 012345\n", name="水潤\t生技", note="週三\n送貨 ", escalation_email="lead@example.com")
    assert (vendor.code, vendor.name, vendor.note) == ("012345", "水潤 生技", "週三\n送貨")
    save_vendor(vendor=vendor, contact="林小姐")
    vendor.refresh_from_db()
    assert (vendor.name, vendor.contact) == ("水潤 生技", "林小姐")


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"code": "", "name": "x"}, ["code"]),
        ({"code": "A1", "name": "x"}, ["code"]),
        ({"code": "B" * 31, "name": "n" * 201}, ["code", "name"]),
        ({"code": "B1", "name": "x", "escalation_email": "no address"}, ["escalation_email"]),
    ],
)
def test_a_vendor_that_is_refused(values: dict[str, Any], wrong: list[str]) -> None:
    make_vendor("A1")
    with pytest.raises(ValidationFailed) as error:
        save_vendor(**values)
    assert fields(error) == wrong
    assert Vendor.objects.count() == 1


def test_an_address_is_once_at_its_vendor_whatever_its_letters() -> None:
    vendor, other = make_vendor(), make_vendor()
    save_address(vendor=vendor, email="Lin@Example.com")
    save_address(vendor=other, email="lin@example.com")
    for email in ("lin@EXAMPLE.com", "no address", "", "a@b.test\nBcc: c@d.test"):
        with pytest.raises(ValidationFailed):
            save_address(vendor=vendor, email=email)
    assert VendorAddress.objects.count() == 2


def test_rows_without_an_address_wait_again_as_soon_as_there_is_one() -> None:
    vendor = make_vendor()
    row = make_stockout(vendor, status="no_email")
    save_address(vendor=vendor, email="c@example.com", kind="cc")
    row.refresh_from_db()
    assert row.status == "no_email"
    save_address(vendor=vendor, email="a@example.com")
    row.refresh_from_db()
    assert row.status == "pending"


def test_an_address_that_was_refused_is_used_again_after_it_was_changed() -> None:
    vendor = make_vendor("A1", "a@example.com")
    address = vendor.addresses.get()
    VendorAddress.objects.update(bounced_at="2026-11-01T00:00Z", bounce_reason="550")
    assert list(needing_address(vendors())) == [vendor]
    save_address(vendor=vendor, address=address, email="b@example.com")
    assert list(needing_address(vendors())) == []
    delete_address(address=address)
    assert list(needing_address(vendors())) == [vendor]


def test_a_vendor_with_stockouts_is_deactivated_and_another_deleted() -> None:
    used, free = make_vendor(), make_vendor("A1", "a@example.com")
    make_stockout(used)
    assert not delete_vendor(vendor=used)
    assert delete_vendor(vendor=free)
    assert list(Vendor.objects.values_list("pk", "is_active")) == [(used.pk, False)]


def test_search_finds_code_name_and_address() -> None:
    found = make_vendor("AB12", "lin@shop.test", name="水潤")
    make_vendor("CD34", "chen@else.test", name="光合")
    for text in ("ab1", "水", "LIN@shop"):
        assert list(search_vendors(vendors(), text=text)) == [found]


def test_a_merge_moves_what_its_preview_says() -> None:
    old, new = make_vendor("OLD", "a@x.test", "Both@x.test"), make_vendor("NEW", "both@x.test", "n@x.test")
    batch, later = make_batch(), make_batch()
    first = make_stockout(old, batch, product_code="1")
    make_stockout(old, later, product_code="1", duplicate_of=first)
    only = make_stockout(old, batch, product_code="2")
    second = make_stockout(new, later, product_code="1")
    resolved = make_stockout(new, batch, product_code="2", status="resolved")
    without = make_stockout(old, batch, status="no_email")

    told = preview_merge(source=old, target=new)
    assert (told.addresses, told.known, told.rows, told.doubled) == (["a@x.test"], ["Both@x.test"], 4, 1)
    assert merge_vendors(source=old, target=new) == told

    assert set(Stockout.objects.values_list("vendor__code", flat=True)) == {"NEW"}
    originals = Stockout.objects.filter(duplicate_of=None).values_list("pk", flat=True)
    assert set(originals) == {first.pk, only.pk, resolved.pk, without.pk}
    assert Stockout.objects.get(pk=without.pk).status == "pending", "there is an address now"
    assert Stockout.objects.get(pk=second.pk).duplicate_of == first
    assert sorted(new.addresses.values_list("mailbox", flat=True)) == ["a@x.test", "both@x.test", "n@x.test"]
    old.refresh_from_db()
    assert (old.is_active, old.merged_into) == (False, new)


def test_a_merge_that_makes_no_sense_is_refused() -> None:
    one, two, three = make_vendor(), make_vendor(), make_vendor()
    merge_vendors(source=one, target=two)
    for source, target in ((two, two), (one, three), (three, one)):
        with pytest.raises(Conflict):
            merge_vendors(source=source, target=target)
    with pytest.raises(Conflict):
        save_vendor(vendor=one, is_active=True)
    with pytest.raises(Conflict):
        save_address(vendor=one, email="a@example.com")
