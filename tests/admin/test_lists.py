"""Every list takes a fixed number of queries, and every page is rendered for every role that may see it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from products.models import PriceEvent, Product
from tests.admin import makers, makers_reports, makers_vendors
from tests.admin import makers_notifications as messages
from tests.ai import makers as copy
from tests.vendors.answering import submissions
from tests.vendors.mailing import make_sendings

# Session with its user, two kinds of permissions, one query for all counts of the sidebar, the rows' count (not where a
# list grows for ever) and the rows. The audit trail reads the names of the users that it mentions. Above the days stand
# their sums and a chart, above the lines their sums, beside them three filters by name, beside the products the filter
# by brand and their held prices, above the messages how many of each state there are and whether a channel pauses; each
# message has its decisions. Where rows have a PM or a brand, the list knows what the user looks after.
# Stockouts are filtered by the PMs and departments of open ones.
LISTS: dict[str, tuple[Callable[[int], Any], int]] = {
    "products_product": (makers.products, 9),
    "products_category": (makers.categories, 6),
    "products_crawlrun": (makers.runs, 6),
    "products_priceevent": (makers.events, 6),
    "products_quarantinedprice": (makers.held, 7),
    "products_alert": (makers.alerts, 6),
    "products_watch": (makers.watches, 6),
    "jobs_job": (makers.jobs, 6),
    "jobs_columnalias": (makers.aliases, 6),
    "sales_dayowner": (makers.sales_days, 8),
    "sales_alarm": (makers.sales_alarms, 6),
    "sales_salesline": (makers.sales_days, 10),
    "sales_target": (makers.targets, 6),
    "sales_campaign": (makers.campaigns, 6),
    "sales_daynote": (makers.notes, 6),
    "notifications_template": (messages.templates, 6),
    "notifications_outboxmessage": (messages.mails, 9),
    "notifications_subscription": (messages.subscriptions, 6),
    "notifications_chat": (messages.chats, 6),
    "vendors_vendor": (makers_vendors.vendors, 6),
    "vendors_vendoraddress": (makers_vendors.vendors, 6),
    "vendors_stockout": (makers_vendors.stockouts, 9),
    "vendors_stockoutbatch": (makers_vendors.batches, 6),
    "vendors_submission": (submissions, 6),
    "vendors_vendorsending": (make_sendings, 6),
    "vendors_vendormail": (make_sendings, 5),
    "ai_trendcategory": (makers.trend_lists, 6),
    "ai_trendlist": (makers.trend_lists, 6),
    "ai_search": (copy.searches, 6),
    "ai_generation": (copy.texts, 6),
    "ai_factsheet": (copy.sheets, 6),
    "ai_style": (copy.styles, 6),
    "ai_modelprice": (copy.prices, 6),
    "ai_budget": (copy.budgets, 6),
    "ai_call": (copy.calls, 5),
    "ai_phrase": (makers.phrases, 6),
    "accounts_user": (makers.users, 6),
    "accounts_apitoken": (makers.tokens, 6),
    "accounts_loginattempt": (makers.logins, 5),
    "saved_views_savedview": (makers.saved_views, 6),
    "system_cleanup": (makers.cleanups, 6),
    "system_rollout": (makers.rollouts, 6),
    "system_setting": (makers.settings, 6),
    "auditlog_logentry": (makers.trail, 6),
    "bot_telegramaccount": (messages.accounts, 6),
    "reports_report": (makers_reports.reports, 6),
    "reports_reportrun": (makers_reports.runs, 7),
    "django_celery_beat_periodictask": (makers.tasks, 6),
}
SCHEDULES = {f"django_celery_beat_{name}" for name in ("intervalschedule", "crontabschedule", "clockedschedule")}


def test_every_registered_model_is_measured() -> None:
    registered = {f"{model._meta.app_label}_{model._meta.model_name}" for model in admin.site._registry}

    assert registered == set(LISTS) | SCHEDULES


@pytest.mark.parametrize("name", LISTS)
def test_a_list_takes_the_same_queries_however_many_rows(
    name: str, as_boss: Client, django_assert_num_queries: Any
) -> None:
    """A page has 50 of 60 rows, so that a query for each would be seen."""
    make, expected = LISTS[name]
    url = reverse(f"admin:{name}_changelist")
    as_boss.get(url)  # content types are read once a process
    make(60)
    cache.clear()

    with django_assert_num_queries(expected):
        page = as_boss.get(url)

    assert page.status_code == 200
    assert len(page.context["cl"].result_list) >= 50


# Decided before a view, for all pages of the site; test_fuzz tries all lists. One of ours, one of a package.
@pytest.mark.parametrize("name", ["vendors_stockout", "django_celery_beat_periodictask"])
def test_a_nul_in_the_address_is_a_bad_request(name: str, as_boss: Client) -> None:
    url = reverse(f"admin:{name}_changelist")
    filters = as_boss.get(url).context["cl"].filter_specs
    asked = {"q", "o", "p", "nonsense", *(name for one in filters for name in one.expected_parameters())}

    for parameter in sorted(asked):
        assert as_boss.get(f"{url}?{parameter}=%00").status_code == 400, parameter
    assert as_boss.get(f"{url}?%00=1").status_code == 400
    assert as_boss.post(f"{url}?state=%00", {"action": "x"}).status_code == 400


def test_a_nul_in_what_is_typed_into_a_choice_is_a_bad_request(as_boss: Client) -> None:
    asked = {"app_label": "sales", "model_name": "salesline", "field_name": "product", "term": "\0"}

    assert as_boss.get(reverse("admin:autocomplete"), asked).status_code == 400


@pytest.mark.parametrize("name", sorted(SCHEDULES))
def test_the_schedules_can_be_listed(name: str, as_boss: Client) -> None:
    makers.tasks(3)

    assert as_boss.get(reverse(f"admin:{name}_changelist")).status_code == 200
    assert as_boss.get(reverse(f"admin:{name}_add")).status_code == 200


@pytest.mark.parametrize("rows", [10, 200])
def test_the_start_page_takes_the_same_queries_however_much_there_is(
    rows: int, as_boss: Client, django_assert_num_queries: Any
) -> None:
    makers.events(rows)
    as_boss.get(reverse("admin:index"))
    cache.clear()

    # Five of them ask what was done in this system, which is remembered for a day.
    with django_assert_num_queries(28):
        page = as_boss.get(reverse("admin:index"))

    assert page.status_code == 200


@pytest.mark.parametrize("rows", [3, 60])
def test_a_products_page_takes_the_same_queries_however_long_its_history(
    rows: int, as_boss: Client, django_assert_num_queries: Any
) -> None:
    one = makers.product()
    makers.spans(one, [1000 + number for number in range(rows)])
    url = reverse("admin:products_product_change", args=[one.pk])
    as_boss.get(url)
    cache.clear()

    with django_assert_num_queries(14):
        page = as_boss.get(url)

    assert len(page.context["spans"]) == min(rows, 50)


def test_a_runs_page_shows_suspect_categories_first(as_reader: Client) -> None:
    walk = makers.full_run()

    page = as_reader.get(reverse("admin:products_crawlrun_change", args=[walk.pk]))

    text = page.content.decode()
    assert page.status_code == 200
    assert text.index("分類002") < text.index("分類001")
    assert "&lt;b&gt;abc&lt;/b&gt;" in text
    assert "有分類可疑" in text


@pytest.mark.parametrize(
    "query",
    [
        "q=精華",
        "q=精華 山田",
        "q=10000001",
        "moved=down-24h",
        "moved=up-7d",
        "moved=nonsense",
        "status__exact=active",
        "price_from=100&price_to=950",
        "price_from=abc",
        "price_from=99999999999999",
        "o=2",
        "o=-6",
        "o=7.-5",
        "o=-10",
        "p=2",
    ],
)
def test_products_can_be_searched_filtered_and_sorted(query: str, as_reader: Client) -> None:
    makers.products(3)

    page = as_reader.get(f"{reverse('admin:products_product_changelist')}?{query}")

    assert page.status_code == 200
    assert page.context["cl"].result_count in {0, 1, 3}


def test_searching_finds_words_anywhere_in_name_brand_or_code(as_reader: Client) -> None:
    makers.product(1, name="胺基酸洗面乳", brand="植萃師")
    makers.product(2, name="藍牙耳機", brand="雲端客")
    url = reverse("admin:products_product_changelist")

    found = {
        q: as_reader.get(url, {"q": q}).context["cl"].result_count for q in ("洗面", "雲端", "10000002", "植萃 耳機")
    }

    assert found == {"洗面": 1, "雲端": 1, "10000002": 1, "植萃 耳機": 0}


def test_products_without_a_change_come_last_both_ways(as_reader: Client) -> None:
    makers.product(1, previous_price=None, price_changed_at=None)
    makers.product(2, previous_price=1000, price=900)
    makers.product(3, previous_price=1000, price=1200)
    url = reverse("admin:products_product_changelist")
    column = 1 + list(admin.site._registry[Product].list_display).index("moved")

    rising = [row.change for row in as_reader.get(f"{url}?o={column}").context["cl"].result_list]
    falling = [row.change for row in as_reader.get(f"{url}?o=-{column}").context["cl"].result_list]

    assert rising == [-100, 200, None]
    assert falling == [200, -100, None]


COLUMNS = {
    "product_id": "products_product_product_id",
    "label": "product_name",
    "brand": "product_brand",
    "current": "product_price",
    "moved": "product_change_",
    "moved_percent": "product_percent_",
    "changed": "product_changed",
}


@pytest.mark.parametrize("way", ["", "-"])
@pytest.mark.parametrize("column", COLUMNS)
def test_every_sortable_column_is_read_from_its_index(column: str, way: str, as_reader: Client) -> None:
    makers.products(3)
    model_admin = admin.site._registry[Product]
    place = 1 + list(model_admin.list_display).index(column)  # after the box that chooses a row
    page = as_reader.get(f"{reverse('admin:products_product_changelist')}?o={way}{place}")
    with connection.cursor() as cursor:
        # A table of three rows would be read and sorted at once; the question is whether it must be.
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off")

    plan = page.context["cl"].queryset.select_related(None)[:50].explain()

    assert set(COLUMNS) == set(model_admin.sortable_by)
    assert COLUMNS[column] in plan
    # The goods code is unique: ordering by the id after it sorts groups of one.
    assert not re.search("(?<!Incremental )Sort  ", plan)


def test_the_products_of_a_category_are_counted_in_their_index(as_reader: Client) -> None:
    makers.product(1)
    makers.product(2, status="delisted")
    counted = as_reader.get(reverse("admin:products_category_changelist")).context["cl"].queryset
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")

    assert [category.products_number for category in counted] == [1]
    assert "Index Only Scan using product_category_listed" in counted.explain()


def test_the_held_prices_are_listed_first(as_reader: Client) -> None:
    first, second = makers.held(2)
    type(first).objects.filter(pk=first.pk).update(status="rejected")
    url = reverse("admin:products_quarantinedprice_changelist")

    waiting = [row.pk for row in as_reader.get(url).context["cl"].result_list]
    everything = [row.pk for row in as_reader.get(f"{url}?state=all").context["cl"].result_list]

    assert waiting == [second.pk]
    assert everything == [second.pk, first.pk]


@pytest.mark.parametrize(
    "query", ["q=精華", "kind__exact=decrease&within=24h", "created_at_from=2026-01-01&created_at_to=2099-12-31"]
)
def test_events_can_be_filtered(query: str, as_reader: Client) -> None:
    makers.events(2)

    page = as_reader.get(f"{reverse('admin:products_priceevent_changelist')}?{query}")

    assert len(page.context["cl"].result_list) == 2


def test_events_by_what_became_of_them(as_reader: Client) -> None:
    silent = {"unwanted": "沒有人訂閱", "undone": "已變回原狀，不通知", "expired": "過期，不再通知"}
    waiting, notified, *others = (event.pk for event in makers.events(2 + len(silent)))
    PriceEvent.objects.exclude(pk=waiting).update(told_at=timezone.now())
    for name, pk in zip(silent, others, strict=True):
        PriceEvent.objects.filter(pk=pk).update(silence=name)
    url = reverse("admin:products_priceevent_changelist")

    for chosen, event in {"no": waiting, "yes": notified, **dict(zip(silent, others, strict=True))}.items():
        page = as_reader.get(f"{url}?told={chosen}")
        assert [row.pk for row in page.context["cl"].result_list] == [event]
        said = re.findall(r"field-notified[^>]*>\s*([^<]*?)\s*<", page.content.decode())
        assert silent.get(chosen) == (said[-1] if said[-1] in silent.values() else None)


def test_the_last_day_of_a_range_is_part_of_it(as_reader: Client) -> None:
    makers.events(1)
    event = as_reader.get(reverse("admin:products_priceevent_changelist")).context["cl"].result_list[0]
    day = event.created_at.astimezone().date().isoformat()

    page = as_reader.get(f"{reverse('admin:products_priceevent_changelist')}?created_at_to={day}")

    assert len(page.context["cl"].result_list) == 1


def test_empty_lists_say_so(as_boss: Client) -> None:
    page = as_boss.get(reverse("admin:products_product_changelist"))

    assert "還沒有商品" in page.content.decode()
