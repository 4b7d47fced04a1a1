"""Pages of vendors: saved through the services, merged, imported and exported; addresses stand beside them."""

from __future__ import annotations

import io
from typing import Any

import openpyxl
import pytest
from auditlog.models import LogEntry
from django.test import Client
from django.urls import reverse

from tests.admin import makers_vendors as makers
from tests.admin.test_transfer import confirm, reasons, upload
from tests.vendors.makers import make_stockout, make_vendor
from vendors.models import Stockout, Vendor, VendorAddress

LIST = "/admin/vendors/vendor/"


def page_of(vendor: Vendor) -> str:
    return f"{LIST}{vendor.pk}/change/"


def form_of(vendor: Vendor | None, *addresses: dict[str, Any], **values: Any) -> dict[str, Any]:
    """What the form of a vendor posts; of `addresses` those with an id are stored ones."""
    stored = sum("id" in one for one in addresses)
    fields: dict[str, Any] = {"code": "", "name": "", "contact": "", "phone": "", "escalation_email": "", "note": ""}
    if vendor is not None:
        fields |= {name: getattr(vendor, name) for name in fields}
    fields |= {"is_active": "on"} if vendor is None or vendor.is_active else {}
    fields |= {"addresses-TOTAL_FORMS": len(addresses), "addresses-INITIAL_FORMS": stored} | values
    for number, address in enumerate(addresses):
        given = {"kind": "to", "name": "", "is_active": "on", "vendor": vendor.pk if vendor else ""} | address
        fields |= {f"addresses-{number}-{name}": value for name, value in given.items()}
    return fields


def said(answer: Any) -> str:
    return "；".join(str(message) for message in answer.context["messages"])


def test_a_vendor_is_added_with_its_addresses(as_manager: Client) -> None:
    values = form_of(
        None, {"email": " Lin@Example.com "}, {"email": "copy@example.com", "kind": "cc"}, code=" 012345 ", name="水潤"
    )

    answer = as_manager.post(f"{LIST}add/", values)

    vendor = Vendor.objects.get()
    assert answer.status_code == 302
    assert (vendor.code, vendor.name) == ("012345", "水潤")
    assert list(vendor.addresses.values_list("mailbox", "kind")) == [
        ("lin@example.com", "to"),
        ("copy@example.com", "cc"),
    ]


def test_addresses_are_changed_added_and_deleted_through_the_service(as_manager: Client) -> None:
    vendor = make_vendor("A", "old@example.com", "gone@example.com")
    row = make_stockout(vendor, status="no_email")
    old, gone = vendor.addresses.order_by("pk")
    VendorAddress.objects.filter(pk=old.pk).update(bounced_at="2026-01-01T00:00Z", bounce_reason="550")
    values = form_of(
        vendor,
        {"id": old.pk, "email": "new@example.com"},
        {"id": gone.pk, "email": "gone@example.com", "DELETE": "on"},
        {"email": "third@example.com", "kind": "cc"},
        contact="林小姐",
    )

    assert as_manager.post(page_of(vendor), values).status_code == 302

    vendor.refresh_from_db()
    row.refresh_from_db()
    assert vendor.contact == "林小姐"
    assert [(one.mailbox, one.bounced_at) for one in vendor.addresses.order_by("pk")] == [
        ("new@example.com", None),
        ("third@example.com", None),
    ]
    assert row.status == Stockout.Status.PENDING, "a row without an address waits again"


