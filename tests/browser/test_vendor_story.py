"""A stockout report: imported, mailed, answered in a browser, and resolved by a crawl; 5,000 rows in long runs."""

from __future__ import annotations

import io
import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser

from accounts.models import Role
from momo.jobs.services import run_job
from momo.sheets.write import Column, as_records, xlsx_file
from notifications.models import Subscription
from notifications.services.sending import drain
from products.models import Product
from tests.browser.conftest import PHONE
from tests.fakes.smtp import running_smtp
from tests.kit.users import person, token_client
from tests.products.factories import Runs, category, item
from tests.sheets.files import converted_by_office
from tests.vendors.makers import make_vendor
from vendors.models import Stockout
from vendors.services.closing import close_restocked
from vendors.services.prepare import run_sending

COLUMNS = [
    Column(name, kind, 12)
    for name, kind in (
        ("部門", "text"),
        ("科別/處別", "text"),
        ("PM 姓名", "text"),
        ("品號", "text"),
        ("品名", "text"),
        ("廠商代號", "text"),
        ("廠商名稱", "text"),
        ("月銷量", "integer"),
        ("目前庫存", "integer"),
    )
]
RETURNS = "20000007"  # of the product that comes back; its vendor has the code of row 7


@dataclass(frozen=True)
class Size:
    """How many rows a report has, and of how many vendors, the last of which has no address."""

    rows: int
    vendors: int

    @property
    def skipped(self) -> int:
        return sum(row % self.vendors == self.vendors - 1 for row in range(self.rows))


def code_of(vendor: int) -> str:
    return f"{vendor:06}"


def report(size: Size) -> bytes:
    rows = (
        (
            "美妝部",
            "保養科",
            f"PM{n % 7}",
            f"{20_000_000 + n}",
            f"商品{n}",
            code_of(n % size.vendors),
            f"廠商{n % size.vendors}",
            30,
            0,
        )
        for n in range(size.rows)
    )
    return xlsx_file(sheet="缺貨", columns=COLUMNS, records=as_records(COLUMNS, rows)).read()


def imported(client: Client, size: Size) -> int:
    """The id of the batch, imported as the API's contract says."""
    file = io.BytesIO(report(size))
    file.name = "缺貨 1129.xlsx"
    answer = client.post("/api/vendor/stockout/import", {"file": file})
    assert answer.status_code == 202, answer.content.decode()
    data = answer.json()["data"]
    job = run_job(data["job_id"])
    assert job is not None
    assert (job.status, job.created) == ("succeeded", size.rows), job.message
    batch: int = data["batch_id"]
    return batch


def mailed(client: Client, batch: int, server: Any, size: Size) -> dict[str, Any]:
    """What reached the mail server, by recipient."""
    ids = list(Stockout.objects.filter(batch=batch).values_list("pk", flat=True))
    answer = client.post("/api/vendor/stockout/send", {"stockout_ids": ids}, content_type="application/json")
    assert answer.status_code == 202, answer.content.decode()
    data = answer.json()["data"]
    assert (data["queued"], data["mails"]) == (size.rows - size.skipped, size.vendors - 1)
    assert len(data["skipped"]) == size.skipped
    assert all("信箱" in skip["reason"] for skip in data["skipped"])
    assert run_sending(Stockout.objects.exclude(mail=None).values_list("mail__sending", flat=True)[0]) is not None
    drain("email", seconds=120, pass_on=False)
    received = defaultdict(list)
    for one in server.accepted():
        received[one.recipient].append(one.mail)
    assert all(len(mails) == 1 for mails in received.values()), "one mail a vendor"
    return {recipient: mails[0] for recipient, mails in received.items()}


def answered(chromium: Browser, url: str) -> None:
    """The first row of the page is answered on a phone."""
    day = timezone.localdate() + timedelta(days=5)
    with chromium.new_context(viewport={"width": PHONE[0], "height": PHONE[1]}, locale="zh-TW") as context:
        page = context.new_page()
        page.goto(url)
        row = page.locator(".row").filter(has_text=RETURNS)
        row.get_by_text("預計到貨", exact=True).click()
        row.locator("input[type=date]").fill(str(day))
        row.get_by_label("數量").fill("300")
        page.get_by_label("您的姓名").fill("陳小姐")
        page.get_by_role("button", name="送出").click()
        assert page.get_by_role("status").inner_text().startswith("已送出")


@pytest.mark.parametrize("size", [Size(300, 20), pytest.param(Size(5_000, 300), marks=pytest.mark.long)], ids=str)
def test_from_the_workbook_to_the_answered_mail(
    size: Size, chromium: Browser, live_server: Any, tmp_path: Path, settings: Any
) -> None:
    client = token_client(person("ada", Role.MANAGER))
    where, runs = category(), Runs()
    runs.at = timezone.now() - timedelta(hours=12)
    runs.run({where: [item(RETURNS, 990)]})
    runs.run({where: [item(RETURNS, 990, in_stock=False)]})
    assert Product.objects.get().status == "out_of_stock"
    Subscription.objects.create(
        name="廠商回覆", event="vendor_replied", channel="email", address="pm0@momo.test", filters={"pms": ["PM0"]}
    )
    settings.PUBLIC_URL = live_server.url
    for number in range(size.vendors - 1):
        make_vendor(code_of(number), f"v{number}@example.com", *(["cc@example.com"] if number == 7 else []))

    with running_smtp(tmp_path / "record") as server:
        settings.EMAIL_URL = server.url
        batch = imported(client, size)
        received = mailed(client, batch, server, size)
        assert len(received) == size.vendors  # with the copy of one of them
        mail = received["v7@example.com"]
        assert mail["Cc"] == "cc@example.com"
        mine = {f"{20_000_000 + n}" for n in range(size.rows) if n % size.vendors == 7}
        (workbook,) = mail.iter_attachments()
        opened = converted_by_office(workbook.get_content(), "csv").decode()
        html = mail.get_body(("html",)).get_content()
        assert set(re.findall(r"\b20\d{6}\b", opened)) == set(re.findall(r"\b20\d{6}\b", html)) == mine
        assert Stockout.objects.filter(status="sent").count() == size.rows - size.skipped
        assert Stockout.objects.filter(status="no_email").count() == size.skipped

        link = re.search(rf'href="({re.escape(live_server.url)}/vendor/answer/[^"]+)"', html)
        assert link is not None
        answered(chromium, link[1])
        row = Stockout.objects.get(product_code=RETURNS)
        assert (row.status, row.restock_quantity) == ("replied", 300)

        drain("email", seconds=30, pass_on=False)
        assert [one.recipient for one in server.accepted()].count("pm0@momo.test") == 1

    runs.at = timezone.now()
    runs.run({where: [item(RETURNS, 990)]})
    assert close_restocked() == 1
    row.refresh_from_db()
    assert (row.status, row.resolved_reason) == ("resolved", "back_in_stock")
    answer = client.get("/api/vendor/stockout", {"batch_id": batch, "status": "resolved"}).json()["data"]
    assert [one["product_code"] for one in answer["items"]] == [RETURNS]
