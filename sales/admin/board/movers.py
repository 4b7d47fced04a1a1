"""The page of what rose and fell most between two periods."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse

from momo.admin.kit import mine
from momo.admin.kit.figures import Column
from momo.core.errors import ValidationFailed
from sales.admin.board.changes import ChangesTable
from sales.admin.board.frame import (
    COMPARED,
    DIMENSIONS,
    MEASURES,
    board_page,
    by_title,
    choice_of,
    chosen_periods,
    presets,
)
from sales.figures import NAMELESS
from sales.selectors.changes import Part, by_change, parts_by, product_names, summed
from sales.selectors.from_lines import PRODUCT

SHOWN, EXPORTED = 15, 1000  # of those that rose, and of those that fell
OF = {**DIMENSIONS, PRODUCT: "商品"}


def movers_page(request: HttpRequest) -> HttpResponse:
    """Keys of `dimension` that rose and fell most in `measure`."""
    periods = chosen_periods(request)
    dimension, measure = choice_of(request, "dimension", OF), choice_of(request, "measure", MEASURES)
    problem, parts = periods.problem, list[Part]()
    before, after = (periods.before.first, periods.before.last), (periods.after.first, periods.after.last)
    try:
        scope = mine.chosen_scope(request)
        parts = parts_by([dimension], before=before, after=after, scope=scope)
    except ValidationFailed as refusal:
        problem = refusal.fields["start_date"][0]
    whole, tables = summed(parts, ()), ChangesTable(request, periods, measure)
    shown = EXPORTED if "export" in request.GET else SHOWN
    moved = by_change(parts, measure)
    rose = [part for part in moved if part.change(measure) > 0][:shown]
    fell = [part for part in moved if part.change(measure) < 0][:shown]
    names = product_names([*rose, *fell]) if dimension == PRODUCT else {}

    def cells(part: Part) -> dict[str, Any]:
        (key,) = part.keys
        return {"key": key or NAMELESS, "name": names.get(key)}

    columns = [Column("key", OF[dimension])]
    if dimension == PRODUCT:
        columns = [Column("key", "品號", "code"), Column("name", "品名")]
    made = [
        tables.make(
            key=key,
            title=f"{title}最多的{OF[dimension]}",
            columns=columns,
            parts=found,
            whole=summed(found, ()),
            shown=shown,
            keys_of=lambda part: _keys(dimension, part),
            name=cells,
            inside=None,
            note=f"最多列出 {shown:,} 個，合計是列出的這些。{tables.unknown_note(whole)}",
            share=False,
        )
        for key, title, found in (("rose", "增加", rose), ("fell", "減少", fell))
    ]
    return board_page(
        request,
        "movers",
        made,
        problem=problem,
        periods=periods,
        compared=COMPARED,
        dimension=dimension,
        dimensions=OF,
        by=by_title(dimension) if dimension in DIMENSIONS else "依商品",
        measure=measure,
        measures=MEASURES,
        presets=presets(request, periods.after),
        figures=tables.cards(whole) if parts else [],
    )


def _keys(dimension: str, part: Part) -> dict[str, str]:
    return {"product_code__icontains" if dimension == PRODUCT else dimension: part.keys[0]}
