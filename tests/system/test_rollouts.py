"""Restarts of deployments, ordered and watched with the maker's client at a stand-in for the cluster."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.conf import settings as project
from django.test import Client
from django.utils import timezone

from accounts.models import User
from momo.local.http import Answer, json_answer
from momo.system.cluster import _configuration
from momo.system.models import Rollout
from momo.system.services.rollouts import run_rollout, sweep_rollouts
from notifications.models import Channel, OutboxMessage, Subscription
from tests.fakes.kubernetes import Kubernetes, failure
from tests.kit.users import token_client

pytestmark = pytest.mark.django_db
PATH = "/api/system/k8s/restart"


@pytest.fixture
def cluster(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kubernetes]:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setattr("momo.system.services.rollouts.POLL", 0)
    with Kubernetes() as made:
        made.add("momo-app")
        settings.K8S_CONFIG_FILE = str(made.config(tmp_path))
        settings.K8S_TIMEOUT = 1
        yield made


@pytest.fixture
def boss(admin: User) -> Client:
    return token_client(admin)


def restart(client: Client, deployment: str = "momo-app") -> Any:
    return client.post(PATH, {"deployment": deployment}, content_type="application/json")


@pytest.fixture
def ordered(cluster: Kubernetes, boss: Client) -> Rollout:
    Subscription.objects.create(event="system_alert", channel=Channel.EMAIL, address="ops@example.com")
    answer = restart(boss)
    assert answer.status_code == 202, answer.content
    return Rollout.objects.get(pk=answer.json()["data"]["rollout_id"])


def watched(rollout: Rollout) -> Rollout:
    found = run_rollout(rollout.pk)
    assert found is not None
    return found


def test_a_restart_is_watched_until_every_pod_is_new(ordered: Rollout, cluster: Kubernetes, boss: Client) -> None:
    assert (ordered.status, ordered.message) == ("pending", "3 個 pod，3 個已更新，3 個可用")
    assert cluster.restarts == [("momo-app", ordered.started_at.isoformat(timespec="seconds"))]
    assert restart(boss).status_code == 409, "one at a time"

    done = watched(ordered)

    assert (done.status, done.message) == ("done", "3 個 pod，3 個已更新，3 個可用")
    assert [request.method for request in cluster.requests] == ["PATCH", "GET", "GET", "GET", "GET"], "0 to 3 new pods"
    assert OutboxMessage.objects.get().subject == "momo-app 已重新啟動"
    entry = LogEntry.objects.get_for_model(Rollout).get()
    assert (entry.actor, entry.changes["deployment"][1]) == (ordered.requested_by, "momo-app")
    assert restart(boss).status_code == 202


def test_a_killed_watcher_is_replaced_and_nothing_restarts_twice(ordered: Rollout, cluster: Kubernetes) -> None:
    """Killed also between the cluster's answer and our record of it, where the order is repeated."""
    silent = timezone.now() - timedelta(seconds=project.SYSTEM_HEARTBEAT_TIMEOUT + 1)
    Rollout.objects.update(status="running", attempt=2, heartbeat_at=silent, ordered_at=None)
    sweep_rollouts()
    assert watched(ordered).status == "done"
    assert len(cluster.restarts) == 1


@pytest.mark.parametrize(
    ("answer", "status", "code", "words"),
    [
        (failure(403, "Forbidden"), 502, "UPSTREAM_ERROR", "權限"),
        (failure(401, "Unauthorized"), 502, "UPSTREAM_ERROR", "服務帳號"),
        (failure(404, "NotFound"), 404, "NOT_FOUND", "沒有部署 momo-app"),
        (failure(409, "Conflict"), 409, "CONFLICT", "別的變更"),
        (failure(500, "InternalError"), 502, "UPSTREAM_ERROR", "HTTP 500"),
        (Answer(drop=True), 502, "UPSTREAM_ERROR", "連不上"),
        (Answer(delay=1.2), 502, "UPSTREAM_ERROR", "等不到回答"),
        (json_answer({"kind": "Deployment"}), 502, "UPSTREAM_ERROR", "不是一個部署"),
        (Answer(b"<html>"), 502, "UPSTREAM_ERROR", "不是一個部署"),
    ],
)
def test_a_refusal_says_why_and_ends_the_restart(
    answer: Answer, status: int, code: str, words: str, cluster: Kubernetes, boss: Client
) -> None:
    cluster.answers = [answer]
    found = restart(boss)
    body = found.json()
    assert (found.status_code, body["code"]) == (status, code)
    assert words in body["error"]
    assert (Rollout.objects.get().status, Rollout.objects.get().message) == ("failed", body["error"])
    assert len(cluster.requests) == 1, "no second try"


def test_no_cluster_and_no_such_name(settings: Any, cluster: Kubernetes, boss: Client, tmp_path: Path) -> None:
    assert restart(boss, "other").status_code == 403
    broken = tmp_path / "broken"
    broken.write_text("{")
    for place in (str(broken), str(tmp_path / "none")):
        settings.K8S_CONFIG_FILE = place
        answer = restart(boss)
        assert (answer.status_code, answer.json()["code"]) == (503, "UNAVAILABLE")
        assert "K8S_CONFIG_FILE" in answer.json()["error"]
    assert cluster.requests == []


def test_what_cannot_become_ready(ordered: Rollout, cluster: Kubernetes, boss: Client, settings: Any) -> None:
    cluster.answers = [failure(503, "ServiceUnavailable"), Answer(drop=True)]
    cluster.stuck = True
    deployment = cluster.deployments["momo-app"]
    given_up = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "timed out"}
    deployment["status"]["conditions"] = [given_up]
    failed = watched(ordered)
    assert (failed.status, failed.message) == ("failed", "叢集放棄了：timed out")
    assert OutboxMessage.objects.get().subject == "momo-app 重新啟動失敗"

    deployment["status"]["conditions"] = []
    settings.ROLLOUT_TIMEOUT = 0
    restart(boss)
    late = watched(Rollout.objects.latest("pk"))
    assert (late.status, "0 秒後還沒有就緒" in late.message) == ("timed_out", True)

    cluster.deployments["momo-app"]["spec"]["paused"] = True
    restart(boss)
    cluster.requests.clear()
    settings.ROLLOUT_TIMEOUT = 60
    assert "paused" in watched(Rollout.objects.latest("pk")).message


def test_a_pod_uses_its_service_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, content in (("TOKEN", "secret"), ("CERT", "certificate")):
        file = tmp_path / name
        file.write_text(content)
        monkeypatch.setattr(f"kubernetes.config.incluster_config.SERVICE_{name}_FILENAME", str(file))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    found = _configuration()
    assert (found.host, found.ssl_ca_cert) == ("https://10.0.0.1:443", str(tmp_path / "CERT"))


@pytest.mark.long
def test_the_client_is_loaded_with_the_first_restart_only() -> None:
    program = "import django, sys; django.setup(); import momo.urls; print('kubernetes' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert out.stdout.split() == ["False"]
