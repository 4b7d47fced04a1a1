"""The board and the scores, beside what plain Python makes of the same rows."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from statistics import median
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from tests.vendors.makers import make_batch, make_stockout, make_vendor
from vendors.models import Stockout, Vendor
from vendors.selectors.board import AGES, OPEN_ROWS, WAITS, age_condition, board, wait_condition
from vendors.selectors.score import scores

NOW = timezone.now()
HOURS = st.integers(0, 24 * 20)

one_row = st.fixed_dictionaries(
    {
        "status": st.sampled_from(Stockout.Status.values),
        "pm": st.sampled_from(["", "王小明", "李"]),
        "vendor": st.integers(0, 2),
        "hours": HOURS,
        "monthly_sales": st.none() | st.integers(0, 3000),
        "price": st.none() | st.integers(1, 5000),
        "notified": st.none() | HOURS,
        "answered": st.none() | HOURS,
        "resolved": HOURS,
        "duplicate": st.booleans(),
    }
)


def _write(rows: list[dict[str, Any]], vendors: list[Vendor]) -> list[Stockout]:
    batch, first = make_batch(published_at=NOW), None
    made = []
    for row in rows:
        created = NOW - timedelta(hours=row["hours"])
        notified = None if row["notified"] is None else created + timedelta(hours=row["notified"])
        answered = None if row["answered"] is None or notified is None else notified + timedelta(hours=row["answered"])
        resolved = row["status"] == "resolved"
        made.append(
            make_stockout(
                vendors[row["vendor"]],
                batch,
                status=row["status"],
                pm=row["pm"],
                created_at=created,
                monthly_sales=row["monthly_sales"],
                price=row["price"],
                notified_at=notified,
                answered_at=answered,
                resolved_at=created + timedelta(hours=row["resolved"]) if resolved else None,
                resolved_reason="not_listed" if resolved else "",
                duplicate_of=first if row["duplicate"] else None,
            )
        )
        first = first or made[0]
    return made


def _days(since: datetime, until: datetime) -> float:
    return (until - since).total_seconds() / 86400


def _lost(rows: list[Stockout]) -> tuple[float, int]:
    known = [row for row in rows if row.monthly_sales is not None and row.price is not None]
    amount = 0.0
    for row in known:
        amount += (row.monthly_sales or 0) / 30 * (row.price or 0) * _days(row.created_at, row.resolved_at or NOW)
    return amount, len(rows) - len(known)


class BoardAgrees(TestCase):
    """Any rows: the board, the lists that its figures lead to, and the scores."""

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(one_row, max_size=12))
    def test_figures(self, given_rows: list[dict[str, Any]]) -> None:
        vendors = [make_vendor() for _ in range(3)]
        rows = [row for row in _write(given_rows, vendors) if row.duplicate_of is None]
        opened = [row for row in rows if row.status != "resolved"]
        shown = board(now=NOW)

        assert shown.total.rows == len(opened) == Stockout.objects.filter(OPEN_ROWS).count()
        lost, unknown = _lost(opened)
        assert abs(shown.total.lost - lost) <= 2 * len(AGES) * len(WAITS)  # each group is rounded
        assert shown.total.unknown == unknown
        for who, (_, statuses) in WAITS.items():
            count = sum(row.status in statuses for row in opened)
            assert shown.total.counts[who] == count == Stockout.objects.filter(wait_condition(who)).count()
        assert {group.key: group.rows for group in shown.groups["pm"]} == Counter(row.pm for row in opened)
        assert {g.key: g.rows for g in shown.groups["vendor"]} == Counter(row.vendor.code for row in opened)
        for group in shown.groups["age"]:
            assert group.rows == Stockout.objects.filter(OPEN_ROWS, age_condition(group.key, now=NOW)).count()

        found = {score.vendor_id: score for score in scores(now=NOW)}
        assert set(found) == {row.vendor_id for row in rows}
        for vendor, score in found.items():
            self._check_score(score, [row for row in rows if row.vendor_id == vendor])

    def _check_score(self, score: Any, rows: list[Stockout]) -> None:
        answers = [_days(row.notified_at, row.answered_at) * 24 for row in rows if row.answered_at and row.notified_at]
        restocks = [_days(row.created_at, row.resolved_at) * 24 for row in rows if row.resolved_at]
        due = [row for row in rows if row.notified_at and (row.answered_at or _days(row.notified_at, NOW) >= 3)]
        assert (score.rows, score.open_rows) == (len(rows), sum(row.status != "resolved" for row in rows))
        assert score.hours_to_answer == (pytest.approx(median(answers)) if answers else None)
        assert score.hours_to_restock == (pytest.approx(median(restocks)) if restocks else None)
        assert score.never_answered == (bool(due) and not answers)
        assert (score.due, score.in_time) == (len(due), sum(hours <= 72 for hours in answers))
        lost, unknown = _lost(rows)
        assert score.lost == pytest.approx(lost, abs=1)
        assert score.unknown == unknown
