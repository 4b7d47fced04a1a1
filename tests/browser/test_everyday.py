"""The ten tasks of docs/everyday.md, each clicked from the start page by what is written there."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import openpyxl
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Page, expect

from sales.models import Campaign, Target
from sales.services.product_months import sum_product_months
from tests.admin import makers
from tests.admin import makers_notifications as messages
from tests.browser.conftest import Opener
from tests.vendors.makers import make_batch, make_stockout, make_vendor

ROW = re.compile(r"^\| (?P<task>[^|]+) \| (?P<path>[^|]+) \| (?P<clicks>\d) \| [^|]+ \|$", re.MULTILINE)
MOST = 3
SERUM, REPORT = "水潤玻尿酸精華液 30ml", "壞掉的日報.xlsx"
NAMES = {"〈檔案〉": REPORT, "〈商品〉": SERUM}
# Texts of one row of the page, or of one of its cards.
ANSWERS = {
    "What changed on the latest day, and why?": ("水潤", "▼ 600"),
    "Fix a bad import": ("數量", "三"),
    "Last month by brand, against the month before": ("山田", "▲ 600"),
    "Behind target: where?": ("李小華", "$99,000"),
    "Which vendor never answers?": ("永昌貿易", "從未回覆"),
    "What must be decided now?": ("保濕精華液 0", "待確認價格"),
    "The price of a product, and its sales": ("$890", "$400"),
    "This campaign, against the same one last year": ("合計", "$2,000"),
    "Who got which mail?": ("boss@example.com", "昨天的業績"),
    "Which prices are at their lowest in 90 days?": (SERUM, "$890", "$990"),
}


def _furnish() -> None:
    """What the tasks ask about; the latest day with sales is yesterday."""
    now, day = timezone.now(), timezone.localdate() - timedelta(days=1)
    makers.held(1)
    serum = makers.product(1, name=SERUM, price=890, previous_price=990, price_changed_at=now)
    makers.spans(serum, [1_090, 990, 890])
    _sales(serum.product_id)
    makers.brought(makers.sold(f"{day}", quantity="三"), name=REPORT)
    for dimension, key, amount in (("all", "", 200_000), ("pm", "王小明", 1), ("pm", "李小華", 99_000)):
        Target.objects.create(month=day.replace(day=1), dimension=dimension, key=key, amount=Decimal(amount))
    batch, asked = make_batch(), now - timedelta(days=20)
    make_stockout(make_vendor("V1", name="永昌貿易"), batch, status="sent", notified_at=asked)
    make_stockout(make_vendor("V2", name="日盛國際"), batch, status="replied", notified_at=asked, answered_at=now)
    messages.mail("sent", recipient="boss@example.com", subject="昨天的業績")


def _sales(code: str) -> None:
    """The last two days, the last two months, and the campaign of this year and of last year."""
    day = timezone.localdate() - timedelta(days=1)
    last = (timezone.localdate().replace(day=1) - timedelta(days=1)).replace(day=10)
    before, year_ago = (last.replace(day=1) - timedelta(days=1)).replace(day=10), day - timedelta(days=364)
    for name, first in (("今年的週年慶", day), ("去年的週年慶", year_ago)):
        Campaign.objects.create(kind="anniversary", name=name, first=first, last=first + timedelta(days=3))
    makers.brought(
        makers.sold(f"{day - timedelta(days=1)}", code, amount=1_000),
        makers.sold(f"{day}", code, amount=400),
        makers.sold(f"{day}", amount=700, brand="無名", pm="李小華"),
        makers.sold(f"{last}", amount=900, brand="山田"),
        makers.sold(f"{before}", amount=300, brand="山田"),
        makers.sold(f"{year_ago}", amount=2_000, brand="無名"),
    )
    sum_product_months()


def _click(page: Page, name: str) -> None:
    """Click the first link or button with this text, beside its icon and number, or search for it."""
    if name.startswith("Ctrl + K"):
        page.keyboard.press("Control+k")
        page.get_by_role("searchbox", name="搜尋").fill(SERUM[:5])
        return
    text = re.compile(rf"(^|\s){re.escape(name)}(\s|$)")
    search = page.get_by_role("dialog", name="搜尋")
    within = search if search.is_visible() else page
    found = within.get_by_role("link", name=text).or_(within.get_by_role("button", name=text))
    found.filter(visible=True).first.click()


def _shows(page: Page, texts: tuple[str, ...]) -> None:
    found = page.locator("main").locator("tr, .mo-card")
    for text in texts:
        found = found.filter(has_text=text)
    expect(found.filter(visible=True).first).to_be_visible()


def test_ten_tasks_take_at_most_three_clicks(opened: Opener) -> None:
    _furnish()
    page, tasks = opened(), list(ROW.finditer((settings.BASE_DIR / "docs/everyday.md").read_text()))
    assert [row["task"] for row in tasks] == list(ANSWERS)

    for row in tasks:
        *steps, last = (NAMES.get(step, step) for step in row["path"].split(" → "))
        assert int(row["clicks"]) == len([*steps, last]) <= MOST, row["task"]
        page.goto("/admin/")
        for step in steps:
            _click(page, step)
        if last.startswith("下載"):
            _shows(page, ANSWERS[row["task"]])
            with page.expect_download() as download:
                _click(page, last)
            assert _marked(download.value.path())
        else:
            _click(page, last)
            _shows(page, ANSWERS[row["task"]])


def _marked(file: Path) -> bool:
    """Whether the file has the row with its bad cell."""
    sheet = openpyxl.load_workbook(io.BytesIO(file.read_bytes())).worksheets[0]
    return any("三" in row for row in sheet.iter_rows(values_only=True))
