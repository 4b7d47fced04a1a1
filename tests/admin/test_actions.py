"""Actions of lists and pages."""

from __future__ import annotations

from typing import Any

import pytest
from auditlog.models import LogEntry
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from momo.core.errors import Unavailable
from products.admin import crawls as crawl_admin
from products.models import Category, CrawlRun, CrawlShard, PriceEvent, Product, QuarantinedPrice
from products.services.quarantine import reject_price
from tests.admin import makers
from tests.products.factories import Runs, absent, category, item

YES = {"_form_submitted": "True"}


@pytest.fixture
def sent(monkeypatch: Any) -> list[int]:
    """Shards handed to the workers, without a broker."""
    found: list[int] = []
    monkeypatch.setattr(CrawlShard, "enqueue", lambda shard: found.append(shard.pk) or True)
    return found


def message_text(answer: Any) -> str:
    return "；".join(str(message) for message in get_messages(answer.wsgi_request))


def test_asking_for_a_crawl_only_asks(as_manager: Client, sent: list[int]) -> None:
    makers.category()

    answer = as_manager.get(reverse("admin:products_crawlrun_crawl_now"))

    assert "開始更新價格" in answer.content.decode()
    assert not CrawlRun.objects.exists()


def test_a_manager_starts_a_crawl(
    as_manager: Client, manager: Any, sent: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    makers.category()

    with django_capture_on_commit_callbacks(execute=True):
        answer = as_manager.post(reverse("admin:products_crawlrun_crawl_now"), YES)

    run = CrawlRun.objects.get()
    assert answer["Location"] == reverse("admin:products_crawlrun_change", args=[run.pk])
    assert (run.trigger, run.requested_by) == (CrawlRun.Trigger.ADMIN, manager)
    assert len(sent) == 1
    assert f"價格更新 #{run.pk} 已開始" in message_text(answer)


def test_a_dialog_is_led_on_by_a_header(as_manager: Client, sent: list[int]) -> None:
    makers.category()

    answer = as_manager.post(reverse("admin:products_crawlrun_crawl_now"), YES, headers={"HX-Request": "true"})

    assert answer.headers["HX-Redirect"] == reverse("admin:products_crawlrun_change", args=[CrawlRun.objects.get().pk])


def test_a_second_crawl_is_not_started(as_manager: Client, sent: list[int]) -> None:
    makers.category()
    as_manager.post(reverse("admin:products_crawlrun_crawl_now"), YES)

    answer = as_manager.post(reverse("admin:products_crawlrun_crawl_now"), YES)

    assert CrawlRun.objects.count() == 1
    assert "還在進行" in message_text(answer)


def test_nothing_to_crawl_is_said(as_manager: Client, sent: list[int]) -> None:
    answer = as_manager.post(reverse("admin:products_crawlrun_crawl_now"), YES)

    assert "沒有啟用的分類" in message_text(answer)


def test_a_missing_broker_is_said(as_manager: Client, monkeypatch: Any) -> None:
    makers.category()

    def refuse(**kwargs: Any) -> None:
        raise Unavailable("訊息佇列（Redis）", "價格更新沒有開始")

    monkeypatch.setattr(crawl_admin, "start_run", refuse)

    answer = as_manager.post(reverse("admin:products_crawlrun_crawl_now"), YES)

    assert "訊息佇列（Redis）目前無法使用，價格更新沒有開始" in message_text(answer)


def test_chosen_categories_are_crawled(as_manager: Client, sent: list[int]) -> None:
    first, _ = makers.category("1100100001"), makers.category("1100100002")

    as_manager.post(reverse("admin:products_category_changelist"), {"action": "crawl", "_selected_action": [first.pk]})

    assert CrawlRun.objects.get().shards.get().category_codes == ["1100100001"]


def test_a_category_that_is_off_is_named(as_manager: Client, sent: list[int]) -> None:
    off = makers.category("1100100001", enabled=False)

    answer = as_manager.post(
        reverse("admin:products_category_changelist"), {"action": "crawl", "_selected_action": [off.pk]}
    )

    assert "1100100001" in message_text(answer)
    assert not CrawlRun.objects.exists()


def test_categories_are_switched_on_and_off(as_manager: Client) -> None:
    ids = [makers.category(f"110010000{n}").pk for n in range(3)]
    url = reverse("admin:products_category_changelist")

    off = as_manager.post(url, {"action": "disable", "_selected_action": ids[:2]})
    switched_off = Category.objects.filter(enabled=False).count()
    on = as_manager.post(url, {"action": "enable", "_selected_action": ids})

    assert (switched_off, Category.objects.filter(enabled=False).count()) == (2, 0)
    assert "已停用 2 個分類" in message_text(off)
    assert "已啟用 2 個分類" in message_text(on)


def test_goods_of_a_category_that_is_switched_off_are_not_shown_as_on_sale(as_manager: Client) -> None:
    Runs().run({category(): [item("1000001")]})
    url = reverse("admin:products_product_changelist")
    assert "停止更新" not in as_manager.get(url).content.decode()
    Category.objects.update(enabled=False)
    assert "停止更新" in as_manager.get(url).content.decode()


def test_somebody_confirms_that_a_category_is_closed(as_manager: Client) -> None:
    runs, home = Runs(), category()
    codes = [f"20000{n:02}" for n in range(10)]
    runs.run({home: [item(code) for code in codes]})
    runs.run({home: [absent(code) for code in codes[:5]] + [item(code) for code in codes[5:]]})
    url = reverse("admin:products_category_changelist")

    done = as_manager.post(url, {"action": "confirm_closed", "_selected_action": [home.pk]})
    again = as_manager.post(url, {"action": "confirm_closed", "_selected_action": [home.pk]})

    assert f"已確認「{home.name}」：5 件商品下架" in message_text(done)
    assert "沒有等待確認的商品" in message_text(again)
    assert Product.objects.filter(status="delisted").count() == 5
    assert LogEntry.objects.get_for_object(home).filter(action=1, changes__has_key="gone_confirmed_at").count() == 1


def test_a_running_crawl_has_a_bar_to_follow(as_reader: Client) -> None:
    walk = makers.run(status="running", verdict="", finished_at=None)
    pages = [
        reverse("admin:index"),
        reverse("admin:products_crawlrun_changelist"),
        reverse("admin:products_crawlrun_change", args=[walk.pk]),
    ]

    for page in pages:
        text = as_reader.get(page).content.decode()
        assert f'data-crawl-run="{walk.pk}" data-status-url="/api/system/crawler/status"' in text


def test_the_bars_address_answers_what_the_script_reads(as_reader: Client) -> None:
    walk = makers.run(status="running", verdict="", finished_at=None)

    data = as_reader.get("/api/system/crawler/status").json()["data"]

    assert data["running"]["run_id"] == walk.pk
    assert {"percent", "pages", "pages_expected", "items"} <= data["running"]["progress"].keys()
    assert data["workers_alive"] == 0


def test_a_manager_accepts_a_price(as_manager: Client, manager: Any) -> None:
    (held,) = makers.held(1)
    url = reverse("admin:products_quarantinedprice_accept", args=[held.pk])

    asked = as_manager.get(url)
    held.refresh_from_db()
    still = held.status
    answer = as_manager.post(url, YES)

    held.refresh_from_db()
    assert "採用這個價格" in asked.content.decode()
    assert (still, held.status, held.decided_by) == ("held", "accepted", manager)
    assert held.product.price == 90
    assert "已採用" in message_text(answer)


def test_a_manager_rejects_a_price(as_manager: Client) -> None:
    (held,) = makers.held(1)

    as_manager.post(reverse("admin:products_quarantinedprice_reject", args=[held.pk]), YES)

    held.refresh_from_db()
    assert held.status == "rejected"
    assert held.product.price == 900


def test_deciding_twice_is_said(as_manager: Client) -> None:
    (held,) = makers.held(1)
    reject_price(held=held, user=None)

    answer = as_manager.post(reverse("admin:products_quarantinedprice_accept", args=[held.pk]), YES)

    assert "已經處理過了" in message_text(answer)
    assert held.product.price == 900


@pytest.mark.parametrize(("action", "status"), [("accept_selected", "accepted"), ("reject_selected", "rejected")])
def test_many_prices_at_once(action: str, status: str, as_manager: Client) -> None:
    held = makers.held(3)
    reject_price(held=held[2], user=None)

    answer = as_manager.post(
        f"{reverse('admin:products_quarantinedprice_changelist')}?state=all",
        {"action": action, "_selected_action": [row.pk for row in held]},
    )

    assert QuarantinedPrice.objects.filter(pk__in=[held[0].pk, held[1].pk], status=status).count() == 2
    assert "2 個價格" in message_text(answer)
    assert "1 個先前已經處理過" in message_text(answer)
    assert PriceEvent.objects.count() == (2 if action == "accept_selected" else 0)


def test_a_dialog_leads_back_to_its_page_but_never_elsewhere(as_manager: Client) -> None:
    first, second = makers.held(2)
    url = "admin:products_quarantinedprice_reject"
    page = "http://testserver/admin/products/quarantinedprice/?reason__exact=jump"

    back = as_manager.post(reverse(url, args=[first.pk]), YES, headers={"HX-Request": "true", "HX-Current-URL": page})
    away = as_manager.post(
        reverse(url, args=[second.pk]), YES, headers={"HX-Request": "true", "HX-Current-URL": "https://evil.example/"}
    )

    assert back.headers["HX-Redirect"] == page
    assert away.headers["HX-Redirect"] == reverse("admin:products_quarantinedprice_changelist")


@pytest.mark.parametrize("kind", ["all", "changes", "delisted"])
def test_the_export_buttons_lead_to_the_workbooks(kind: str, as_reader: Client) -> None:
    answer = as_reader.get(reverse(f"admin:products_product_export_{kind}"))

    assert answer["Location"] == f"/api/export/excel/{kind}"


def test_a_pause_of_a_schedule_reaches_the_scheduler(as_boss: Client) -> None:
    from django_celery_beat.models import PeriodicTask, PeriodicTasks

    makers.tasks(1)
    task = PeriodicTask.objects.latest("id")
    PeriodicTasks.update_changed()
    before = PeriodicTasks.last_change()

    as_boss.post(
        reverse("admin:django_celery_beat_periodictask_changelist"),
        {"action": "disable", "_selected_action": [task.pk]},
    )

    task.refresh_from_db()
    assert not task.enabled
    assert PeriodicTasks.last_change() > before


def test_a_schedule_is_saved_with_the_task_it_had(as_boss: Client) -> None:
    from django_celery_beat.models import PeriodicTask

    makers.tasks(1)
    task = PeriodicTask.objects.latest("id")
    url = reverse("admin:django_celery_beat_periodictask_change", args=[task.pk])
    initial = as_boss.get(url).context["adminform"].form

    answer = as_boss.post(
        url,
        {
            "name": task.name,
            "regtask": initial["regtask"].value(),
            "task": initial["task"].value(),
            "enabled": "on",
            "interval": task.interval_id,
            "args": "[]",
            "kwargs": "{}",
        },
    )

    task.refresh_from_db()
    assert answer.status_code == 302
    assert task.task == "products.start_crawl"
