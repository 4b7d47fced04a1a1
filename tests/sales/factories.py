"""Reports made by hand, imported without a file, and what their rows add up to in plain Python."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from momo.jobs.importers import Outcome, Table
from momo.jobs.models import Job
from sales.importers import DailySalesImporter
from sales.models import DayTotal, MonthTotal

DAY = date(2026, 3, 2)  # a Monday
LABELS = {field.name: field.label for field in DailySalesImporter.fields}
MONEY = ("amount", "unit_price", "cost", "unit_cost", "gross_profit")
Row = dict[str, Any]


def sale(days: int = 0, amount: Any = 100, quantity: int | None = 1, code: str = "1000001", **values: Any) -> Row:
    """A row of the report, `days` after DAY; amounts in New Taiwan dollars. A name that is left out is no column."""
    row = {"date": DAY + timedelta(days=days), "product_code": code, "quantity": quantity, "amount": amount, **values}
    return {name: value for name, value in row.items() if value is not ...}


def table_of(rows: Sequence[Row]) -> Table:
    """As the engine would hand it over; the header is in row 1."""
    names = list(dict.fromkeys(name for row in rows or [sale()] for name in row))
    columns = {name: [value_of(name, row.get(name)) for row in rows] for name in names}
    return Table(list(range(2, len(rows) + 2)), columns, {name: LABELS[name] for name in names})


def value_of(name: str, value: Any) -> Any:
    """The converted cell; prices of one piece keep their fractions of a cent."""
    if name in ("unit_price", "unit_cost") and value is not None:
        exact = Decimal(str(value)) * 100
        return int(exact) if exact == int(exact) else exact
    return cents(value) if name in MONEY else value


def cents(value: Any) -> int | None:
    return None if value is None else int(Decimal(str(value)) * 100)


def job(**values: Any) -> Job:
    """An import for which somebody agreed to lose what it takes away; what happens without is in tests/jobs."""
    given = {"confirm_loss": True, "job_type": "daily_sales", "source": "upload", "file_name": "報表.xlsx", **values}
    return Job.objects.create(token=uuid.uuid4(), **given)


def publish(
    rows: Sequence[Row], importer: DailySalesImporter | None = None, *, made: Job | None = None
) -> tuple[Job, Outcome]:
    """Check and publish, each as the engine does it; `made` is a job that was opened earlier."""
    importer, made, table = importer or DailySalesImporter(), made or job(), table_of(rows)
    importer.check(table)
    assert table.errors == []
    with transaction.atomic():
        return made, importer.publish(made, table)


def undo(made: Job) -> Mapping[str, Any]:
    with transaction.atomic():
        return DailySalesImporter().undo(made)


def totals() -> list[tuple[Any, ...]]:
    """All totals, without the numbers of their rows."""
    names = ("dimension", "key", "lines", "quantity", "amount", "cost", "gross_profit", "margin_base")
    found: list[tuple[Any, ...]] = []
    for model, when in ((DayTotal, "date"), (MonthTotal, "month")):
        found += model.objects.order_by(when, "dimension", "key").values_list(when, *names)
    return found


def database_text() -> str:
    """Every row of every table, as text."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        texts = []
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            texts += [text for (text,) in cursor.fetchall()]
    return "\n".join(texts)


# --- Plain Python ---------------------------------------------------------------------------------------------------


def added_up(rows: Iterable[Row]) -> dict[str, Any]:
    """Figures, as in an answer of the API, of rows that have both cost and gross profit or neither."""
    rows = list(rows)
    known = [row for row in rows if row.get("cost") is not None]
    amount = sum(Decimal(str(row["amount"])) for row in rows)
    cost = sum(Decimal(str(row["cost"])) for row in known) if known or not rows else None
    base = sum(Decimal(str(row["amount"])) for row in known)
    profit = None if cost is None else base - cost
    return {
        "quantity": sum(row["quantity"] for row in rows),
        "amount": _number(amount),
        "cost": _number(cost),
        "gross_profit": _number(profit),
        "margin": None if profit is None or not base or base < 0 else _percent(profit, base),
        "lines": len(rows),
    }


def by_key(rows: Iterable[Row], name: str) -> list[dict[str, Any]]:
    """Figures by the value of one column, the biggest amount first, with shares."""
    rows = list(rows)
    keys = {row.get(name) or "" for row in rows}
    whole = sum(Decimal(str(row["amount"])) for row in rows)
    sums = []
    for key in keys:
        part = added_up(row for row in rows if (row.get(name) or "") == key)
        share = _percent(Decimal(str(part["amount"])), Decimal(whole)) if whole else None
        sums.append({"key": key, **part, "share": share})
    sums.sort(key=lambda one: (-one["amount"], one["key"]))
    return [{**one, "key": one["key"] or "未分類"} for one in sums]


def against(now: Mapping[str, Any], then: Mapping[str, Any]) -> dict[str, Any]:
    """`then` with how far `now` is from it."""
    change: dict[str, Any] = {}
    rate: dict[str, Any] = {}
    for name in ("quantity", "amount", "gross_profit"):
        before, after = then[name], now[name]
        known = before is not None and after is not None
        change[name] = _number(Decimal(str(after)) - Decimal(str(before))) if known else None
        rate[name] = _percent(Decimal(str(change[name])), abs(Decimal(str(before)))) if known and before else None
    return {**then, "change": change, "change_percent": rate}


def _number(value: Any) -> int | float | None:
    if value is None:
        return None
    exact = Decimal(value)
    return int(exact) if exact == exact.to_integral_value() else float(exact)


def _percent(part: Decimal, whole: Decimal) -> float:
    return float((part * 100 / whole).quantize(Decimal("0.01"), rounding="ROUND_HALF_UP"))
