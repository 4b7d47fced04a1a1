"""Old rows of the outbox: decisions that were lines of a reason, and mails that were only kept as files."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.apps.registry import Apps
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from notifications.models import OutboxMessage, Pace

pytestmark = pytest.mark.long  # all apps go back and forth, for migrations that never change again
BEFORE = "0003_troubles_and_lists"
DUE, ENDED = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC)
KEPT = "沒有設定 EMAIL_URL，郵件存成檔案 2026-11-25/1-0123456789abcdef.eml"
RELEASED = "由 王 小明 確認對方沒有收到，重新寄送（此前：550 （由 甲 取消））"
CANCELLED = "由 系統 取消"


def migrate(name: str = "") -> Apps:
    """Migrate notifications to a state, or all apps to the newest, which other tests need. Returns models."""
    executor = MigrationExecutor(connection)
    # Apps above this one lose their tables on the way back.
    targets = [("notifications", name)] if name else executor.loader.graph.leaf_nodes()
    executor.migrate(targets)
    return executor.loader.project_state(targets).apps


@pytest.fixture
def old(transactional_db: Any) -> Any:
    """Writes messages as they were."""
    message = migrate(BEFORE).get_model("notifications", "OutboxMessage")

    def write(key: str, reason: str, status: str) -> None:
        message.objects.create(
            channel="email",
            key=key,
            event="e",
            recipient="a@b.test",
            status=status,
            reason=reason,
            due_at=DUE,
            sent_at=ENDED if status == "sent" else None,
            finished_at=ENDED if status != "pending" else None,
        )

    yield write
    migrate()


def test_decisions_become_rows_and_lines_again(old: Any) -> None:
    reasons = {
        "none": ("550 No such user", "failed"),
        "again": (f"由 王小明 重新寄送（此前：421）\n{RELEASED}\n451 later", "pending"),
        "ended": (CANCELLED, "cancelled"),
        "server": ("由 伺服器 拒絕", "failed"),
    }
    for key, (reason, status) in reasons.items():
        old(key, reason, status)

    migrate()
    messages = {one.key: one for one in OutboxMessage.objects.all()}
    assert {key: one.history() for key, one in messages.items()} == {
        key: reason.split("\n") for key, (reason, _) in reasons.items()
    }
    assert {key: one.reason for key, one in messages.items()} == {
        "none": "550 No such user",
        "again": "451 later",
        "ended": "",
        "server": "由 伺服器 拒絕",
    }
    first, second = messages["again"].decisions.all()
    assert (first.kind, first.name, first.user, first.reason) == ("retry", "王小明", None, "421")
    assert (second.kind, second.name, second.reason) == ("release", "王 小明", "550 （由 甲 取消）")
    assert second.decided_at == DUE
    assert messages["ended"].decisions.get().decided_at == ENDED

    rows = migrate(BEFORE).get_model("notifications", "OutboxMessage").objects
    assert dict(rows.values_list("key", "reason")) == {key: reason for key, (reason, _) in reasons.items()}


def test_mails_that_were_only_kept_are_unsent(old: Any) -> None:
    old("kept", KEPT, "sent")
    old("again", f"{RELEASED}\n{KEPT}", "sent")
    old("sent", "250 Ok", "sent")
    reason = "還沒有設定 EMAIL_URL，郵件留著等待寄出"
    Pace.objects.create(channel="email", troubles=3, troubled_since=DUE, reason=reason)

    migrate()
    messages = {one.key: one for one in OutboxMessage.objects.all()}
    found = {key: (one.status, one.sent_at, one.finished_at, one.history()) for key, one in messages.items()}
    assert found == {
        "kept": ("unsent", None, None, []),
        "again": ("unsent", None, None, [RELEASED]),
        "sent": ("sent", ENDED, ENDED, ["250 Ok"]),
    }
    pace = Pace.objects.get()
    assert (pace.troubles, pace.troubled_since, pace.reason) == (0, None, "")
