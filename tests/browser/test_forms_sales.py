"""What users do with imports, sales and restarts beside actions of lists: a live bar, forms, tables, the theme."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import AbstractBaseUser
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from momo.jobs.models import Job
from momo.jobs.services import run_job
from momo.system.models import Rollout
from sales.models import Campaign, DayNote, DayTotal, Target
from tests.admin import makers
from tests.browser.clicks import Click, click
from tests.browser.conftest import Opener
from tests.browser.test_menu import _listen
from tests.fakes.kubernetes import Kubernetes

DAY = "2026-01-29"
DRAWN = """() => {
    const chart = Chart.getChart(document.querySelector("canvas[data-momo-chart]"));
    return [chart.data.labels, chart.data.datasets.map(({ label }) => label), chart.options.scales.x.grid.color];
}"""
BACKGROUND = "getComputedStyle(document.querySelector('#main')).backgroundColor"


@pytest.fixture
def opened(opened: Opener, live_server: Any) -> Iterator[Opener]:
    """Pages in which no script fails, and which ask no other host."""
    faults: list[str] = []

    def listening(*args: Any, **values: Any) -> Page:
        page = opened(*args, **values)
        _listen(page, live_server.url, faults)
        return page

    yield listening
    assert faults == []


def _file(*rows: tuple[Any, ...]) -> Any:
    return {"name": "日報.xlsx", "mimeType": "application/octet-stream", "buffer": makers.workbook(*rows)}


def _drawn(page: Page) -> Any:
    page.wait_for_function("() => Chart.getChart(document.querySelector('canvas[data-momo-chart]'))")
    return page.evaluate(DRAWN)


def test_an_import_is_looked_at_started_and_followed_to_its_end(opened: Opener) -> None:
    makers.brought(*(makers.sold(DAY, code=f"{number}") for number in range(10)))
    page, listed = opened(), opened()
    page.goto(reverse("admin:jobs_job_upload"))
    page.locator("[name=file]").set_input_files(_file(makers.sold(DAY, amount=1_234)))
    preview, start = page.locator("[data-preview]"), page.get_by_role("button", name="開始匯入")
    expect(preview.locator("tr", has_text=DAY).first).to_contain_text("$1,234")
    start.click()
    assert Job.objects.count() == 1, "a loss is confirmed first"
    preview.get_by_label("我確認要以這份檔案取代這些天的資料").check()
    start.click()

    bar = page.locator("[data-job]")
    expect(bar).to_contain_text("0%・排隊")
    jobs = Job.objects.filter(pk=Job.objects.latest("pk").pk)
    listed.goto(reverse("admin:jobs_job_changelist"))
    bars = (bar, listed.locator("[data-job]"))
    jobs.update(stage="publishing", progress=60, processed_rows=9_876, total_rows=123_456)
    for one in bars:
        expect(one).to_contain_text("60%・寫入・9,876 / 123,456 列")
        expect(one.locator("progress")).to_have_js_property("value", 60)
    run_job(jobs.get().pk)
    for one in bars:
        expect(one).to_have_count(0)
    expect(page.locator("main")).to_contain_text("1 天更正")
    expect(listed.locator("tr", has_text="日報.xlsx")).to_contain_text("完成")
    assert DayTotal.objects.get(date=DAY, dimension="all").lines == 1


def test_targets_are_typed_into_the_grid(opened: Opener) -> None:
    first = date(timezone.localdate().year, 1, 1)
    Target.objects.create(month=first, dimension="pm", key="王小明", amount=100_000)
    page = opened()
    page.goto(reverse("admin:sales_target_attainment"))
    page.get_by_role("link", name="編輯目標").click()
    page.get_by_label("王小明 1 月").fill("120,000")
    page.get_by_label("王小明 2 月").fill("九萬")
    page.get_by_label("新的名稱", exact=True).first.fill("李小華")
    page.get_by_label("新的名稱 12 月").first.fill("50000")
    page.get_by_role("button", name="儲存").click()
    expect(page.locator("main")).to_contain_text("什麼都還沒有存")
    expect(page.get_by_label("李小華 12 月")).to_have_value("50000")
    page.get_by_label("王小明 2 月").fill("90000")
    page.get_by_role("button", name="儲存").click()
    expect(page.locator("main")).to_contain_text("已儲存 3 格")
    expect(page.get_by_label("王小明 1 月")).to_have_value("120,000")
    stored = Target.objects.order_by("key", "month").values_list("key", "month__month", "amount")
    assert list(stored) == [("李小華", 12, 50_000), ("王小明", 1, 120_000), ("王小明", 2, 90_000)]


def test_a_note_is_written_on_the_board_and_stands_in_the_trend(opened: Opener) -> None:
    makers.brought(makers.sold(DAY))
    page = opened()
    page.goto(reverse("admin:sales_board"))
    page.locator("#notes [name=text]").fill("直播加碼")
    page.get_by_role("button", name="加上註記").click()
    expect(page.locator("main")).to_contain_text("已加上註記，圖表上會顯示")
    expect(page.locator("#notes li")).to_contain_text("直播加碼")
    page.get_by_role("link", name="趨勢", exact=True).click()
    page.get_by_text("表格", exact=True).click()
    expect(page.locator("#figure-trend tr", has_text=DAY)).to_contain_text("直播加碼")
    assert DayNote.objects.filter(date=DAY, author__username="ada").exists()


def test_a_campaign_counts_only_its_brands(opened: Opener) -> None:
    rows = [
        makers.sold(DAY, amount=amount, brand=brand) for brand, amount in {"水潤": 900, "山田": 80, "無名": 7}.items()
    ]
    makers.brought(*rows)
    page = opened()
    page.goto(reverse("admin:sales_campaign_add"))
    page.locator("[name=name]").fill("美妝週")
    page.locator("[name=first]").fill("2026-01-28")
    page.locator("#calendarlink1").click()
    page.locator("#calendarin1").get_by_text("15", exact=True).click()
    assert page.locator("[name=last]").input_value() == f"{timezone.localdate():%Y/%m}/15"
    page.locator("[name=last]").fill("2026-01-30")
    page.locator("[name=brands]").fill("水潤\n山田")
    page.locator("[name=_save]").click()
    expect(page.locator("main")).to_contain_text("已新增檔期「美妝週")
    page.get_by_role("link", name="看比較").click()
    expect(page.locator("main tr", has_text="業績").first).to_contain_text("$980")
    assert Campaign.objects.get().brands == ["水潤", "山田"]


def test_a_table_is_copied_and_exported(opened: Opener) -> None:
    makers.brought(makers.sold(DAY, amount=1_234), makers.sold(DAY, amount=766, pm="李小華"))
    page = opened()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(reverse("admin:sales_board"))
    table = page.locator(".mo-figured", has=page.get_by_role("heading", name="依 PM"))
    table.get_by_role("button", name="複製").click()
    expect(table.get_by_role("button", name="已複製")).to_be_visible()
    copied = [line.split("\t") for line in page.evaluate("navigator.clipboard.readText()").splitlines()]
    with page.expect_download() as download:
        table.get_by_role("link", name="匯出 CSV").click()
    exported = list(csv.reader(Path(download.value.path()).read_text("utf-8-sig").splitlines()))
    assert [row[:2] for row in copied] == [["PM", "業績"], ["王小明", "1234"], ["李小華", "766"], ["合計", "2000"]]
    assert exported[0] == copied[0]
    assert [(row[0], float(row[1])) for row in exported[1:]] == [(row[0], float(row[1])) for row in copied[1:]]


def test_the_trend_shows_the_days_that_are_chosen(opened: Opener) -> None:
    yesterday = timezone.localdate() - timedelta(days=1)
    first = yesterday - timedelta(days=6)
    makers.brought(makers.sold(f"{yesterday}"), makers.sold(f"{first}", brand="山田"))
    page = opened()
    page.goto(reverse("admin:sales_board_trend"))
    page.get_by_role("link", name="昨天").click()
    begin, end = page.get_by_label("起始日"), page.get_by_label("結束日")
    expect(begin).to_have_value(f"{yesterday}")
    assert _drawn(page)[0] == [f"{yesterday}"]
    begin.fill(f"{first}")
    page.get_by_label("維度").select_option("品牌")
    page.get_by_role("button", name="顯示").click()
    expect(page.locator("#figure-trend")).to_contain_text("趨勢：業績，依品牌")
    labels, lines, _ = _drawn(page)
    assert (labels[0], labels[-1], len(labels), set(lines)) == (f"{first}", f"{yesterday}", 7, {"水潤", "山田"})
    end.fill(f"{first - timedelta(days=1)}")
    page.get_by_role("button", name="顯示").click()
    expect(page.get_by_role("alert")).to_contain_text("起始日不可晚於結束日")


def test_what_is_typed_is_not_lost_by_a_click_elsewhere(opened: Opener) -> None:
    makers.brought(makers.sold(DAY))
    makers.targets(1)
    (campaign,) = makers.campaigns(1)
    page, asked = opened(), list[str]()
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    forms = {
        reverse("admin:sales_campaign_change", args=[campaign.pk]): ("[name=name]", "儲存", "已儲存檔期「777"),
        reverse("admin:sales_board"): ("#notes [name=text]", "加上註記", "已加上註記"),
        reverse("admin:sales_target_grid"): ("[name=cell-0-1]", "儲存", "已儲存 1 格"),
    }
    for number, (address, (field, save, said)) in enumerate(forms.items(), start=1):
        page.goto(address)
        page.locator(field).fill("777")
        page.get_by_role("link", name="待辦").first.click()
        expect(page.locator(field)).to_have_value("777")
        page.get_by_role("button", name=save, exact=True).click()
        expect(page.locator("main")).to_contain_text(said)
        assert asked == ["beforeunload"] * number, address


def test_what_is_chosen_or_edited_in_a_list_is_not_lost_either(opened: Opener) -> None:
    """A date of the calendar, a product of the search, a setting in its row: scripts set the first two."""
    makers.product(1)

    def left(address: str, change: Callable[[Page], Any]) -> tuple[Page, list[str]]:
        page, asked = opened(), list[str]()
        page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
        page.goto(address)
        change(page)
        page.get_by_role("link", name="待辦").first.click()
        page.wait_for_timeout(100)
        return page, asked

    def choose_date(page: Page) -> None:
        page.locator("#calendarlink0").click()
        page.locator("#calendarin0").get_by_text("15", exact=True).click()

    def choose_product(page: Page) -> None:
        page.locator(".select2-selection").first.click()
        page.locator(".select2-results__option", has_text="保濕精華液").first.click()

    def edit_row(page: Page) -> None:
        page.locator("#changelist-form [name^=form-][type=number]").first.fill("7")

    assert left(reverse("admin:sales_campaign_add"), choose_date)[1] == ["beforeunload"]
    assert left(reverse("admin:products_watch_add"), choose_product)[1] == ["beforeunload"]
    page, asked = left(reverse("admin:system_setting_changelist"), edit_row)
    assert asked == ["beforeunload"]
    page.locator("[name=_save]").filter(visible=True).first.click()
    expect(page.locator("main")).to_contain_text("已儲存")
    assert asked == ["beforeunload"]


def test_the_dark_theme_stays(opened: Opener) -> None:
    makers.brought(makers.sold(DAY))
    page = opened()
    page.goto(reverse("admin:sales_board_trend"))
    light, grid = page.evaluate(BACKGROUND), _drawn(page)[2]
    page.get_by_role("navigation").get_by_text("ada").click()
    page.get_by_text("深色", exact=True).click()
    expect(page.locator("html")).to_have_class("dark")
    dark, redrawn = page.evaluate(BACKGROUND), _drawn(page)[2]
    assert (dark != light, redrawn != grid) == (True, True)
    page.reload()
    assert (page.evaluate(BACKGROUND), _drawn(page)[2]) == (dark, redrawn)


def test_a_deployment_is_restarted(
    opened: Opener, boss: AbstractBaseUser, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    restart = Click(
        make=lambda: None,
        fill=lambda page: page.locator("#dialog [name=deployment]").select_option("momo-app"),
        says="已開始重新啟動 momo-app",
        done=lambda _: Rollout.objects.get().requested_by == boss,
    )
    import_module("momo.system.cluster")  # takes seconds on a busy machine
    with Kubernetes() as cluster:
        cluster.add("momo-app")
        settings.K8S_CONFIG_FILE = str(cluster.config(tmp_path))
        click(opened(), ("system.rollout", "restart"), "list", restart, None)
        assert [name for name, _ in cluster.restarts] == ["momo-app"]
    assert restart.done(None)
