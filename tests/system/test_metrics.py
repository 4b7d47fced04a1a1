"""/metrics: who may read it, what it says, and that Prometheus takes it, its rules and the dashboard."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client import REGISTRY, CollectorRegistry, Histogram, generate_latest

from accounts.models import LoginAttempt, User
from ai.models import Budget
from momo.celery import queues
from momo.local.processes import free_port
from momo.system.middleware import measure_queries, observe_all
from momo.system.queues import OUTCOMES_KEY, broker
from momo.system.tasks import check_freshness
from tests.admin import makers
from tests.ai.makers import call
from tests.kit.users import person

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "deploy/prometheus/rules.yaml"
DASHBOARD = ROOT / "deploy/grafana/dashboard.json"
TOKEN = "a-token-of-Prometheus"
QUERIES = 36  # of six parts a savepoint, a time limit and its release; theirs; five of the outbox


def scraped() -> str:
    response = Client().get("/metrics")
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain; version=")
    return response.content.decode()


def figures(text: str) -> dict[str, float]:
    lines = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in lines}


@pytest.fixture
def world(db: None, beat: Callable[..., None]) -> None:
    """A few rows of everything; some of each are too old to count."""
    user, now = person("caller"), timezone.now()
    makers.brought(makers.sold("2026-01-30"))
    makers.brought(makers.sold("2026-01-31", quantity="三"))
    makers.run(verdict="ok", error_count=3)
    for status in ("succeeded", "failed"):
        call(user, status=status)
    call(user, started_at=now - timedelta(hours=25))
    Budget.objects.create(amount=1)
    Budget.objects.create(amount=3, month=timezone.localdate().replace(day=1))
    Budget.objects.create(amount=2, user=user, provider="ollama")
    for minutes in (1, 59, 61):
        LoginAttempt.objects.create(
            time=now - timedelta(minutes=minutes), address="192.0.2.1", success=False, reason="wrong_password"
        )
    beat("one@a", "crawl", "default")
    broker().delete(OUTCOMES_KEY, *queues())
    check_freshness.apply()


def test_what_it_says(world: None) -> None:
    found = figures(scraped())
    assert found['momo_up{server="database"}'] == found['momo_up{server="broker"}'] == 1
    assert found['momo_workers{queue="crawl"}'] == 1
    assert found['momo_workers{queue="imports"}'] == 0
    assert found['momo_queue_tasks{queue="messages"}'] == 0
    assert found['momo_tasks_total{outcome="success",task="system.check_freshness"}'] == 1
    assert (found["momo_crawl_last_errors"], found["momo_crawl_last_duration_seconds"]) == (3, 180)
    assert found['momo_crawl_age_seconds{verdict="ok"}'] < 60
    assert found['momo_freshness_objective_seconds{kind="prices"}'] == 6 * 3600
    assert (found['momo_imports{status="succeeded"}'], found['momo_imports{status="failed"}']) == (1, 1)
    assert found['momo_ai_calls{provider="gemini",status="failed"}'] == 1
    assert found['momo_ai_tokens{direction="input",provider="gemini"}'] == 200
    assert found['momo_ai_cost{currency="USD",provider="gemini"}'] == 0.5
    left = {labels: value for labels, value in found.items() if labels.startswith("momo_ai_budget_left")}
    assert left == {
        'momo_ai_budget_left{currency="USD",provider="",user=""}': float(3 - 3 * Decimal("0.25")),
        'momo_ai_budget_left{currency="USD",provider="ollama",user="caller"}': 2,
    }
    assert found['momo_login_attempts{outcome="wrong_password"}'] == 2
    assert found['momo_outbox_messages{channel="email",status="held"}'] == 0


@pytest.mark.parametrize("more", [0, 5])
def test_queries(more: int, world: None, django_assert_num_queries: Any) -> None:
    for number in range(more):
        Budget.objects.create(amount=1, user=person(f"spender{number}"))
        makers.run(verdict="suspect")
    with django_assert_num_queries(QUERIES):
        scraped()


def test_prometheus_takes_it_and_knows_what_rules_and_dashboard_ask_for(world: None) -> None:
    Client().get("/login")
    text = scraped()
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    # The package's own names break two of Prometheus's conventions; ours none.
    said = checked.stdout + checked.stderr
    assert [line for line in said.splitlines() if line and not line.startswith("django_")] == []
    checked = subprocess.run(["promtool", "check", "rules", RULES], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    expressions = re.findall(r"^ +(?:- )?expr: .+(?:\n {12,}.+)*", RULES.read_text(), flags=re.MULTILINE)
    dashboard = json.loads(DASHBOARD.read_text())
    expressions += [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    asked = {name for text in expressions for name in re.findall(r"\b(?:momo|django)_[a-z_]+", text)}
    known = set(re.findall(r"^# TYPE (\S+)", text, flags=re.MULTILINE))
    known |= {f"{name}{end}" for name in known for end in ("_bucket", "_sum", "_count", "_total")}
    assert len(asked) > 25
    assert asked - known == set()


def test_who_may_read_it(settings: Any) -> None:
    """Without a database, which this test may not use: who is refused costs nothing."""
    settings.METRICS_NETWORKS = []
    refused = Client().get("/metrics")
    assert (refused.status_code, refused["Content-Type"]) == (403, "text/plain; charset=utf-8")
    settings.METRICS_TOKEN = TOKEN
    for given in (
        {},
        {"Authorization": "Bearer "},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": "Bearer 不對"},
    ):
        refused = Client(headers=given).get("/metrics")
        assert (refused.status_code, refused["WWW-Authenticate"]) == (401, 'Bearer realm="metrics"')
        assert TOKEN.encode() not in refused.content


@pytest.mark.django_db
def test_who_has_the_token_or_comes_from_a_network(settings: Any) -> None:
    settings.METRICS_NETWORKS, settings.METRICS_TOKEN, settings.TRUSTED_PROXIES = [], TOKEN, 1
    assert Client(headers={"Authorization": f"Bearer {TOKEN}"}).get("/metrics").status_code == 200
    settings.METRICS_NETWORKS = [ip_network("2001:db8::/32"), ip_network("10.42.0.0/16")]
    for address, status in (("10.42.3.4", 200), ("10.43.3.4", 401), ("2001:db8::1", 200), ("::ffff:10.42.0.1", 200)):
        assert Client(headers={"X-Forwarded-For": address}).get("/metrics").status_code == status, address


def test_without_database_and_redis(settings: Any, monkeypatch: pytest.MonkeyPatch, django_db_setup: None) -> None:
    monkeypatch.setitem(connections.settings["default"], "PORT", free_port())
    settings.CELERY_BROKER_URL = f"redis://127.0.0.1:{free_port()}/0"
    found = figures(scraped())
    assert found['momo_up{server="database"}'] == found['momo_up{server="broker"}'] == 0
    assert [name for name in found if name.startswith("momo_crawl")] == []


def test_several_amounts_are_observed_as_each_alone() -> None:
    """Those on a bound, and beyond the last one, too."""
    registries = CollectorRegistry(), CollectorRegistry()
    alone, together = (Histogram("seconds", "of a query", buckets=(0.25, 0.5, 1), registry=one) for one in registries)
    amounts = [0.125, 0.25, 0.5, 0.5, 0.75, 8]
    for amount in amounts:
        alone.observe(amount)
    observe_all(together, amounts)
    said = [[line for line in generate_latest(one).splitlines() if b"_created" not in line] for one in registries]
    assert said[0] == said[1]
    assert b'seconds_bucket{le="0.5"} 4.0' in said[1]


def test_every_query_is_counted_in_requests_and_outside_of_them(api: Client) -> None:
    def counted() -> float:
        labels = {"alias": "default", "vendor": "postgresql"}
        return REGISTRY.get_sample_value("django_db_query_duration_seconds_count", labels) or 0

    measure_queries(connection)  # as the site does with each that it opens
    before = counted()
    with CaptureQueriesContext(connection) as asked:
        assert api.get("/api/products").status_code == 200
    assert counted() == before + len(asked) > before
    User.objects.count()
    assert counted() == before + len(asked) + 1


@pytest.mark.django_db
def test_invented_methods_and_paths_make_no_series_of_their_own() -> None:
    for name in ("BREW", "STIR", "POUR"):
        Client().generic(name, f"/{name}")
    text = scraped()
    assert "<invalid method>" in text
    assert not re.search("BREW|STIR|POUR", text)
