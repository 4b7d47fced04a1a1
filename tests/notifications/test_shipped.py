"""The texts that come with the system."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Role
from notifications.models import Template, TemplateVersion
from notifications.services import shipped
from notifications.services.shipped import SHIPPED_NOTE, shipped_templates, write_after_migrate
from notifications.services.templates import render_event, restore_version, save_template, template_by_code
from notifications.templating.check import check_template
from notifications.templating.variables import declared, examples
from tests.kit.users import person

CODES = {
    "crawl_suspect",
    "disk_warning",
    "import_failed",
    "import_failed_mail",
    "import_finished",
    "import_finished_mail",
    "price_digest",
    "price_digest_mail",
    "price_watch",
    "system_alert",
    "todo_assigned",
    "vendor_escalation",
    "vendor_reminder",
    "sales_alarm",
    "vendor_replied",
    "vendor_replied_mail",
    "vendor_stockout",
}
# What the events bring; a text must not ask for another name.
BROUGHT = {
    "price_digest": "title total summary run_id time rises drops delisted new rise_count drop_count delisted_count "
    "new_count others other_count more workbook dashboard_url",
    "crawl_suspect": "run_id kind message categories url",
    "price_watch": "watcher total items more url",
    "import_finished": "job_id file_name type source message created updated skipped error_count errors errors_left "
    "url",
    "import_failed": "job_id file_name type source message held created updated skipped error_count errors errors_left "
    "url",
    "disk_warning": "usage_percent host path free_gb",
    "sales_alarm": "kind date count items more url",
    "system_alert": "title message severity",
    "todo_assigned": "actor items item_count more_count url",
    "vendor_replied": "vendor_name vendor_code person remark attachment time item_count restock_count "
    "substitute_count discontinued_count items more url",
    "vendor_stockout": "vendor_name items item_count more_count workbook link link_until reply_to note",
    "vendor_reminder": "vendor_name items item_count more_count workbook link link_until reply_to days",
    "vendor_escalation": "vendor_name items item_count more_count workbook link link_until reply_to days vendor_code "
    "contact phone",
}
BROUGHT |= {
    f"{code}_mail": BROUGHT[code] for code in ("price_digest", "import_finished", "import_failed", "vendor_replied")
}
AT = "2026-11-25T14:05:00+08:00"


def migrated() -> None:
    write_after_migrate(app_config=apps.get_app_config("notifications"), using="default")


def test_all_are_there() -> None:
    assert set(shipped_templates()) == CODES
    for code, names in BROUGHT.items():
        assert {variable["name"] for variable in shipped_templates()[code]["variables"]} == set(names.split())


@pytest.mark.parametrize("code", sorted(CODES))
def test_each_is_accepted_as_if_staff_had_written_it(code: str) -> None:
    content = shipped_templates()[code]
    check_template(**{name: content[name] for name in ("format", "subject", "body", "variables")})
    Template(code=code, **content).clean_fields()


@pytest.mark.django_db
@pytest.mark.parametrize("code", sorted(CODES))
def test_each_says_its_examples(code: str) -> None:
    template = template_by_code(code)
    assert (template.version, template.updated_by) == (1, None)
    assert template.versions.get().note == SHIPPED_NOTE
    values = examples(declared(template.variables))
    made, version = render_event(code, values)
    assert version == 1
    assert made.subject
    assert "\n\n\n" not in made.body
    texts = [value for value in values.values() if isinstance(value, str) and not value.startswith("http")]
    assert sum(text in made.subject + made.body for text in texts) >= len(texts) - 1  # a severity is shown as a sign


@pytest.mark.django_db
def test_a_digest_says_what_changed() -> None:
    rise = {
        "code": "1",
        "name": "A & B",
        "old_price": 1000,
        "new_price": 1100,
        "percent": 10,
        "url": "https://www.momoshop.com.tw/goods/GoodsDetail.jsp?i_code=1&x=2",
    }
    values: dict[str, Any] = {"title": "價格變動", "total": 1, "time": "2026-11-25T14:05:00+08:00", "rises": [rise]}
    made, _ = render_event("price_digest", {**values, "rise_count": 1, "summary": "漲 1"})
    assert made.subject == "價格變動：漲 1"
    assert made.body == (
        "<b>價格變動</b>\n2026-11-25 14:05，共 1 項：漲 1\n\n<b>📈 漲價 1 項</b>\n"
        '▲ <a href="https://www.momoshop.com.tw/goods/GoodsDetail.jsp?i_code=1&amp;x=2">A &amp; B</a>\n'
        "$1,000 → <b>$1,100</b>（+10%）\n"
    )


@pytest.mark.django_db
def test_a_digest_calls_stock_as_all_pages_do() -> None:
    others = [{"kind": str(kind), "name": "甲"} for kind in ("back_in_stock", "out_of_stock", "relisted")]
    values = {"title": "摘要", "total": 3, "time": AT, "others": others, "other_count": 3}

    assert render_event("price_digest", values)[0].body.splitlines()[-3:] == ["補貨：甲", "缺貨：甲", "重新上架：甲"]


@pytest.mark.django_db
@pytest.mark.parametrize(("workbook", "said"), [(True, "另有 13 項，請看附件的活頁簿。"), (False, "另有 13 項。")])
def test_a_digest_speaks_of_a_workbook_only_if_there_is_one(workbook: bool, said: str) -> None:
    values = {"title": "摘要", "total": 33, "time": AT, "more": 13, "workbook": workbook}

    assert render_event("price_digest", values)[0].body.splitlines()[-1] == said


def test_the_examples_of_a_digest_agree() -> None:
    values = examples(declared(shipped_templates()["price_digest"]["variables"]))

    lists = {"rises": "rise_count", "drops": "drop_count", "delisted": "delisted_count", "new": "new_count"}
    shown = {count: len(values[name]) for name, count in (lists | {"others": "other_count"}).items()}
    assert sum(values[count] for count in shown) == values["total"] == sum(shown.values()) + values["more"]
    assert values["summary"] == "漲 1、降 1、下架 1、新上架 1、供貨變化 1"
    assert not values["workbook"], "a test brings no file"


@pytest.mark.django_db
def test_migrating_again_writes_nothing() -> None:
    before = list(TemplateVersion.objects.order_by("pk").values())
    with CaptureQueriesContext(connection) as queries:
        migrated()
    assert not [query for query in queries if query["sql"].startswith(("INSERT", "UPDATE"))]
    assert list(TemplateVersion.objects.order_by("pk").values()) == before


@pytest.mark.django_db
def test_what_is_missing_is_written_after_the_notifications_app_only() -> None:
    Template.objects.filter(code="disk_warning").delete()
    write_after_migrate(app_config=apps.get_app_config("accounts"))
    write_after_migrate()
    assert not Template.objects.filter(code="disk_warning").exists()
    migrated()
    assert template_by_code("disk_warning").versions.get().number == 1


@pytest.fixture
def next_release(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """One whose text of disk_warning is another."""
    changed = {**shipped_templates()["disk_warning"], "title": "新的磁碟警告"}
    monkeypatch.setattr(shipped, "shipped_templates", lambda: {"disk_warning": changed})
    return changed


@pytest.mark.django_db
def test_a_new_release_renews_what_nobody_touched(next_release: dict[str, Any]) -> None:
    migrated()
    migrated()
    template = template_by_code("disk_warning")
    assert (template.title, template.version) == ("新的磁碟警告", 2)
    assert [version.note for version in template.versions.all()] == [SHIPPED_NOTE] * 2


@pytest.mark.django_db
def test_a_new_release_leaves_what_staff_wrote(next_release: dict[str, Any]) -> None:
    amy = person("amy", Role.MANAGER)
    template = save_template(template=template_by_code("disk_warning"), user=amy, title="我們的")
    migrated()
    assert (template_by_code("disk_warning").title, template.version) == ("我們的", 2)
    # Also what staff chose to have back, and when whoever did is gone.
    restore_version(version=template.versions.get(number=1), user=amy)
    amy.delete()
    migrated()
    template = template_by_code("disk_warning")
    assert (template.title, template.version) == ("磁碟空間警告", 3)


@pytest.mark.django_db
def test_without_its_tables_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection.introspection, "table_names", list)
    Template.objects.filter(code="disk_warning").delete()
    migrated()
    assert not Template.objects.filter(code="disk_warning").exists()
