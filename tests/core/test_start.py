"""Tasks are started by name, once, on commit, and a broker that is away is no failure unless a caller must know."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.db import transaction

from momo.core.errors import Unavailable
from momo.core.work import require_task, start_task, start_task_on_commit


def test_a_task_is_sent_by_its_name(sent: list[Any]) -> None:
    assert start_task("a.task", 1, "x", task_id="a-1")
    assert sent == [("a.task", [1, "x"], {"task_id": "a-1"})]


def test_a_broker_that_is_away_is_a_line_in_the_log(broken_broker: None, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert not start_task("a.task", 1)
    assert "a.task" in caplog.text
    assert "broker is away" in caplog.text


def test_a_caller_that_must_know_gets_an_error_with_advice(broken_broker: None) -> None:
    with pytest.raises(Unavailable, match=r"訊息佇列.*沒有開始") as caught:
        require_task("a.task", advice="價格更新沒有開始")
    assert caught.value.retry_after == 5


@pytest.mark.usefixtures("no_broker")
def test_a_broker_that_is_really_away() -> None:
    assert not start_task("a.task")
    with pytest.raises(Unavailable):
        require_task("a.task")


@pytest.mark.django_db(transaction=True)
class TestOnCommit:
    def test_equal_starts_are_one(self, sent: list[Any]) -> None:
        with transaction.atomic():
            for _ in range(2):
                start_task_on_commit("a.task", "email")
            start_task_on_commit("a.task", "telegram")
            start_task_on_commit("a.task", "email", countdown=60)
            assert sent == []
        assert [(args, options) for _, args, options in sent] == [
            (["email"], {}),
            (["telegram"], {}),
            (["email"], {"countdown": 60}),
        ]

    def test_each_transaction_has_its_own(self, sent: list[Any]) -> None:
        for _ in range(2):
            with transaction.atomic():
                start_task_on_commit("a.task")
        start_task_on_commit("a.task")
        assert len(sent) == 3

    def test_a_transaction_that_is_rolled_back_starts_nothing(self, sent: list[Any]) -> None:
        with transaction.atomic():
            start_task_on_commit("a.task")
            transaction.set_rollback(True)
        assert sent == []

    @pytest.mark.parametrize("again", [True, False])
    def test_a_savepoint_that_is_rolled_back(self, sent: list[Any], again: bool) -> None:
        with transaction.atomic():
            with transaction.atomic():
                start_task_on_commit("a.task")
                transaction.set_rollback(True)
            if again:
                start_task_on_commit("a.task")
        assert len(sent) == again

    def test_a_broker_that_is_away_breaks_no_commit(self, broken_broker: None) -> None:
        with transaction.atomic():
            start_task_on_commit("a.task")
