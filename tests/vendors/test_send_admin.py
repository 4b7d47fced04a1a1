"""Sending from the admin and by command: what is shown before, what is done, and who may."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.messages import get_messages
from django.core.management import CommandError, call_command
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from momo.admin.kit.tables import ReadOnlyAdmin
from notifications.models import OutboxMessage
from tests.kit.users import session_client
from tests.notifications.outbox_world import FAILED, SENT
from tests.vendors.mailing import delivered, prepared, send, statuses
from tests.vendors.makers import make_batch, make_stockout, make_vendor
from vendors.admin.send import SendActions
from vendors.models import Stockout, VendorMail, VendorSending
from vendors.services.prepare import run_sending

pytestmark = pytest.mark.django_db
PAGE = "admin:vendors_vendorsending_send"


@pytest.fixture
def browser(manager: User) -> Client:
    return session_client(manager)


def words(answer: Any) -> str:
    return "；".join(str(message) for message in get_messages(answer.wsgi_request))


def text_of(answer: Any) -> str:
    assert answer.status_code == 200, answer.status_code
    return re.sub(r"\s+", " ", answer.content.decode())


def test_the_page_says_what_would_be_sent_and_what_not(browser: Client) -> None:
    batch = make_batch()
    row = make_stockout(make_vendor("A", "a@example.com", "copy@example.com"), batch)
    bare = make_stockout(make_vendor("B"), batch)
    page = text_of(browser.get(reverse(PAGE), {"batch": batch.pk}))
    assert "寄給 1 家廠商，共 1 筆缺貨" in page
    assert "a@example.com" in page
    assert "copy@example.com" in page
    assert "沒有可用的收件者信箱" in page
    assert f"#{bare.pk}" in page
    assert statuses(row, bare) == ["pending"] * 2
    assert not VendorSending.objects.exists()


def test_a_mail_is_shown_before_it_is_sent_as_it_is_sent(browser: Client) -> None:
    row = make_stockout(make_vendor("A", "a@example.com"))
    given = {"ids": str(row.pk), "note": "檔期<b>", "preview": str(row.vendor_id)}
    answer = browser.post(reverse(PAGE), given)
    shown, rows = answer.context["mail"].text, answer.context["shown"].rows
    assert not VendorSending.objects.exists()
    browser.post(reverse(PAGE), {**given, "send": "yes"})
    (mail,) = VendorMail.objects.all()
    run_sending(mail.sending_id)
    sent = OutboxMessage.objects.get(key=f"vendor-mail:{mail.pk}")
    assert (shown.subject, rows) == (sent.subject, [row])
    without_link = re.compile(r'/vendor/answer/[^"\s)]*|\d{4}-\d\d-\d\d \d\d:\d\d')
    assert without_link.sub("", shown.html) == without_link.sub("", sent.body_html)
    assert without_link.sub("", shown.plain) == without_link.sub("", sent.body)


def test_sending_leads_to_the_page_of_the_sending(browser: Client, manager: User) -> None:
    row, late = make_stockout(make_vendor("A", "a@example.com")), make_stockout(make_vendor("B"))
    answer = browser.post(reverse(PAGE), {"ids": f"{row.pk},{late.pk}", "note": "請補貨", "send": "yes"})
    sending = VendorSending.objects.get()
    assert answer["Location"] == reverse("admin:vendors_vendorsending_change", args=[sending.pk])
    assert words(answer) == "1 封郵件、1 筆缺貨已排入寄送"
    assert (sending.created_by, sending.note) == (manager, "請補貨")
    page = text_of(browser.get(answer["Location"]))
    assert "沒有可用的收件者信箱" in page
    assert "請補貨" in page
    assert "a@example.com" in page


@pytest.mark.parametrize(
    "given",
    [{}, {"ids": "1,x"}, {"ids": "999999"}, {"batch": "x"}, {"ids": "1", "note": "字" * 2001}, {"ids": "9" * 30}],
)
def test_what_is_wrong_changes_nothing(browser: Client, given: dict[str, str]) -> None:
    answer = browser.post(reverse(PAGE), {**given, "send": "yes"})
    assert answer.status_code in (200, 302)
    assert "stockout_ids" not in words(answer), "as the API calls it"
    assert not VendorSending.objects.exists()


def test_a_batch_that_is_not_there_or_undone(browser: Client) -> None:
    assert browser.get(reverse(PAGE), {"batch": 999999}).status_code == 404
    answer = browser.get(reverse(PAGE), {"batch": make_batch(undone_at=timezone.now()).pk})
    assert "已復原" in words(answer)


def test_only_who_may_send_does(user: User) -> None:
    reader = session_client(user)
    row = make_stockout(make_vendor("A", "a@example.com"))
    (mail,) = prepared(row)
    assert reader.get(reverse(PAGE)).status_code == 403
    assert reader.post(reverse(PAGE), {"ids": str(row.pk), "send": "yes"}).status_code == 403
    for name, pk in (("vendorsending", mail.sending_id), ("vendormail", mail.pk)):
        assert reader.get(reverse(f"admin:vendors_{name}_changelist")).status_code == 200
        page = reader.get(reverse(f"admin:vendors_{name}_change", args=[pk]))
        assert "重寄失敗的" not in page.content.decode()
        answer = reader.post(reverse(f"admin:vendors_{name}_resend", args=[pk]), {"_form_submitted": "True"})
        assert answer.status_code == 403


@pytest.mark.parametrize("name", ["vendorsending", "vendormail"])
def test_what_failed_is_sent_again(browser: Client, name: str) -> None:
    rows = [make_stockout(make_vendor(code, f"{code}@example.com")) for code in "AB"]
    mails = prepared(*rows)
    delivered(SENT, FAILED)
    failed = mails[1]
    pk = failed.sending_id if name == "vendorsending" else failed.pk
    assert "重寄失敗的" in text_of(browser.get(reverse(f"admin:vendors_{name}_change", args=[pk])))
    resend = reverse(f"admin:vendors_{name}_resend", args=[pk])
    assert words(browser.post(resend, {"_form_submitted": "True"})) == "1 封郵件、1 筆缺貨已排入寄送"
    assert statuses(*rows) == ["sent", "queued"]
    assert words(browser.post(resend, {"_form_submitted": "True"})).endswith("；沒有寄送失敗的缺貨")


def test_pages_of_mails_in_every_state(browser: Client) -> None:
    rows = [make_stockout(make_vendor(code, f"{code}@example.com")) for code in "ABC"]
    sent, failed = prepared(*rows[:2])
    delivered(SENT, FAILED)
    send(rows[2])
    waiting = VendorMail.objects.get(message=None)
    for mail, said in ((sent, "已寄出"), (failed, "No such user"), (waiting, "準備中")):
        page = text_of(browser.get(reverse("admin:vendors_vendormail_change", args=[mail.pk])))
        assert said in page
        assert mail.lines.get().product_code in page
        assert "預計到貨日期與數量" in page, "its content is shown"
    assert "/notifications/outboxmessage/" in text_of(
        browser.get(reverse("admin:vendors_vendormail_change", args=[sent.pk]))
    )


class _Rows(SendActions, ReadOnlyAdmin):
    actions = ("send_selected", "resend_selected")


def test_selected_rows_lead_to_the_page(manager: User) -> None:
    rows = [make_stockout(make_vendor("A", "a@example.com")) for _ in range(1)]
    request = RequestFactory().post("/")
    request.user = manager
    page = _Rows(Stockout, admin.site).send_selected(request, Stockout.objects.all())
    assert page.context_data["rows"] == 1
    assert page.context_data["form"]["ids"].value() == str(rows[0].pk)
    again = _Rows(Stockout, admin.site).resend_selected(request, Stockout.objects.all())
    assert again.context_data["rows"] == 0
    batch = _Rows(Stockout, admin.site).send_batch(request, object_id=7)
    assert batch["Location"].endswith("/vendors/vendorsending/send/?batch=7")


def test_the_page_of_a_batch_leads_there(browser: Client) -> None:
    batch, undone = make_batch(), make_batch(undone_at=timezone.now())
    page = reverse("admin:vendors_stockoutbatch_change", args=[batch.pk])
    assert "寄送這一批" in text_of(browser.get(page))
    assert "寄送這一批" not in text_of(browser.get(page.replace(str(batch.pk), str(undone.pk))))
    answer = browser.get(reverse("admin:vendors_stockoutbatch_send_batch", args=[batch.pk]))
    assert answer["Location"] == f"{reverse(PAGE)}?batch={batch.pk}"


# --- The command ----------------------------------------------------------------------------------------------------


def said(*arguments: str) -> str:
    output = io.StringIO()
    call_command("send_stockouts", *arguments, stdout=output)
    return output.getvalue()


def test_the_command_sends_a_batch() -> None:
    batch = make_batch()
    row, bare = make_stockout(make_vendor("A", "a@example.com"), batch), make_stockout(make_vendor("B"), batch)
    dry = said("--batch", str(batch.pk), "--dry-run")
    assert "會寄 1 封郵件，1 筆缺貨；略過 1 筆" in dry
    assert "沒有可用的收件者信箱" in dry
    assert statuses(row, bare) == ["pending"] * 2
    assert "1 封郵件已排入寄送" in said("--batch", str(batch.pk))
    assert statuses(row, bare) == ["queued", "no_email"]
    assert "寄送 0 封郵件" in said("--batch", str(batch.pk))


def test_the_command_refuses_what_is_no_batch() -> None:
    with pytest.raises(CommandError, match="沒有批次 #999999"):
        said("--batch", "999999")
    with pytest.raises(CommandError, match="已復原"):
        said("--batch", str(make_batch(undone_at=timezone.now()).pk))
