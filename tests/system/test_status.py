"""The state of the system: in the API, on its page and on the start page; limits of containers; data that are old."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisAway

from accounts.models import Role
from momo.local.processes import free_port
from momo.system.queues import broker
from momo.system.selectors import host as hosts
from momo.system.selectors.host import host, in_words
from momo.system.tasks import check_freshness
from notifications.models import OutboxMessage, Subscription
from products.models import CrawlRun
from tests.admin import makers
from tests.kit.users import person, session_client

PATH = "/api/system/status"


@pytest.fixture
def fresh(db: None) -> CrawlRun:
    """A crawl of now, and sales of yesterday."""
    makers.brought(makers.sold(f"{timezone.localdate() - timedelta(days=1)}"))
    return makers.run(seen=12)


def age(run: CrawlRun, **since: float) -> None:
    CrawlRun.objects.filter(pk=run.pk).update(finished_at=timezone.now() - timedelta(**since))


@pytest.mark.parametrize("rows", [1, 9])
def test_status(
    rows: int, api: Client, fresh: CrawlRun, beat: Callable[..., None], django_assert_num_queries: Any
) -> None:
    beat("one@a", "crawl", "default")
    broker().delete("imports")  # what other tests have left
    broker().rpush("imports", "a", "b")
    makers.runs(rows)
    newest = makers.run(seen=7)
    try:
        with django_assert_num_queries(7):  # the token, PostgreSQL, a crawl, an import, and the newest of both
            body = api.get(PATH).json()
    finally:
        broker().delete("imports")
    assert all(0 <= body[f"{name}_percent"] <= 100 for name in ("cpu", "memory", "disk"))
    assert body["queues"]["imports"] == 2
    assert [(worker["name"], worker["queues"]) for worker in body["workers"]] == [("one@a", ["crawl", "default"])]
    assert (body["last_crawl"]["run_id"], body["last_crawl"]["seen"]) == (newest.pk, 7)
    assert body["last_import"]["status"] == "succeeded"
    assert body["database_bytes"] > 1_000_000
    assert {kind["kind"]: kind["stale"] for kind in body["freshness"]} == {"prices": False, "sales": False}


def test_status_without_redis(api: Client, settings: Any) -> None:
    settings.CELERY_BROKER_URL = f"redis://127.0.0.1:{free_port()}/0"
    body = api.get(PATH).json()
    assert (body["queues"], body["versions"]["redis"]) == (None, None)
    assert (body["last_crawl"], [kind["at"] for kind in body["freshness"]]) == (None, [None, None])
    with pytest.raises(RedisAway):
        broker().ping()


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(days=5, hours=3), "5 days"),
        (timedelta(days=1), "1 day"),
        (timedelta(hours=23, minutes=59), "23 hours"),
        (timedelta(minutes=1, seconds=59), "1 minute"),
        (timedelta(seconds=59), "less than a minute"),
    ],
)
def test_uptime_in_words(span: timedelta, words: str) -> None:
    assert in_words(span) == words


def test_limits_of_a_container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The smallest of our own cgroup and those above it; caches that the kernel can take back are not used."""
    own = tmp_path / "kubepods" / "pod1"
    own.mkdir(parents=True)
    files = {
        tmp_path / "cpu.max": "max 100000",
        own.parent / "memory.max": str(2**28),
        own.parent / "memory.current": str(2**27 + 2**26),
        own.parent / "memory.stat": f"anon 1\ninactive_file {2**26}\n",
        own / "memory.max": "max",
        own / "cpu.max": "25000 100000",
        own / "cpu.stat": "usage_usec 1000\n",
    }
    for file, text in files.items():
        file.write_text(text)
    (tmp_path / "self").write_text("12:memory:/old\n0::/kubepods/pod1\n")
    monkeypatch.setattr(hosts, "CGROUPS", tmp_path)
    monkeypatch.setattr(hosts, "OWN_CGROUP", tmp_path / "self")
    found = host()
    assert (found.limited, found.cpus, found.cpu_percent) == (True, 0.25, 0.0)
    assert (found.memory_total, found.memory_percent) == (2**28, 50.0)
    (tmp_path / "self").write_text("12:memory:/old\n")
    assert host().limited is False


def test_old_data_are_alerted_once(fresh: CrawlRun, admin: Any, settings: Any) -> None:
    settings.SALES_FRESH_HOURS = 0
    Subscription.objects.create(event="system_alert", channel="email", address="boss@example.com")
    age(fresh, hours=5)
    check_freshness()
    assert not OutboxMessage.objects.exists()
    age(fresh, hours=7)
    check_freshness()
    check_freshness()
    [message] = OutboxMessage.objects.all()
    assert "價格太久沒有更新" in message.subject
    age(fresh, hours=6.5)
    check_freshness()
    assert OutboxMessage.objects.count() == 2, "another crawl, which is old again"


def test_pages(fresh: CrawlRun, beat: Callable[..., None], settings: Any) -> None:
    client = session_client(person("amy", Role.USER))
    assert "太久沒有更新" not in client.get("/admin/").content.decode()
    age(fresh, hours=7)
    settings.SALES_FRESH_HOURS = 1
    home = client.get("/admin/").content.decode()
    assert "價格、銷售日報太久沒有更新" in home
    assert "/admin/system/status/" in home
    beat("one@a", "crawl", "default", "imports", "messages")
    page = client.get("/admin/system/status/").content.decode()
    for text in ("太舊", "one@a", "已運作", "處理器", f"#{fresh.pk}", "正常", "PostgreSQL"):
        assert text in page