@pytest.mark.parametrize(
    ("emails", "values", "why"),
    [
        (["a@example.com", "A@Example.com"], {}, "這家廠商已有這個信箱"),
        (["no address"], {}, "請輸入有效的電子郵件地址"),
        ([], {"escalation_email": "nobody"}, "請輸入有效的電子郵件地址"),
        ([], {"code": "TAKEN"}, "廠商代號"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_saved(
    emails: list[str], values: dict[str, str], why: str, as_manager: Client
) -> None:
    make_vendor("TAKEN")
    vendor = make_vendor("A")

    answer = as_manager.post(page_of(vendor), form_of(vendor, *({"email": one} for one in emails), name="新", **values))

    vendor.refresh_from_db()
    assert answer.status_code == 200
    assert why in str(answer.context["errors"])
    assert (vendor.name, vendor.addresses.count()) == ("廠商A", 0)


def test_a_vendor_with_stockouts_is_deactivated_and_the_message_says_so(as_manager: Client) -> None:
    used, free = make_vendor("A"), make_vendor("B")
    make_stockout(used)

    answers = [said(as_manager.post(f"{LIST}{one.pk}/delete/", {"post": "yes"}, follow=True)) for one in (used, free)]

    assert "已停用而沒有刪除" in answers[0]
    assert "停用" not in answers[1]
    assert [(one.code, one.is_active) for one in Vendor.objects.all()] == [("A", False)]


def test_the_list_finds_vendors_and_those_that_need_an_address(as_reader: Client) -> None:
    make_vendor("A1", "lin@example.com", name="水潤")
    needing = make_vendor("B2")
    make_vendor("C3", is_active=False)
    bounced = make_vendor("D4", "back@example.com")
    bounced.addresses.update(bounced_at="2026-01-01T00:00Z")

    def found(**query: str) -> list[str]:
        return [vendor.code for vendor in as_reader.get(LIST, query).context["cl"].result_list]

    assert [found(q=text) for text in ("水", "b2", "LIN@")] == [["A1"], ["B2"], ["A1"]]
    assert found(address="needed") == [needing.code, bounced.code]
    assert found(address="bounced") == [bounced.code]


def test_a_merge_is_shown_before_it_is_done(as_manager: Client) -> None:
    source, target = make_vendor("A", "a@example.com", "both@example.com"), make_vendor("B", "both@example.com")
    row = make_stockout(source)
    url = reverse("admin:vendors_vendor_into", args=[source.pk])

    page = as_manager.get(url, {"target": target.pk})
    before = Stockout.objects.get().vendor_id
    done = as_manager.post(url, {"target": target.pk}, follow=True)

    row.refresh_from_db()
    source.refresh_from_db()
    merge = page.context["merge"]
    assert (merge.rows, merge.addresses, merge.known) == (1, ["a@example.com"], ["both@example.com"])
    assert (before, row.vendor, source.merged_into) == (source.pk, target, target)
    assert "1 筆缺貨、1 個信箱" in said(done)
    active = as_manager.post(page_of(source), {**form_of(source), "is_active": "on"})
    assert "不能再啟用" in str(active.context["errors"])


@pytest.mark.parametrize("target", ["self", "", "99999999", "abc"])
def test_a_merge_with_no_other_vendor_is_refused(target: str, as_manager: Client) -> None:
    source = make_vendor("A")
    asked = str(source.pk) if target == "self" else target

    answer = as_manager.post(reverse("admin:vendors_vendor_into", args=[source.pk]), {"target": asked})

    source.refresh_from_db()
    assert answer.status_code == 200
    assert answer.context["form"].errors
    assert (source.merged_into, source.is_active) == (None, True)


def test_a_user_reads_and_changes_nothing(as_reader: Client) -> None:
    vendor, other = make_vendor("A", "a@example.com"), make_vendor("B")
    into = reverse("admin:vendors_vendor_into", args=[vendor.pk])

    statuses = [
        as_reader.get(page_of(vendor)).status_code,
        as_reader.get(f"{LIST}add/").status_code,
        as_reader.post(page_of(vendor), form_of(vendor, name="新")).status_code,
        as_reader.post(f"{LIST}{vendor.pk}/delete/", {"post": "yes"}).status_code,
        as_reader.post(into, {"target": other.pk}).status_code,
        as_reader.get(f"{LIST}import/").status_code,
        as_reader.get("/admin/vendors/vendoraddress/import/").status_code,
    ]

    assert statuses == [200, 403, 403, 403, 403, 403, 403]
    assert Vendor.objects.filter(name="新").count() == 0


@pytest.mark.parametrize("model", ["vendor", "vendoraddress"])
@pytest.mark.parametrize("form", ["0", "1"])
def test_what_is_exported_and_imported_again_changes_nothing(model: str, form: str, as_manager: Client) -> None:
    make_vendor("00012", "Lin@Example.com", "copy@example.com", note="週三\n送貨", is_active=False)
    make_vendor("=1+1", name="'-減號")
    VendorAddress.objects.filter(kind="cc").update(is_active=False, name="=王")
    of = f"vendors_{model}"

    exported = as_manager.post(reverse(f"admin:{of}_export"), {"format": form, "resource": "0"}).content
    totals = upload(as_manager, exported, of=of).context["result"].totals

    assert (totals["new"], totals["update"], totals["invalid"], totals["error"], totals["skip"]) == (0, 0, 0, 0, 2)


def test_vendors_are_previewed_and_then_imported(as_manager: Client) -> None:
    make_vendor("A", name="舊名", contact="林小姐")
    text = "廠商代號,名稱,聯絡人,啟用\nA,新名,,\nB,另一家,陳先生,否\n"

    preview = upload(as_manager, text.encode(), of="vendors_vendor")
    before = Vendor.objects.count()
    confirm(as_manager, preview, of="vendors_vendor")

    assert before == 1
    assert list(Vendor.objects.values_list("code", "name", "contact", "is_active")) == [
        ("A", "新名", "林小姐", True),
        ("B", "另一家", "陳先生", False),
    ]
    assert "留空的儲存格" in as_manager.get(f"{LIST}import/").content.decode()


def test_addresses_are_imported_by_vendor_and_mailbox(as_manager: Client) -> None:
    row = make_stockout(make_vendor("A"), status="no_email")
    make_vendor("B", "lin@example.com")
    text = "廠商代號,電子郵件,用途,姓名\nA,new@example.com,收件者,林\nB,LIN@example.com,副本,\n"

    confirm(as_manager, upload(as_manager, text.encode(), of="vendors_vendoraddress"), of="vendors_vendoraddress")

    row.refresh_from_db()
    assert row.status == Stockout.Status.PENDING
    assert list(VendorAddress.objects.order_by("vendor").values_list("vendor__code", "email", "kind", "name")) == [
        ("A", "new@example.com", "to", "林"),
        ("B", "LIN@example.com", "cc", ""),
    ]


def test_rows_that_cannot_be_imported_are_named_with_their_reason(as_manager: Client) -> None:
    target = make_vendor("A")
    make_vendor("OLD", merged_into=target, is_active=False)
    text = "廠商代號,電子郵件\nX,a@example.com\nA,none\nOLD,b@example.com\nA,c@example.com\nA,C@example.com\nA,\n"

    found = dict(reasons(upload(as_manager, text.encode(), of="vendors_vendoraddress")))

    assert sorted(found) == [2, 3, 4, 6, 7]
    texts = {number: str(fields) for number, fields in found.items()}
    assert "沒有代號「X」的廠商" in texts[2]
    assert "有效的電子郵件" in texts[3]
    assert "已併入" in texts[4]
    assert "出現不只一次" in texts[6]
    assert not VendorAddress.objects.exists()


def test_bad_vendors_are_refused_in_the_preview(as_manager: Client) -> None:
    text = "廠商代號,名稱,主管信箱\nA,,\nB,另一家,nobody\n"

    found = dict(reasons(upload(as_manager, text.encode(), of="vendors_vendor")))

    assert (list(found[2]), list(found[3])) == (["名稱"], ["主管信箱"])


def test_changes_of_vendors_and_addresses_are_recorded(as_manager: Client) -> None:
    vendor, other = make_vendor("A"), make_vendor("B")
    as_manager.post(page_of(vendor), form_of(vendor, {"email": "a@example.com"}, name="新名"))
    as_manager.post(reverse("admin:vendors_vendor_into", args=[vendor.pk]), {"target": other.pk})
    as_manager.post(f"{LIST}{other.pk}/delete/", {"post": "yes"})

    trail = [(entry.object_repr, entry.changes_dict) for entry in LogEntry.objects.filter(actor__username="max")]

    changed = {(name, key): values[1] for name, changes in trail for key, values in changes.items()}
    assert changed["新名（A）", "name"] == "新名"
    assert changed["a@example.com", "email"] == "a@example.com"
    assert changed["新名（A）", "merged_into"] == str(other.pk)
    assert changed["廠商B（B）", "is_active"] == "False"


def test_an_export_of_addresses_says_whose_they_are(as_reader: Client) -> None:
    makers.vendors(2)
    content = as_reader.post("/admin/vendors/vendoraddress/export/", {"format": "0", "resource": "0"}).content

    rows = list(openpyxl.load_workbook(io.BytesIO(content)).active.iter_rows(values_only=True))

    assert rows[0] == ("廠商代號", "電子郵件", "用途", "姓名", "啟用")
    assert {row[1] for row in rows[1:]} == {f"{kind}{n}@example.com" for kind in ("to", "cc") for n in range(2)}
