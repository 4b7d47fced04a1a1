"""Counts of many tables in one query."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models import Exists, OuterRef, Q

from accounts.models import LoginAttempt, User
from momo.core import counting
from momo.core.counting import count_all
from tests.admin import makers


@pytest.mark.django_db
def test_all_parts_are_counted_by_one_query(django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    makers.users(4)
    users = User.objects.all()
    without = users.filter(~Exists(LoginAttempt.objects.filter(user=OuterRef("pk"))), username__in=["nobody", "100%"])

    with django_assert_num_queries(1):
        counted = count_all(
            [users, (users.filter(role="user"), users.exclude(role="user")), users.filter(pk__in=[]), without, ()]
        )
    with django_assert_num_queries(0):
        assert count_all([]) == []

    assert counted == [users.count(), users.count(), 0, 0, 0]
    assert users.count() >= 4
    monkeypatch.setattr(counting, "MOST", 3)
    assert count_all([users.filter(Q(pk__gt=0)).order_by("-pk")]) == [3]
