"""Reports come, come again and are undone in any order: the rows are as the reports in force alone make them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import transaction
from hypothesis import Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from momo.core.errors import Conflict
from tests.vendors.reports import Row, out, publish, undo
from vendors.models import Stockout, StockoutBatch, Vendor

pytestmark = pytest.mark.django_db

# A product is of one department; a vendor has products of several.
DEPARTMENTS = {"1": "美妝", "2": "美妝", "3": "居家", "4": ""}
KEYS = st.tuples(st.sampled_from(("A", "B")), st.sampled_from(tuple(DEPARTMENTS)))
REPORTS = st.tuples(st.lists(KEYS, min_size=1, max_size=5), st.sampled_from((False, False, False, True)))
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("import"), REPORTS),
        st.tuples(st.just("again"), st.integers(0, 9)),
        st.tuples(st.just("undo"), st.integers(0, 9)),
    ),
    min_size=2,
    max_size=10,
)


@dataclass
class Report:
    """What one file said, and the imports that brought it and are in force."""

    keys: list[tuple[str, str]]
    departments: set[str]  # empty: all
    partial: bool
    holders: list[StockoutBatch] = field(default_factory=list)

    def overlaps(self, other: Report) -> bool:
        return not self.departments or not other.departments or bool(self.departments & other.departments)


@dataclass
class Line:
    key: tuple[str, str]
    report: Report
    original: Line | None = None
    closed_by: Report | None = None


def replay(reports: list[Report]) -> list[Line]:
    """The rows that reports make, one after the other."""
    lines: list[Line] = []
    still: dict[tuple[str, str], Line] = {}
    for report in reports:
        for key, line in list(still.items()):
            covered = not report.departments or DEPARTMENTS[key[1]] in report.departments
            if covered and not report.partial and key not in report.keys:
                del still[key]
                for one in lines:
                    if one is line or one.original is line:
                        one.closed_by = report
        for key in report.keys:
            line = Line(key, report, still.get(key))
            lines.append(line)
            still.setdefault(key, line)
    return lines


@dataclass
class Ledger:
    with_departments: bool  # whether reports have that column
    reports: list[Report] = field(default_factory=list)
    imports: list[tuple[StockoutBatch, Report]] = field(default_factory=list)
    files: list[Any] = field(default_factory=list)

    def in_force(self) -> list[Report]:
        return [report for report in self.reports if report.holders]

    def bring(self, file: Any) -> None:
        keys, partial = file
        departments = {DEPARTMENTS[product] for _, product in keys} if self.with_departments else set()
        report = Report(keys, departments if any(departments) else set(), partial)
        before = next((one for one in reversed(self.in_force()) if one.overlaps(report)), None)
        rows = [row(vendor, product, self.with_departments) for vendor, product in keys]
        batch, outcome = publish(rows, made=None, partial=partial)
        same = before is not None and sorted(before.keys) == sorted(keys) and before.partial <= partial
        same = same and before is not None and before.departments == report.departments
        if same and before is not None:
            assert (batch.same_as, outcome.skipped) == (before.holders[0], len(keys))
            report = before
        else:
            self.reports.append(report)
        report.holders.append(batch)
        self.imports.append((batch, report))

    def take_back(self, batch: StockoutBatch, report: Report) -> None:
        if batch not in report.holders:
            with pytest.raises(Conflict):
                undo(batch)
            return
        undo(batch)
        report.holders.remove(batch)

    def check(self) -> None:
        made = replay(self.in_force())
        wanted = sorted(
            (
                line.key,
                line.report.holders[0].pk,
                line.original.report.holders[0].pk if line.original else 0,
                line.closed_by.holders[0].pk if line.closed_by else 0,
            )
            for line in made
        )
        found = sorted(
            (
                (line.vendor.code, line.product_code),
                line.batch_id,
                line.duplicate_of.batch_id if line.duplicate_of else 0,
                line.resolved_batch_id or 0,
            )
            for line in Stockout.objects.select_related("vendor", "duplicate_of")
        )
        assert found == wanted
        closed = Stockout.objects.filter(status="resolved").count()
        assert closed == sum(line.closed_by is not None for line in made)
        assert set(Vendor.objects.values_list("code", flat=True)) == {line.key[0] for line in made}
        for report in self.in_force():
            batch = StockoutBatch.objects.get(pk=report.holders[0].pk)
            mine = [line for line in made if line.report is report]
            counts = (
                sum(line.original is None for line in mine),
                sum(line.original is not None and line.original.report is not report for line in mine),
                sum(line.original is None and line.closed_by is report for line in made),
            )
            assert (batch.new_count, batch.still_count, batch.recovered_count) == counts


def row(vendor: str, product: str, with_department: bool) -> Row:
    department = {"department": DEPARTMENTS[product]} if with_department else {}
    return out(product, vendor, **department)


@hypothesis_settings(phases=[Phase.reuse, Phase.generate])
@given(steps=STEPS, with_departments=st.booleans())
def test_any_sequence(steps: list[tuple[str, Any]], with_departments: bool) -> None:
    with transaction.atomic():
        ledger = Ledger(with_departments)
        for step, what in steps:
            if step == "import":
                ledger.files.append(what)
                ledger.bring(what)
            elif step == "again" and ledger.files:
                ledger.bring(ledger.files[what % len(ledger.files)])
            elif step == "undo" and ledger.imports:
                ledger.take_back(*ledger.imports[what % len(ledger.imports)])
            ledger.check()
        # And all the way back.
        for batch, report in reversed(ledger.imports):
            ledger.take_back(batch, report)
            ledger.check()
        assert not Stockout.objects.exists()
        transaction.set_rollback(True)
