"""Sendings: which rows are written about, which are not and why, and the mails that are made of them."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from openpyxl import load_workbook

from momo.core.errors import Conflict, ValidationFailed
from notifications.models import OutboxMessage
from tests.notifications.outbox_world import FAILED, SENT
from tests.vendors.mailing import delivered, message_of, prepared, send, statuses
from tests.vendors.makers import make_batch, make_stockout, make_vendor
from vendors.models import MailLine, Stockout, VendorAddress, VendorMail, VendorSending
from vendors.services import prepare
from vendors.services.compose import TABLE_ROWS
from vendors.services.prepare import run_sending, sweep_sendings
from vendors.services.sendings import plan_stockouts, send_stockouts

pytestmark = pytest.mark.django_db


def reasons(result: Any) -> dict[int, str]:
    return {skip["id"]: skip["reason"] for skip in result.skipped}


def test_one_mail_a_vendor_with_all_its_rows() -> None:
    first, second = make_vendor("A", "a@example.com", "boss@example.com"), make_vendor("B", "b@example.com")
    VendorAddress.objects.create(vendor=first, email="a2@example.com", mailbox="a2@example.com")
    batch = make_batch()
    rows = [make_stockout(vendor, batch) for vendor in (first, first, second)]
    for_a, for_b = prepared(*rows, note="檔期活動中")
    message = message_of(for_a)
    assert (message.recipient, message.others, message.cc) == (
        "a@example.com",
        ["a2@example.com"],
        ["boss@example.com"],
    )
    assert message.subject == "【缺貨通知】廠商A：2 項商品，請回覆到貨時間"
    assert message.key == f"vendor-mail:{for_a.pk}"
    for row in rows[:2]:
        assert f">{row.product_code}</small></td>" in message.body_html
    assert rows[2].product_code not in message.body_html
    assert "檔期活動中" in message.body_html
    assert "/vendor/answer/" in message.body
    assert (for_a.status, message_of(for_b).recipient) == ("queued", "b@example.com")
    assert statuses(*rows) == ["queued"] * 3
    sending = VendorSending.objects.get()
    assert (sending.status, sending.message) == ("done", "2 封郵件已排入寄送")


def test_the_workbook_holds_all_rows_as_numbers() -> None:
    vendor = make_vendor("A", "a@example.com", name="../水潤\u200b:生技")
    batch = make_batch()
    rows = [make_stockout(vendor, batch, monthly_sales=number) for number in range(TABLE_ROWS + 3)]
    rows.append(make_stockout(vendor, batch, product_name="=1+1", monthly_sales=None, stock=None))
    (mail,) = prepared(*rows)
    message = message_of(mail)
    assert message.body_html.count("<tr>") == TABLE_ROWS + 1
    assert "另有 4 項，全部列在附件的活頁簿" in message.body_html
    file = message.attachments.get()
    assert file.name == f"缺貨_.._水潤__生技_{timezone.localdate():%Y%m%d}.xlsx"
    sheet = load_workbook(io.BytesIO(bytes(file.content))).active
    assert sheet is not None
    values = list(sheet.values)
    assert len(values) == len(rows) + 1
    assert values[1][2:4] == (TABLE_ROWS + 2, 0)
    assert (next(row[1] for row in values if row[0] == rows[-1].product_code)) == "'=1+1"


def test_names_full_of_markup_fit_into_a_body() -> None:
    batch, vendor = make_batch(), make_vendor("A", "a@example.com", name="&" * 200)
    rows = [make_stockout(vendor, batch, product_name="<&>" * 160) for _ in range(TABLE_ROWS)]
    (mail,) = prepared(*rows, note="&" * 2000)
    message = message_of(mail)
    assert message.template_version == 1, "the template was rendered, and not the listing of last resort"
    assert "另有" in message.body_html


def test_each_skip_is_named() -> None:
    now, batch = timezone.now(), make_batch()
    good = make_vendor("A", "a@example.com")
    idle = make_vendor("B", "b@example.com", is_active=False)
    bare, bounced = make_vendor("C"), make_vendor("D", "d@example.com")
    bounced.addresses.update(bounced_at=now, bounce_reason="5.1.1 no such user")
    rows = {
        "已停用": make_stockout(idle, batch),
        "沒有可用的收件者信箱": make_stockout(bare, batch),
        "d@example.com（5.1.1 no such user）": make_stockout(bounced, batch),
        "已復原": make_stockout(good, make_batch(undone_at=now)),
        "廠商已回覆": make_stockout(good, batch, status="replied"),
        "已結案：商品頁恢復販售": make_stockout(good, batch, status="resolved", resolved_reason="back_in_stock"),
        "已在寄送中（郵件 #": make_stockout(good, batch),
    }
    send(rows["已在寄送中（郵件 #"])
    original = make_stockout(good, batch)
    rows[f"與缺貨 #{original.pk} 重複"] = make_stockout(
        good, batch, product_code=original.product_code, duplicate_of=original
    )
    result = send(original, *rows.values())
    assert (result.queued, result.mails) == (1, 1)
    told = reasons(result)
    assert told.keys() == {row.pk for row in rows.values()}
    for reason, row in rows.items():
        assert reason in told[row.pk]
    assert statuses(rows["沒有可用的收件者信箱"], rows["d@example.com（5.1.1 no such user）"]) == ["no_email"] * 2
    assert result.sending is not None
    assert result.sending.skipped == result.skipped


def test_ids_that_are_none_of_ours() -> None:
    row = make_stockout(make_vendor("A", "a@example.com"))
    result = send_stockouts(ids=[row.pk, row.pk, row.pk + 1, 0, -1, 2**70], user=None)
    assert (result.queued, result.mails) == (1, 1)
    assert reasons(result) == dict.fromkeys([row.pk + 1, 0, -1, 2**70], "沒有這筆缺貨")


def test_what_is_refused_as_a_whole() -> None:
    row = make_stockout(make_vendor("A", "a@example.com"))
    with pytest.raises(ValidationFailed, match="最多 20,000 筆"):
        send_stockouts(ids=range(1, 20_002), user=None)
    with pytest.raises(ValidationFailed, match="至少選一筆"):
        send_stockouts(ids=[], user=None)
    with pytest.raises(ValidationFailed, match=r"最多 2,000 個字"):
        send(row, note="字" * 2001)
    with pytest.raises(Conflict, match="已復原"):
        send_stockouts(batch=make_batch(undone_at=timezone.now()), user=None)
    assert not VendorSending.objects.exists()


def test_a_batch_with_the_rows_of_another_sends_those() -> None:
    row = make_stockout(make_vendor("A", "a@example.com"))
    same = make_batch(same_as=row.batch)
    assert send_stockouts(batch=same, user=None).queued == 1
    assert statuses(row) == ["queued"]


def test_duplicates_are_sent_when_asked_for() -> None:
    vendor = make_vendor("A", "a@example.com")
    original = make_stockout(vendor)
    twin = make_stockout(vendor, product_code=original.product_code, duplicate_of=original)
    (mail,) = prepared(original, twin, include_duplicates=True)
    assert mail.lines.count() == 2


def test_a_row_without_address_is_sent_once_there_is_one() -> None:
    vendor = make_vendor("A")
    row = make_stockout(vendor)
    assert send(row).queued == 0
    assert statuses(row) == ["no_email"]
    VendorAddress.objects.create(vendor=vendor, email="a@example.com", mailbox="a@example.com")
    assert send(row).queued == 1


def test_resending_takes_only_what_failed() -> None:
    vendors = [make_vendor(code, f"{code}@example.com") for code in "AB"]
    sent, failed = (make_stockout(vendor) for vendor in vendors)
    first = prepared(sent, failed)
    delivered(SENT, FAILED)
    assert statuses(sent, failed) == ["sent", "failed"]
    waiting = make_stockout(vendors[0])
    batch_of_all = plan_stockouts(ids=[sent.pk, failed.pk, waiting.pk])
    assert [row.pk for group in batch_of_all.groups for row in group.rows] == [waiting.pk, failed.pk]
    result = send_stockouts(batch=failed.batch, user=None, resend=True)
    assert (result.queued, result.skipped) == (1, [])
    assert message_of(first[1]).status == "cancelled", "nobody sends the failed message besides"
    assert statuses(failed) == ["queued"]
    assert Stockout.objects.get(pk=failed.pk).mail_id != first[1].pk
    # What was sent goes again only if it is named.
    again = send(sent, waiting, resend=True)
    assert (again.queued, reasons(again)) == (1, {waiting.pk: "不是寄送失敗的缺貨"})


@pytest.mark.parametrize(
    ("change", "status", "reason"),
    [
        (lambda vendor: vendor.addresses.all().delete(), "no_email", "沒有可用的收件者信箱"),
        (lambda vendor: type(vendor).objects.filter(pk=vendor.pk).update(is_active=False), "failed", "已停用"),
    ],
    ids=["address deleted", "vendor inactive"],
)
def test_what_changed_between_wish_and_preparing(change: Any, status: str, reason: str) -> None:
    vendor, other = make_vendor("A", "a@example.com"), make_vendor("B", "b@example.com")
    row, fine = make_stockout(vendor), make_stockout(other)
    result = send(row, fine)
    change(vendor)
    assert result.sending is not None
    sending = run_sending(result.sending.pk)
    assert statuses(row, fine) == [status, "queued"]
    mail = VendorMail.objects.get(vendor=vendor)
    assert (mail.status, mail.message) == ("failed", None)
    assert reason in mail.reason
    assert sending is not None
    assert sending.message == "1 封郵件已排入寄送，1 封沒有寄出"


def test_rows_that_were_answered_meanwhile_are_left_out() -> None:
    vendor = make_vendor("A", "a@example.com")
    rows = [make_stockout(vendor) for _ in range(2)]
    result = send(*rows)
    Stockout.objects.filter(pk=rows[0].pk).update(status="resolved", resolved_at=timezone.now())
    assert result.sending is not None
    run_sending(result.sending.pk)
    assert list(MailLine.objects.values_list("line", flat=True)) == [rows[1].pk]
    assert rows[0].product_code not in OutboxMessage.objects.get().body_html
    assert statuses(*rows) == ["resolved", "queued"]


def test_a_mail_that_the_outbox_refuses_keeps_none_of_the_others_back() -> None:
    bad, good = make_vendor("A", "not an address"), make_vendor("B", "b@example.com")
    rows = [make_stockout(bad), make_stockout(good)]
    mails = prepared(*rows)
    assert [mail.status for mail in mails] == ["failed", "queued"]
    assert "電子郵件地址" in mails[0].reason
    assert statuses(*rows) == ["failed", "queued"]


def test_a_sending_that_nobody_could_prepare_ends(settings: Any) -> None:
    settings.VENDOR_ATTEMPTS = 1
    row = make_stockout(make_vendor("A", "a@example.com"))
    result = send(row)
    assert result.sending is not None
    silent = timezone.now() - timedelta(hours=1)
    VendorSending.objects.update(status="running", attempt=1, heartbeat_at=silent)
    sweep_sendings()
    sending = VendorSending.objects.get()
    assert (sending.status, sending.message) == ("failed", "試了 1 次都沒有完成")
    assert statuses(row) == ["failed"]


def test_query_counts(django_assert_num_queries: Any) -> None:
    batch = make_batch()
    rows = [make_stockout(make_vendor(f"V{number}", f"{number}@example.com"), batch) for number in range(6)]
    with django_assert_num_queries(14):
        result = send(*rows)
    assert result.sending is not None
    first, *others = result.sending.mails.values_list("pk", flat=True)
    with django_assert_num_queries(15) as of_one:
        prepare.prepare_mails([first])
    # Beyond those one for each workbook.
    with django_assert_num_queries(len(of_one) + len(others) - 1):
        prepare.prepare_mails(others)
