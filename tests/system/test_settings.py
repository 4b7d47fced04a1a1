"""Settings in force: every setting is on the page, no secret is, and what admins change holds in all processes."""

from __future__ import annotations

import re
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from momo.core import thresholds as module
from momo.core.environment import Environment
from momo.core.thresholds import staff_settings, thresholds
from momo.system.meanings import meanings
from momo.system.models import Setting
from momo.system.selectors.settings import UNITS, settings_in_force, shown, source_of, stored_thresholds
from tests.admin.conftest import as_boss, boss  # noqa: F401
from tests.contract.test_readme import README, described_in_the_readme

PAGE = "admin:system_setting_changelist"


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thresholds come from their rows, as outside of tests."""
    monkeypatch.setattr(thresholds, "source", stored_thresholds)


def test_each_setting_has_its_meaning_once_and_a_unit_that_users_know() -> None:
    names = [name for group in meanings().values() for name in group]
    assert sorted(names) == sorted(described_in_the_readme())
    assert {setting.unit for setting in settings.ENVIRONMENT.settings.values()} <= {*UNITS, ""}
    listed = {row.name for _, rows in settings_in_force() for row in rows}
    assert listed | set(staff_settings()) == set(names)
    assert not listed & set(staff_settings())
    marked = re.findall(r"^\| (.*) ◆ \|", README, flags=re.MULTILINE)
    assert {name for cell in marked for name in re.findall(r"`(\w+)`", cell)} == set(staff_settings())


SECRETS = {
    "SECRET_KEY": "geheim" * 10,
    "DATABASE_URL": "postgresql://momo:geheim@db:5432/momo?password=geheim",
    "REDIS_URL": "rediss://:geheim@[::1]:6379/2",
    "EMAIL_URL": "smtp+tls://bot:geheim@mail.tw",
    "OLLAMA_URL": "http://ai:geheim@gpu:11434",
    "API_KEY": "geheim",
}


def test_no_secret_is_shown() -> None:
    env = Environment(SECRETS)
    env("SECRET_KEY", secret=True)
    env.database("DATABASE_URL", default="postgresql://momo:geheim@127.0.0.1/momo")
    env.url("REDIS_URL", default="redis://:geheim@127.0.0.1", schemes=("redis", "rediss"), secret=True)
    env.checked("EMAIL_URL", lambda url: None, example="")
    env.url("OLLAMA_URL", default="http://localhost")
    env("API_KEY", default="geheim", secret=True)
    found = {name: (shown(one), shown(one, default=True)) for name, one in env.settings.items()}
    assert "geheim" not in str(found)
    assert found["DATABASE_URL"][0] == "postgresql://momo:••••••@db:5432/momo"
    assert found["REDIS_URL"][0] == "rediss://:••••••@[::1]:6379/2"


def test_the_source_of_a_value_is_named() -> None:
    env = Environment({"A": "7", "B": " 8 ", "C": ""})
    for name in "ABC":
        env.int(name, default=1, most=9, unit="days")
    assert [source_of(one, {"B": "8", "A": "6"}) for one in env.settings.values()] == ["環境變數", ".env", "預設值"]
    assert shown(env.settings["A"]) == "7 天"


@pytest.mark.usefixtures("stored", "db")
def test_what_is_stored_is_in_force_within_its_bounds_and_costs_a_query_every_few_seconds(
    django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert thresholds.CRAWL_REMIND_DAYS == settings.CRAWL_REMIND_DAYS == 3
    Setting.objects.filter(name="CRAWL_REMIND_DAYS").update(value=0)
    Setting.objects.filter(name="DIGEST_MAX_LINES").update(value=51)  # before its bounds were narrower
    with django_assert_num_queries(0):
        assert thresholds.CRAWL_REMIND_DAYS == 3
    monkeypatch.setattr(module, "SECONDS", -1.0)
    thresholds.forget()
    assert (thresholds.CRAWL_REMIND_DAYS, thresholds.DIGEST_MAX_LINES) == (0, 20)
    with pytest.raises(AttributeError, match="CRAWL_SHARDS"):
        _ = thresholds.CRAWL_SHARDS


@pytest.mark.usefixtures("stored", "db")
def test_a_database_that_fails_leaves_the_thresholds_of_before(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import connection, transaction

    monkeypatch.setattr(module, "SECONDS", -1.0)
    Setting.objects.filter(name="CRAWL_REMIND_DAYS").update(value=9)
    assert thresholds.CRAWL_REMIND_DAYS == 9
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE system_setting RENAME TO away")
        assert thresholds.CRAWL_REMIND_DAYS == 9
        with connection.cursor() as cursor:  # the caller's transaction goes on
            cursor.execute("ALTER TABLE away RENAME TO system_setting")


@pytest.mark.usefixtures("db")
def test_rows_are_made_once_and_what_admins_stored_stays() -> None:
    assert set(Setting.objects.values_list("name", flat=True)) == set(staff_settings())
    Setting.objects.filter(name="CRAWL_REMIND_DAYS").update(value=9)
    Setting.objects.filter(name="DIGEST_MAX_LINES").delete()
    call_command("migrate", "system", verbosity=0)
    assert Setting.objects.get(name="CRAWL_REMIND_DAYS").value == 9
    assert Setting.objects.get(name="DIGEST_MAX_LINES").value is None


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize(("name", "value"), [("DIGEST_MAX_LINES", 51), ("DIGEST_MAX_LINES", 0), ("GONE", 1)])
def test_what_the_environment_would_refuse_is_refused(name: str, value: int) -> None:
    with pytest.raises(ValidationError) as refused:
        Setting(name=name, value=value).full_clean()
    assert "value" in refused.value.message_dict


def test_admins_change_thresholds_in_place(
    as_boss: Client,  # noqa: F811
    django_capture_on_commit_callbacks: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(thresholds, "source", stored_thresholds)
    rows = list(as_boss.get(reverse(PAGE)).context["cl"].result_list)
    chosen = next(row for row in rows if row.name == "CRAWL_REMIND_DAYS")
    form = {"form-TOTAL_FORMS": len(rows), "form-INITIAL_FORMS": len(rows), "_save": "儲存"}
    form |= {f"form-{number}-id": row.pk for number, row in enumerate(rows)}
    field = f"form-{rows.index(chosen)}-value"

    refused = as_boss.post(reverse(PAGE), {**form, field: "366"}).content.decode()
    assert "請輸入 0 到 365 之間的整數" in refused
    with django_capture_on_commit_callbacks(execute=True):
        assert as_boss.post(reverse(PAGE), {**form, field: "14"}).status_code == 302
    assert thresholds.CRAWL_REMIND_DAYS == 14
    page = as_boss.get(reverse(PAGE)).content.decode()
    assert re.search(r"14 天", page)
    assert LogEntry.objects.get_for_object(chosen).latest("pk").changes == {"value": ["None", "14"]}
