"""Whatever is imported, imported again, corrected and undone: totals are the sums of the lines in force."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from momo.core.errors import Conflict
from momo.jobs.models import Job
from sales.models import DayClaim, DayOwner, SalesLine
from sales.selectors.lines import lines_of
from tests.sales.factories import Row, publish, sale, totals, undo

pytestmark = pytest.mark.django_db

AMOUNTS = st.decimals("-500", "500", places=2)
ROWS = st.builds(
    sale,
    days=st.sampled_from((0, 1, 2, 29, 30)),  # the last two are of another month
    amount=AMOUNTS,
    quantity=st.integers(-3, 3),
    code=st.sampled_from(("1", "2", "0003")),
    brand=st.sampled_from(("甲", "乙", "其他", "", None)),
    pm=st.sampled_from(("王", None)),
    category=st.sampled_from(("美妝", None)),
    vendor_code=st.sampled_from(("01", None)),
    cost=st.none() | AMOUNTS,
)
FILES = st.lists(ROWS, min_size=1, max_size=6)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("import"), FILES),
        st.tuples(st.just("again"), st.integers(0, 9)),
        st.tuples(st.just("undo"), st.integers(0, 9)),
    ),
    min_size=1,
    max_size=9,
)


@dataclass
class Import:
    """One import as it should be: the rows of the days that it brought."""

    job: Job
    days: dict[date, list[Row]]
    undone: bool = False


@dataclass
class Book:
    """What should be in force, kept by the simplest of means."""

    imports: list[Import] = field(default_factory=list)
    lines: int = 0  # that were ever written

    def owner(self, day: date) -> Import | None:
        return next((one for one in reversed(self.imports) if day in one.days and not one.undone), None)

    def in_force(self) -> dict[date, Import]:
        days = {day for one in self.imports for day in one.days}
        return {day: owner for day in days if (owner := self.owner(day)) is not None}

    def totals(self) -> list[tuple[Any, ...]]:
        """As `factories.totals` reads them."""
        sums: dict[tuple[int, date, str, str], list[Row]] = defaultdict(list)
        for day, owner in self.in_force().items():
            for row in owner.days[day]:
                keys = {name: row[name] or "" for name in ("brand", "pm", "category")}
                keys |= {"all": "", "vendor": row["vendor_code"] or ""}
                for dimension, key in keys.items():
                    sums[0, day, dimension, key].append(row)
                    sums[1, day.replace(day=1), dimension, key].append(row)
        made = []
        for (_, when, dimension, key), rows in sorted(sums.items()):
            known = [row for row in rows if row["cost"] is not None]
            cost = sum((row["cost"] for row in known), Decimal()) if known else None
            base = sum((row["amount"] for row in known), Decimal()) if known else None
            profit = None if cost is None or base is None else base - cost
            amount = sum((row["amount"] for row in rows), Decimal())
            quantity = sum(row["quantity"] for row in rows)
            made.append((when, dimension, key, len(rows), quantity, amount, cost, profit, base))
        return made


def content(rows: list[Row]) -> list[tuple[Any, ...]]:
    """Rows without their order."""
    return sorted(tuple((name, str(value or "")) for name, value in sorted(row.items())) for row in rows)


def bring(book: Book, rows: list[Row]) -> None:
    by_day: dict[date, list[Row]] = defaultdict(list)
    for row in rows:
        by_day[row["date"]].append(row)
    before = book.in_force()
    fresh = {day for day, these in by_day.items() if day not in before or not same(before[day].days[day], these)}
    made, outcome = publish(rows)
    found = {date.fromisoformat(one["date"]): one["status"] for one in outcome.result["days"]}
    assert found == {day: "unchanged" if day not in fresh else "changed" if day in before else "new" for day in by_day}
    book.imports.append(Import(made, dict(by_day)))
    book.lines += sum(len(by_day[day]) for day in fresh)


def same(one: list[Row], other: list[Row]) -> bool:
    # An empty cost is none, and not a cost of zero.
    def comparable(rows: list[Row]) -> list[Any]:
        return content([row | {"cost": "none" if row["cost"] is None else f"{row['cost']:.2f}"} for row in rows])

    return comparable(one) == comparable(other)


def take_back(book: Book, one: Import) -> None:
    if one.undone:
        with pytest.raises(Conflict):
            undo(one.job)
        return
    undo(one.job)
    one.undone = True


def check(book: Book) -> None:
    assert totals() == book.totals()
    owned = {owner.date: owner.claim.job_id for owner in DayOwner.objects.select_related("claim")}
    assert owned == {day: owner.job.pk for day, owner in book.in_force().items()}
    for day, owner in book.in_force().items():
        lines = [(line.product_code, line.amount, line.cost) for line in lines_of(day)]
        wanted = [(row["product_code"], row["amount"], row["cost"]) for row in owner.days[day]]
        assert sorted(lines, key=str) == sorted(wanted, key=str)
        # Undo needs no more than the claims to know whom a day goes back to.
        claim = DayClaim.objects.filter(date=day, undone_at=None).latest("job_id")
        assert claim.job_id == owner.job.pk
    # Append-only: nothing that came is ever gone.
    assert SalesLine.objects.count() == book.lines


@given(steps=STEPS)
def test_any_sequence(steps: list[tuple[str, Any]]) -> None:
    with transaction.atomic():
        book, files = Book(), []
        for step, what in steps:
            if step == "import":
                files.append(what)
                bring(book, what)
            elif step == "again" and files:
                bring(book, files[what % len(files)])
            elif step == "undo" and book.imports:
                take_back(book, book.imports[what % len(book.imports)])
            check(book)
        # And all the way back.
        for one in reversed(book.imports):
            take_back(book, one)
            check(book)
        assert totals() == []
        transaction.set_rollback(True)
