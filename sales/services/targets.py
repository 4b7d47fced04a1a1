"""Changes of targets: one at a time, or the cells of a grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction

from momo.core.errors import Conflict, ValidationFailed, validation_failed
from momo.core.formats import money
from momo.core.texts import one_line
from momo.sheets.values import cents_from_text
from sales.figures import NAMELESS
from sales.models import Target
from sales.services.rows import store

# Grids of two users are stored one after the other.
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('sales.targets', 0))"


@dataclass(frozen=True)
class Cell:
    """A cell of a grid: what it showed, and what the user left in it; None is no target."""

    key: str
    month: date
    before: Decimal | None
    after: Decimal | None


def save_target(*, target: Target | None = None, **fields: Any) -> Target:
    """Create a target, or change one: `fields` that are left out stay. Any day stands for its month.

    Raises ValidationFailed, and Conflict if another user stored the same meanwhile.
    """
    with transaction.atomic():
        changed = Target() if target is None else Target.objects.select_for_update().get(pk=target.pk)
        for name, value in fields.items():
            setattr(changed, name, value)
        if changed.month is not None:
            changed.month = changed.month.replace(day=1)
        changed.key = checked_key(changed.key)
        store(changed)
    return changed


def delete_target(*, target: Target) -> None:
    """Delete a target."""
    target.delete()


def checked_key(key: str) -> str:
    """The name of a PM, brand or category on one line. Raises ValidationFailed for that of lines without one."""
    key = one_line(key)
    if key == NAMELESS:
        raise ValidationFailed(fields={"key": [f"「{NAMELESS}」是報表沒有填的資料，不能設定目標"]})
    return key


def amount_of(text: str) -> Decimal | None:
    """New Taiwan dollars as users write them (`1,234`, `NT$1,234元`); None for an empty text. Raises ValueError."""
    cents = cents_from_text(text)
    return None if cents is None else Decimal(cents).scaleb(-2)


def save_grid(*, dimension: str, measure: str, cells: Sequence[Cell]) -> int:
    """Store the cells that the user changed, all or none; a target without any amount is deleted. Returns how many.

    `measure` is `amount` or `gross_profit`. Raises Conflict for cells that another user has changed meanwhile,
    ValidationFailed for amounts out of range.
    """
    changed = [cell for cell in cells if cell.before != cell.after]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(LOCK)
        rows = Target.objects.select_for_update().filter(
            dimension=dimension, key__in={cell.key for cell in changed}, month__in={cell.month for cell in changed}
        )
        known = {(row.key, row.month): row for row in rows}
        _refuse_clashes(changed, {place: getattr(row, measure) for place, row in known.items()})
        for cell in changed:
            row = known.get((cell.key, cell.month)) or Target(dimension=dimension, key=cell.key, month=cell.month)
            setattr(row, measure, cell.after)
            _store(row)
    return len(changed)


def _refuse_clashes(cells: Sequence[Cell], stored: dict[tuple[str, date], Decimal | None]) -> None:
    clashes = [
        (cell, now)
        for cell in cells
        for now in [stored.get((cell.key, cell.month))]
        if now not in (cell.before, cell.after)
    ]
    if clashes:
        cell, now = clashes[0]
        more = f"（另有 {len(clashes) - 1} 格）" if len(clashes) > 1 else ""
        value = "清空" if now is None else f"改為 {money(now)}"
        raise Conflict(
            f"在您編輯的同時，另一位使用者已把{cell.key or '合計'} {cell.month:%Y-%m} {value}{more}；"
            "您輸入的還在，要以您的為準請再儲存一次。"
        )


def _store(row: Target) -> None:
    if row.amount is None and row.gross_profit is None:
        if row.pk:
            row.delete()
        return
    try:
        row.clean_fields()
    except ValidationError as error:
        raise validation_failed(error) from error
    row.save()
