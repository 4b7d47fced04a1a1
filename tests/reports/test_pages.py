"""Admin pages of reports: a manager writes one, everybody previews it, and sends it to nobody but themselves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from accounts.models import User
from momo.reports.models import Report
from notifications.models import OutboxMessage
from tests.admin.conftest import as_manager, as_reader, manager, reader  # noqa: F401
from tests.admin.makers_reports import report
from tests.sales.factories import DAY, publish, sale

pytestmark = pytest.mark.django_db
ADD = "admin:reports_report_add"


def form(**values: Any) -> dict[str, Any]:
    given = {"name": "晨會", "kind": "daily", "at": "08:30", "wait_until": "11:00", "is_active": "on"}
    given |= {
        "sections_0": "sales_by_brand",
        "sections_3": "sales_summary",
        "addresses": "a@example.com\n\nb@example.com",
    }
    return given | {"pms": "", "brands": "甲", "categories": "", "with_workbook": "on", **values}


def test_a_manager_writes_a_report_in_the_order_of_its_places(as_manager: Client, as_reader: Client) -> None:  # noqa: F811
    publish([sale(brand="甲")])
    assert as_reader.post(reverse(ADD), form()).status_code == 403
    assert as_manager.get(reverse(ADD)).status_code == 200

    answer = as_manager.post(reverse(ADD), form())

    assert answer.status_code == 302, answer.context["adminform"].form.errors
    made = Report.objects.get(name="晨會")
    assert (made.sections, made.brands) == (["sales_by_brand", "sales_summary"], ["甲"])
    assert made.addresses == ["a@example.com", "b@example.com"]
    page = as_manager.get(reverse("admin:reports_report_change", args=[made.pk])).content.decode()
    assert page.index('value="sales_by_brand" selected') < page.index('value="sales_summary" selected')


@pytest.mark.parametrize(
    ("wrong", "field", "text"),
    [
        ({"brands": "乙"}, "brands", "銷售資料中沒有這個品牌：乙"),
        ({"sections_1": "sales_by_brand"}, "sections", "「依品牌」選了兩次"),
        ({"sections_0": "", "sections_3": ""}, "sections", "請至少選一段"),
        ({"addresses": "nobody"}, "addresses", "不是正確的電子郵件地址：nobody"),
        ({"addresses": ""}, "users", "啟用的報表至少要有一個收件者：使用者、電子郵件或聊天室"),
        ({"wait_until": "08:00"}, "__all__", "「最晚等到」不可早於「時間」"),
    ],
)
def test_what_cannot_be_sent_is_refused(wrong: dict[str, str], field: str, text: str, as_manager: Client) -> None:  # noqa: F811
    publish([sale(brand="甲")])
    errors = as_manager.post(reverse(ADD), form(**wrong)).context["adminform"].form.errors
    assert errors[field] == [text]


def test_a_preview_of_a_past_day_its_files_and_a_copy_to_oneself(as_reader: Client, reader: User) -> None:  # noqa: F811
    publish([sale(amount=1_234_567, brand="甲")])
    one = report(sections=["sales_by_brand"])
    preview = reverse("admin:reports_report_preview", args=[one.pk])
    page = as_reader.get(f"{preview}?date={DAY:%Y-%m-%d}").content.decode()
    assert "$1,234,567" in page
    assert "2026/03/02（週一）" in page
    kinds = {kind: as_reader.get(f"{preview}?date={DAY:%Y-%m-%d}&download={kind}") for kind in ("xlsx", "pptx", "exe")}
    assert [answer.status_code for answer in kinds.values()] == [200, 200, 404]
    assert all(b"".join(kinds[kind].streaming_content).startswith(b"PK") for kind in ("xlsx", "pptx"))

    send = reverse("admin:reports_report_send_me", args=[one.pk])
    assert as_reader.get(send).status_code == 200
    as_reader.post(send, {"_form_submitted": "True"})
    assert not OutboxMessage.objects.exists(), "without an address"
    User.objects.filter(pk=reader.pk).update(email="amy@example.com")
    as_reader.post(send, {"_form_submitted": "True"})
    assert [message.recipient for message in OutboxMessage.objects.all()] == ["amy@example.com"]


def test_a_preview_begins_with_today_where_a_file_brought_tomorrow_and_refuses_year_1(
    as_reader: Client,  # noqa: F811
) -> None:
    one = report(sections=["sales_summary", "sales_by_brand"], kind="monthly")
    preview = reverse("admin:reports_report_preview", args=[one.pk])
    with time_machine.travel("2026-03-01T04:00:00Z", tick=False):
        publish([sale(brand="甲")])  # of 2 March

        assert as_reader.get(preview).context["day"] == DAY - timedelta(days=1)
        assert as_reader.get(f"/api/reports/{one.pk}/preview").status_code == 200
        for day, reason in (("0001-01-01", "日期超出可用範圍"), ("9999-12-31", "日期不可晚於今天")):
            answer = as_reader.get(f"{preview}?date={day}", follow=True)
            assert answer.redirect_chain == [(preview, 302)]
            assert reason in answer.content.decode()
