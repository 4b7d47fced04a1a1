"""Admin pages of clean-ups and restarts."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils import timezone

from accounts.models import LoginAttempt, User
from momo.system.models import Cleanup, Rollout
from momo.system.services.cleanup import run_cleanup
from tests.fakes.kubernetes import Kubernetes
from tests.kit.users import session_client

pytestmark = pytest.mark.django_db
PREVIEW, RESTART = "admin:system_cleanup_preview", "admin:system_rollout_restart"


def messages_of(answer: Any) -> str:
    return "；".join(str(message) for message in get_messages(answer.wsgi_request))


def test_a_clean_up_is_shown_before_it_starts(admin: User, manager: User) -> None:
    long_ago = timezone.now() - dt.timedelta(days=4000)
    LoginAttempt.objects.create(username="甲", address="::1", success=False, time=long_ago)
    boss = session_client(admin)
    shown = boss.get(reverse(PREVIEW)).content.decode()
    assert "會刪除 1 筆" in shown
    assert "登入紀錄" in shown
    assert not Cleanup.objects.exists()
    assert session_client(manager).post(reverse(PREVIEW)).status_code == 403

    answer = boss.post(reverse(PREVIEW))
    run = Cleanup.objects.get()
    assert answer["Location"] == reverse("admin:system_cleanup_change", args=[run.pk])
    assert (run.status, run.trigger, run.requested_by) == ("pending", "admin", admin)
    assert f"資料清理 {run} 還在進行" in messages_of(boss.post(reverse(PREVIEW)))
    run_cleanup(run.pk)
    assert "已刪除 1 筆" in boss.get(answer["Location"]).content.decode()
    assert "沒有過期的資料" in boss.get(reverse(PREVIEW)).content.decode()


def test_a_deployment_is_restarted_by_a_dialog(admin: User, settings: Any, tmp_path: Path) -> None:
    boss, given = session_client(admin), {"deployment": "momo-app", "_form_submitted": "True"}
    with Kubernetes() as cluster:
        settings.K8S_CONFIG_FILE = str(cluster.config(tmp_path))
        assert "momo-app" in boss.get(reverse(RESTART)).content.decode()
        assert "叢集裡沒有部署 momo-app" in messages_of(boss.post(reverse(RESTART), given))
        cluster.add("momo-app")
        assert "已開始重新啟動 momo-app" in messages_of(boss.post(reverse(RESTART), given))
        assert len(cluster.restarts) == 1
    assert list(Rollout.objects.order_by("pk").values_list("status", flat=True)) == ["failed", "pending"]
