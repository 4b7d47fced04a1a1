"""Who sees and does what: user reads, manager works, admin does everything."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Role
from accounts.roles import permission_ids
from momo.jobs.models import ColumnAlias
from products.models import Alert, CrawlRun, PriceEvent, Product, QuarantinedPrice
from sales.models import DayOwner, SalesLine
from tests.admin import makers, makers_reports, makers_vendors
from tests.admin import makers_notifications as messages
from tests.ai import makers as copy

SHARED = [
    "products_product",
    "products_category",
    "products_crawlrun",
    "products_priceevent",
    "products_quarantinedprice",
    "products_alert",
    "products_watch",
    "jobs_job",
    "jobs_columnalias",
    "sales_dayowner",
    "sales_salesline",
    "sales_target",
    "sales_campaign",
    "sales_daynote",
    "vendors_submission",
    "notifications_template",
    "notifications_outboxmessage",
    "notifications_subscription",
    "notifications_chat",
    "vendors_vendor",
    "vendors_vendoraddress",
    "vendors_stockout",
    "vendors_stockoutbatch",
    "vendors_vendorsending",
    "vendors_vendormail",
    "ai_trendcategory",
    "ai_trendlist",
    "ai_search",
    "ai_phrase",
    "ai_generation",
    "ai_factsheet",
    "ai_call",
    "bot_telegramaccount",
    "sales_alarm",
    "saved_views_savedview",
    "reports_report",
    "reports_reportrun",
]
ADMIN_ONLY = [
    "accounts_user",
    "accounts_apitoken",
    "accounts_loginattempt",
    "system_cleanup",
    "system_rollout",
    "auditlog_logentry",
    "django_celery_beat_periodictask",
    "system_setting",
]


@pytest.fixture
def clients(as_reader: Client, as_manager: Client, as_boss: Client) -> dict[str, Client]:
    return {"user": as_reader, "manager": as_manager, "admin": as_boss}


def test_each_role_may_what_those_below_it_may(db: None) -> None:
    """So that what users read is asked as a user only; the other tests of pages ask as an admin."""
    assert permission_ids(Role.USER) < permission_ids(Role.MANAGER) < permission_ids(Role.ADMIN)


def test_everybody_reads_what_is_shared(as_reader: Client) -> None:
    makers.events(1)
    makers.held(1)
    makers.full_run()
    makers.aliases(1)
    makers.brought(makers.sold("2026-01-29"))
    messages.mails(3)
    messages.subscriptions(1)

    read = {name: as_reader.get(reverse(f"admin:{name}_changelist")).status_code for name in SHARED}

    assert read == dict.fromkeys(read, 200)


@pytest.mark.parametrize("name", ADMIN_ONLY)
def test_people_tokens_logins_trail_and_schedule_are_the_admins(name: str, clients: dict[str, Client]) -> None:
    url = reverse(f"admin:{name}_changelist")

    assert {role: client.get(url).status_code for role, client in clients.items()} == {
        "user": 403,
        "manager": 403,
        "admin": 200,
    }


def test_the_sidebar_offers_only_what_may_be_opened(clients: dict[str, Client]) -> None:
    pages = {role: client.get(reverse("admin:index")).content.decode() for role, client in clients.items()}

    for name in ADMIN_ONLY:
        url = f'href="{reverse(f"admin:{name}_changelist")}"'
        assert {role: url in page for role, page in pages.items()} == {"user": False, "manager": False, "admin": True}


@pytest.mark.parametrize(
    "make",
    [
        lambda: makers.product(),
        lambda: makers.category(),
        lambda: makers.full_run(),
        lambda: makers.held(1)[0],
        lambda: (makers.events(1), PriceEvent.objects.get())[1],
        lambda: (makers.alerts(1), Alert.objects.get())[1],
        lambda: makers.brought(makers.sold("2026-01-29", quantity="三")),
        lambda: (makers.aliases(1), ColumnAlias.objects.get())[1],
        lambda: (makers.brought(makers.sold("2026-01-29")), DayOwner.objects.get())[1],
        lambda: (makers.brought(makers.sold("2026-01-29")), SalesLine.objects.get())[1],
        lambda: messages.template(),
        lambda: messages.mail("held"),
        lambda: messages.subscription(),
        lambda: messages.chat(),
        lambda: makers_vendors.vendors(1)[0],
        lambda: makers_vendors.stockouts(1)[0],
        lambda: makers_vendors.batches(1)[0],
        lambda: makers_vendors.mails(1)[0],
        lambda: makers_vendors.mails(1)[0].sending,
        lambda: makers.phrases(1)[0],
        lambda: copy.sheets(1)[0],
        lambda: makers_reports.runs(1)[0],
        lambda: makers_reports.runs(1)[0].report,
    ],
)
def test_every_page_of_one_thing_can_be_read_by_everybody(make: Any, as_reader: Client) -> None:
    thing = make()
    url = reverse(f"admin:{thing._meta.label_lower.replace('.', '_')}_change", args=[thing.pk])

    assert as_reader.get(url).status_code == 200


@pytest.mark.parametrize("name", [*SHARED, "accounts_loginattempt", "auditlog_logentry", "system_setting"])
def test_nobody_adds_what_the_system_writes(name: str, as_boss: Client) -> None:
    written_by_people = {
        "products_category",
        "products_watch",
        "jobs_columnalias",
        "sales_campaign",
        "sales_daynote",
        "reports_report",
        "notifications_template",
        "notifications_subscription",
        "notifications_chat",
        "vendors_vendor",
        "ai_trendcategory",
        "ai_phrase",
        "ai_factsheet",
    }
    expected = 200 if name in written_by_people else 403

    assert as_boss.get(reverse(f"admin:{name}_add")).status_code == expected


@pytest.mark.parametrize("name", ["notifications_template", "notifications_subscription", "notifications_chat"])
def test_managers_say_what_is_told_and_to_whom(name: str, as_manager: Client, as_reader: Client) -> None:
    url = reverse(f"admin:{name}_add")

    assert (as_manager.get(url).status_code, as_reader.get(url).status_code) == (200, 403)


def test_a_manager_writes_the_note_and_nothing_else(as_manager: Client) -> None:
    one = makers.product(price=900)
    url = reverse("admin:products_product_change", args=[one.pk])

    answer = as_manager.post(url, {"note": "月底檔期", "price": "1", "name": "換名字"})

    one.refresh_from_db()
    assert answer.status_code == 302
    assert (one.note, one.price, one.name) == ("月底檔期", 900, "保濕精華液 1")


def test_a_note_does_not_undo_what_a_crawl_writes_meanwhile(as_manager: Client, monkeypatch: Any) -> None:
    one = makers.product(price=900)
    save = Product.save

    def not_the_whole_row(self: Product, *args: Any, **kwargs: Any) -> None:
        assert kwargs["update_fields"] == ["note"], "the whole row would be written"
        save(self, *args, **kwargs)

    monkeypatch.setattr(Product, "save", not_the_whole_row)
    as_manager.post(reverse("admin:products_product_change", args=[one.pk]), {"note": "備"})
    monkeypatch.setattr(Product, "save", save)

    one.refresh_from_db()
    assert one.note == "備"


def test_a_user_cannot_write_the_note(as_reader: Client) -> None:
    one = makers.product()

    answer = as_reader.post(reverse("admin:products_product_change", args=[one.pk]), {"note": "x"})

    one.refresh_from_db()
    assert answer.status_code == 403
    assert one.note == ""


@pytest.mark.parametrize("action", ["accept", "reject"])
def test_a_user_cannot_decide_prices(action: str, as_reader: Client) -> None:
    (held,) = makers.held(1)

    answer = as_reader.post(
        reverse(f"admin:products_quarantinedprice_{action}", args=[held.pk]), {"_form_submitted": "True"}
    )

    held.refresh_from_db()
    assert answer.status_code == 403
    assert held.status == QuarantinedPrice.Status.HELD
    assert f"/{action}/" not in as_reader.get(reverse("admin:products_quarantinedprice_changelist")).content.decode()


def test_a_user_cannot_decide_many_at_once(as_reader: Client) -> None:
    (held,) = makers.held(1)

    as_reader.post(
        reverse("admin:products_quarantinedprice_changelist"),
        {"action": "accept_selected", "_selected_action": [held.pk]},
    )

    held.refresh_from_db()
    assert held.status == QuarantinedPrice.Status.HELD


def test_a_user_cannot_start_a_crawl(as_reader: Client) -> None:
    makers.category()

    answer = as_reader.post(reverse("admin:products_crawlrun_crawl_now"), {"_form_submitted": "True"})

    assert answer.status_code == 403
    assert not CrawlRun.objects.exists()
    assert "crawl_now" not in as_reader.get(reverse("admin:products_crawlrun_changelist")).content.decode()


@pytest.mark.parametrize("action", ["enable", "disable", "crawl", "confirm_closed"])
def test_a_user_cannot_change_categories(action: str, as_reader: Client) -> None:
    one = makers.category()

    as_reader.post(reverse("admin:products_category_changelist"), {"action": action, "_selected_action": [one.pk]})
    edited = as_reader.post(reverse("admin:products_category_change", args=[one.pk]), {"name": "x"})

    one.refresh_from_db()
    assert edited.status_code == 403
    assert (one.enabled, one.name) == (True, "分類001")
    assert not CrawlRun.objects.exists()


def test_a_user_exports_categories_but_does_not_import_them(clients: dict[str, Client]) -> None:
    bring, take = reverse("admin:products_category_import"), reverse("admin:products_category_export")

    assert {role: (c.get(bring).status_code, c.get(take).status_code) for role, c in clients.items()} == {
        "user": (403, 200),
        "manager": (200, 200),
        "admin": (200, 200),
    }


def test_a_category_that_was_crawled_cannot_be_deleted(as_manager: Client) -> None:
    used, fresh = makers.category("1100100001"), makers.category("1100100002")
    makers.product(category=used)

    answers = [
        as_manager.post(reverse("admin:products_category_delete", args=[one.pk]), {"post": "yes"}).status_code
        for one in (used, fresh)
    ]

    assert answers == [403, 302]


def test_without_a_session_the_front_door_is_shown(client: Client, db: None) -> None:
    answer = client.get(reverse("admin:products_product_changelist"))

    assert answer.status_code == 302
    assert client.get(answer["Location"])["Location"].startswith("/login?next=")


def test_a_user_does_not_teach_names_of_columns(clients: dict[str, Client]) -> None:
    makers.aliases(1)
    one = ColumnAlias.objects.get()
    page = {name: reverse(f"admin:jobs_columnalias_{name}") for name in ("add", "import", "export")}
    change = reverse("admin:jobs_columnalias_change", args=[one.pk])

    refused = clients["user"].post(change, {"target": "daily_sales:cost", "alias": "別的"})
    statuses = {role: [client.get(url).status_code for url in page.values()] for role, client in clients.items()}

    one.refresh_from_db()
    assert refused.status_code == 403
    assert one.alias == "金額0"
    assert statuses == {"user": [403, 403, 200], "manager": [200, 200, 200], "admin": [200, 200, 200]}
