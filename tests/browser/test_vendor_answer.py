"""A vendor answers on a phone whose browser runs no scripts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone
from playwright.sync_api import Browser

from tests.browser.conftest import PHONE, findings
from tests.vendors.answering import Visitor, make_mail, path_of
from tests.vendors.makers import make_stockout, make_vendor
from vendors.models import Stockout, VendorMail

NAME = "【山田研究所】玻尿酸保濕精華液 30ml 買一送一超值組合（加贈旅行組三件）限定版"


def test_two_rows_are_answered_on_a_phone_without_scripts(chromium: Browser, live_server: Any) -> None:
    vendor = make_vendor(name="水潤生技股份有限公司")
    first, second, third = lines = [make_stockout(vendor, product_name=NAME) for _ in range(3)]
    mail = make_mail(vendor, *lines)
    url, size = live_server.url + path_of(mail), {"width": PHONE[0], "height": PHONE[1]}
    day = timezone.localdate() + timedelta(days=5)
    with chromium.new_context(viewport=size, java_script_enabled=False, locale="zh-TW", has_touch=True) as context:
        page = context.new_page()
        page.goto(url)
        rows = page.locator(".row")
        assert not rows.nth(0).locator("input[type=date]").is_visible()
        rows.nth(0).get_by_text("預計到貨", exact=True).click()
        rows.nth(0).locator("input[type=date]").fill(str(day))
        rows.nth(0).get_by_label("數量").fill("300")
        rows.nth(1).get_by_text("停產", exact=True).click()
        page.get_by_label("您的姓名").fill("陳小姐")
        page.get_by_role("button", name="送出").click()
        assert page.get_by_role("status").inner_text().startswith("已送出")
        assert page.locator(".row").nth(0).get_by_label("數量").input_value() == "300"

    first, second, third = Stockout.objects.order_by("pk")
    assert (first.answer, first.restock_date, first.restock_quantity) == ("restock", day, 300)
    assert (second.answer, third.answer) == ("discontinued", "")

    people = Visitor(mail, "甲"), Visitor(mail, "乙")
    for one in people:
        one.opens()
        one.says(third, "substitute", substitute=f"{one.name}說")
    assert [one.done() for one in people] == ["sent", "conflict"]
    # axe-core runs in the page, which the page's own policy forbids.
    with chromium.new_context(viewport=size, bypass_csp=True, locale="zh-TW") as context:
        page, found = context.new_page(), {}
        page.goto(url)
        assert page.get_by_text("兩份內容不同").is_visible()
        found["form"] = findings(page)
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
        page.get_by_role("button", name="儲存草稿").click()
        page.get_by_role("button", name="送出").click()
        VendorMail.objects.update(link_expires_at=timezone.now())
        page.goto(url)
        found["expired"] = findings(page)

    assert found == {"form": [], "expired": []}
