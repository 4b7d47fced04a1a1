"""The start page's figures, charts, and titles of pages."""

from __future__ import annotations

import html
import json
import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from accounts.models import User
from momo.admin.kit.display import NO_VALUE, duration, link, percent_change, picture, price_change
from momo.admin.kit.tables import PREPOPULATING
from momo.admin.packages.schedules import schedule_text
from momo.admin.site import MomoAdminSite
from momo.core.formats import change_percent
from products.models import PriceEvent, Product, QuarantinedPrice
from products.selectors import dashboard
from products.selectors.pages import chart_points, last_spans
from tests.admin import makers

OUR_FILES = Path(settings.BASE_DIR) / "static" / "admin_momo"


def test_the_site_is_ours() -> None:
    assert isinstance(admin.site, MomoAdminSite)


def test_browsers_keep_the_texts_of_scripts(as_reader: Client) -> None:
    catalog = as_reader.get(reverse("admin:jsi18n"))

    assert r'"Cancel": "\u53d6\u6d88"' in catalog.content.decode()  # 取消
    assert catalog.headers["Cache-Control"] == "private, max-age=3600"


def test_no_page_loads_scripts_for_fields_that_fill_in_others(as_boss: Client) -> None:
    assert not any(pages.prepopulated_fields for pages in admin.site._registry.values())
    for address in (reverse("admin:products_product_changelist"), reverse("admin:products_category_add")):
        scripts = re.findall(r'src="[^"]*/([^/"]+\.js)"', as_boss.get(address).content.decode())
        assert "core.js" in scripts
        assert not [script for script in scripts if script.endswith(PREPOPULATING)]


def test_the_figures_of_the_start_page(as_reader: Client) -> None:
    makers.product(1, price=1200, previous_price=1000)
    makers.product(2, price=800, previous_price=1000)
    makers.product(3, status="delisted", price_changed_at=None)
    makers.product(4, price_changed_at=timezone.now() - timedelta(hours=30))
    QuarantinedPrice.objects.create(
        code="1", name="x", price=1, reason="jump", run=makers.run(), observed_at=timezone.now()
    )

    page = as_reader.get(reverse("admin:index"))

    figures = {card.name: card.figure for card in page.context["cards"]}
    assert figures["在架商品"] == 3
    assert figures["24 小時漲價"] == 1
    assert figures["24 小時降價"] == 1
    assert figures["待確認價格"] == 1
    assert [product.product_id for product, _ in page.context["rises"]] == ["10000001"]


@pytest.mark.parametrize("up", [True, False])
def test_cards_and_lists_say_the_same(up: bool, as_reader: Client) -> None:
    makers.products(3)
    page = as_reader.get(reverse("admin:index"))
    card = page.context["cards"][1 if up else 2]

    listed = as_reader.get(card.url).context["cl"].result_count

    assert card.figure == listed


def test_a_category_counts_the_products_that_its_link_shows(as_reader: Client) -> None:
    makers.product(1)
    makers.product(2, status="out_of_stock")
    makers.product(3, status="delisted")

    page = as_reader.get(reverse("admin:products_category_changelist")).content.decode()

    link = re.search(rf'href="({reverse("admin:products_product_changelist")}\?[^"]+)">([0-9]+)</a>', page)
    assert link is not None
    assert link[2] == "2"
    assert as_reader.get(html.unescape(link[1])).context["cl"].result_count == 2


def test_an_empty_start_page_says_what_to_do_first_and_shows_no_zeros(as_manager: Client, as_reader: Client) -> None:
    page = as_manager.get(reverse("admin:index"))
    to_read = as_reader.get(reverse("admin:index")).content.decode()

    assert [(step.view, done) for step, done in page.context["steps"]] == [
        ("admin:products_category_add", False),
        ("admin:products_crawlrun_changelist", False),
        ("admin:jobs_job_upload", False),
        ("admin:notifications_chat_changelist", False),
    ]
    assert "cards" not in page.context
    assert "主管加入分類、匯入報表之後" in to_read

    makers.category()
    text = as_manager.get(reverse("admin:index")).content.decode()
    assert text.count("完成") == 1
    assert "在架商品" not in text

    makers.product()
    makers.jobs(1)
    text = as_manager.get(reverse("admin:index")).content.decode()
    assert "開始使用" not in text
    assert "還可以設定：連上 Telegram" in text
    assert "在架商品" in text


def test_a_list_without_rows_says_what_brings_them_and_a_filtered_one_how_to_see_all(as_manager: Client) -> None:
    lists = ("products_product", "sales_dayowner", "jobs_job", "products_crawlrun")
    empty = {name: as_manager.get(reverse(f"admin:{name}_changelist")).content.decode() for name in lists}
    searched = as_manager.get(f"{reverse('admin:products_product_changelist')}?q=x").content.decode()

    assert all("清除篩選" not in text and "沒有符合" not in text for text in empty.values())
    assert reverse("admin:products_crawlrun_changelist") in empty["products_product"]
    assert reverse("admin:jobs_job_upload") in empty["sales_dayowner"]
    assert reverse("admin:products_category_add") in empty["products_crawlrun"]
    assert "沒有符合的商品" in searched
    assert "清除篩選" in searched


@pytest.mark.django_db
def test_events_are_counted_by_day_of_taipei() -> None:
    one, walk = makers.product(), makers.run()
    midnight = timezone.localtime().replace(hour=0, minute=0, second=30, microsecond=0)
    PriceEvent.objects.create(product=one, run=walk, kind="new", created_at=midnight)
    PriceEvent.objects.create(product=one, run=walk, kind="decrease", created_at=midnight - timedelta(minutes=2))
    PriceEvent.objects.create(product=one, run=walk, kind="increase", created_at=midnight - timedelta(days=20))

    chart = dashboard.events_per_day()

    assert len(chart["labels"]) == 14
    assert {row["kind"]: row["data"][-2:] for row in chart["series"]} == {"new": [0, 1], "decrease": [1, 0]}


@pytest.mark.django_db
def test_a_products_chart_breaks_where_it_was_not_seen() -> None:
    one = makers.product()
    now = timezone.now()
    for begun, last, price in ((9, 7, 100), (7, 6, 90), (2, None, 80)):
        one.spans.create(
            price=price,
            observed_at=now - timedelta(days=begun),
            last_seen_at=None if last is None else now - timedelta(days=last, hours=1),
        )
    Product.objects.filter(pk=one.pk).update(last_seen_at=now)

    points = chart_points(last_spans(one))

    assert [point["y"] for point in points] == [100, 100, 90, 90, None, 80, 80]
    assert [point["x"] for point in points] == sorted(point["x"] or 0 for point in points)


def test_a_products_page_hands_its_chart_over_as_data(as_reader: Client) -> None:
    one = makers.product(name="</script><script>alert(1)</script>")
    makers.spans(one, [1000, 900])

    text = as_reader.get(reverse("admin:products_product_change", args=[one.pk])).content.decode()

    data = re.search(r'<script id="momo-price-chart" type="application/json">(.*?)</script>', text)
    assert data is not None
    assert json.loads(data[1])["lowest"] == 900
    assert "<script>alert(1)" not in text
    assert 'target="_blank" rel="noopener noreferrer"' in text


def test_our_scripts_and_styles_name_no_host_and_our_pages_have_no_script_of_their_own() -> None:
    for path in OUR_FILES.iterdir():
        assert not re.search(r"https?://|url\(", path.read_text()), path.name
    for path in (Path(settings.BASE_DIR) / "templates" / "admin").rglob("*.html"):
        assert "<script" not in path.read_text(), path.name


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (price_change(120), '<span class="mo-up">▲ 120</span>'),
        (price_change(-1200), '<span class="mo-down">▼ 1,200</span>'),
        (price_change(None), NO_VALUE),
        (price_change(0), NO_VALUE),
        (percent_change(Decimal("-3.5")), '<span class="mo-down">-3.50%</span>'),
        (percent_change(change_percent(1, 100)), '<span class="mo-up">+9,900%</span>'),
        (percent_change(change_percent(0, 100)), NO_VALUE),
        (duration(timedelta(seconds=-3)), "0 秒"),
        (duration(timedelta(seconds=75)), "1 分 15 秒"),
        (duration(timedelta(hours=25)), "1 天 1 時"),
        (link("javascript:alert(1)", "x"), "x"),
    ],
)
def test_how_things_look(made: str, expected: str) -> None:
    assert made == expected


def test_a_picture_comes_only_over_http() -> None:
    assert "<img" not in picture("javascript:alert(1)")
    assert 'referrerpolicy="no-referrer"' in picture("https://img.example/a.webp")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (("30", "8", "*", "*", "*"), "每天 08:30"),
        (("0", "9", "1,5", "*", "*"), "每週一、五 09:00"),
        (("0", "9", "7", "*", "*"), "每週日 09:00"),
        (("*/5", "*", "*", "*", "*"), "*/5 * * * *（分 時 日 月 週）"),
        (("0", "9", "*", "1", "*"), "0 9 1 * *（分 時 日 月 週）"),
    ],
)
def test_schedules_in_words(written: tuple[str, ...], expected: str) -> None:
    minute, hour, weekday, day, month = written
    crontab = CrontabSchedule(
        minute=minute, hour=hour, day_of_week=weekday, day_of_month=day, month_of_year=month, timezone="Asia/Taipei"
    )

    assert schedule_text(PeriodicTask(crontab=crontab)) == expected


def test_titles_name_the_page_in_our_words(boss: User, as_boss: Client) -> None:
    one = makers.category(name="精華液")
    makers.trail(1)
    titles = {
        reverse("admin:products_category_changelist"): "分類 | MOMO Pro",
        reverse("admin:products_product_changelist"): "商品 | MOMO Pro",
        reverse("admin:products_category_add"): "新增分類 | MOMO Pro",
        reverse("admin:products_category_change", args=[one.pk]): "精華液 | 分類 | MOMO Pro",
        reverse("admin:products_category_history", args=[one.pk]): "精華液 | 變更紀錄 | MOMO Pro",
        reverse("admin:products_category_import"): "匯入分類 | MOMO Pro",
        reverse("admin:accounts_apitoken_add"): "新增 API 權杖 | MOMO Pro",
        reverse("admin:accounts_user_delete", args=[boss.pk]): "管理員甲 | 刪除使用者 | MOMO Pro",
        reverse("admin:index"): "總覽 | MOMO Pro",
    }

    found = {url: re.findall(r"<title>\s*(.*?)\s*</title>", as_boss.get(url).content.decode(), re.S) for url in titles}

    assert found == {url: [title] for url, title in titles.items()}


def test_the_trail_of_a_schedule_names_its_task_in_our_words(as_boss: Client) -> None:
    makers.tasks(1)

    text = as_boss.get(reverse("admin:auditlog_logentry_changelist")).content.decode()

    assert "Task Name" not in text
