"""The grid in which targets of a year are edited: one form, whose changed cells are stored together."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.utils import timezone
from django.utils.http import urlencode

from momo.core.errors import Conflict, ValidationFailed
from momo.core.formats import amount
from momo.core.texts import one_line
from sales.admin.target_tables import LABELS, worded
from sales.models.campaigns import FIRST_DAY, LAST_DAY
from sales.selectors.targets import ALL, MEASURES, Grid, keys_with_targets, target_grid
from sales.services.targets import Cell, amount_of, checked_key, save_grid

KEYS_SHOWN = 50  # a page
NEW_ROWS = 3
LONGEST = 60  # characters of a cell; of a name 200
MONTHS = range(1, 13)


@dataclass
class GridCell:
    """A cell as it is shown: what is typed in it, and why that cannot be stored."""

    month: date
    before: str
    text: str
    error: str = ""

    def value(self) -> Decimal | None:
        """What is typed. Raises ValueError."""
        return amount_of(self.text[:LONGEST])


@dataclass
class GridRow:
    """A row of the grid; the user names the key of a new one."""

    key: str
    cells: list[GridCell]
    is_new: bool = False
    error: str = ""

    @property
    def label(self) -> str:
        return self.key or ("" if self.is_new else "合計")


@dataclass
class Asked:
    """Which grid the address asks for; anything that is none is the default."""

    year: int
    dimension: str
    measure: str
    page: int
    q: str
    rows: list[GridRow] = field(default_factory=list)

    @classmethod
    def of(cls, query: QueryDict) -> Asked:
        year, page = query.get("year", ""), query.get("page", "")
        known = year.isascii() and year.isdigit() and len(year) == 4 and FIRST_DAY.year <= int(year) <= LAST_DAY.year
        dimension, measure = query.get("dimension", ""), query.get("measure", "")
        return cls(
            int(year) if known else timezone.localdate().year,
            dimension if dimension in LABELS else "pm",
            measure if measure in MEASURES else "amount",
            int(page) if page.isascii() and page.isdigit() and len(page) < 5 and int(page) else 1,
            one_line(query.get("q", ""))[:200],
        )

    def url(self, **other: object) -> str:
        """The address of the grid with other parameters."""
        chosen: dict[str, Any] = {
            "year": self.year,
            "dimension": self.dimension,
            "measure": self.measure,
            "q": self.q,
            **other,
        }
        return f"?{urlencode({name: value for name, value in chosen.items() if value != ''})}"

    def read(self) -> Grid:
        """The stored targets."""
        return target_grid(
            year=self.year,
            dimension=self.dimension,
            measure=self.measure,
            start=(self.page - 1) * KEYS_SHOWN,
            size=KEYS_SHOWN,
            q=self.q,
        )


class GridPage:
    """A page of `TargetAdmin`: for users who may view targets; those who may change them store it."""

    def grid(self, request: HttpRequest) -> HttpResponse:
        """GET shows the grid; POST stores its changed cells, or shows it again with what is wrong."""
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        asked = Asked.of(request.GET)
        may_change = request.user.has_perms(("sales.add_target", "sales.change_target", "sales.delete_target"))
        if request.method == "POST":
            if not may_change:
                raise PermissionDenied
            rows = _posted(request.POST, asked)
            changed = _store(request, asked, rows)
            if changed is not None:
                messages.success(request, f"已儲存 {changed} 格" if changed else "沒有要儲存的變更")
                return HttpResponseRedirect(asked.url(page=asked.page))
            found = asked.read()
            # The next wish to store knows what is stored now.
            _refresh(rows, found)
        else:
            found = asked.read()
            rows = [_row(key, asked.year, found) for key in found.keys]
        if may_change and asked.dimension != ALL:
            rows += [_blank(asked.year) for _ in range(NEW_ROWS - sum(row.is_new for row in rows))]
        return self.own_page(  # type: ignore[attr-defined,no-any-return]
            request,
            "admin/sales/target/grid.html",
            title=f"{asked.year} 年{MEASURES[asked.measure]}目標",
            opts=None,
            asked=asked,
            rows=rows,
            before=json.dumps([[cell.before for cell in row.cells] for row in rows]),
            may_change=may_change,
            months=[date(asked.year, month, 1) for month in MONTHS],
            sums=_sums(found, asked),
            years=[(year, asked.url(year=year), year == asked.year) for year in range(asked.year - 1, asked.year + 2)],
            dimensions=[(label, asked.url(dimension=name), name == asked.dimension) for name, label in LABELS.items()],
            measures=[(label, asked.url(measure=name), name == asked.measure) for name, label in MEASURES.items()],
            pages=_pages(asked, found.total),
            total=found.total,
        )


def _text(value: Decimal | None) -> str:
    return "" if value is None else amount(value)


def _row(key: str, year: int, found: Grid) -> GridRow:
    texts = [(date(year, month, 1), _text(found.cells.get((key, date(year, month, 1))))) for month in MONTHS]
    return GridRow(key, [GridCell(month, text, text) for month, text in texts])


def _blank(year: int) -> GridRow:
    return GridRow("", [GridCell(date(year, month, 1), "", "") for month in MONTHS], is_new=True)


def _posted(data: QueryDict, asked: Asked) -> list[GridRow]:
    """The rows of a form. Raises BadRequest for what no page of ours sends."""
    try:
        before = json.loads(data.get("before", ""))
        fits = len(before) <= KEYS_SHOWN + NEW_ROWS and all(
            len(texts) == len(MONTHS) and all(isinstance(text, str) and len(text) <= LONGEST for text in texts)
            for texts in before
        )
    except (ValueError, TypeError, RecursionError) as error:
        raise BadRequest("before") from error
    if not fits:
        raise BadRequest("before")
    rows = []
    for place, texts in enumerate(before):
        cells = [
            GridCell(date(asked.year, month, 1), texts[month - 1], data.get(f"cell-{place}-{month}", "").strip())
            for month in MONTHS
        ]
        rows.append(GridRow(one_line(data.get(f"key-{place}", "")), cells, is_new=f"new-{place}" in data))
    return rows


def _store(request: HttpRequest, asked: Asked, rows: list[GridRow]) -> int | None:
    """How many cells are stored; None if something is wrong, which the rows and a message say."""
    cells = list(_checked(asked, rows))
    if any(row.error or any(cell.error for cell in row.cells) for row in rows):
        messages.error(request, "有些格子不能儲存，請看紅色的說明；什麼都還沒有存。")
        return None
    try:
        return save_grid(dimension=asked.dimension, measure=asked.measure, cells=cells)
    except Conflict as refusal:
        messages.warning(request, str(refusal))
    except ValidationFailed as refusal:
        messages.error(request, str(refusal))
    return None


def _checked(asked: Asked, rows: list[GridRow]) -> Iterator[Cell]:
    """The cells of rows that are used; what is wrong is noted in rows and cells."""
    # A new row for what is on another page would be taken for a change of another user.
    new = {row.key for row in rows if row.is_new}
    seen = keys_with_targets(year=asked.year, dimension=asked.dimension, keys=new)
    seen -= {row.key for row in rows if not row.is_new}
    for row in rows:
        if row.is_new and not row.key and not any(cell.text for cell in row.cells):
            continue
        row.error = _fault(row, asked, seen)
        seen.add(row.key)
        for cell in row.cells:
            try:
                before, after = amount_of(cell.before), cell.value()
            except ValueError as error:
                cell.error = str(error)
                continue
            if after is not None and after < 0:
                cell.error = "目標不可小於 0"
                continue
            yield Cell(row.key, cell.month, before, after)


def _fault(row: GridRow, asked: Asked, seen: set[str]) -> str:
    """What is wrong with the name of a row."""
    if asked.dimension == ALL:
        return "" if not row.key else "合計沒有名稱"
    if not row.key:
        return worded("請填", asked.dimension, "的名稱")
    if len(row.key) > 200:
        return "名稱最長 200 字"
    if row.key in seen:
        return "這個名稱已經在表裡，請用上面的搜尋找到它"
    try:
        checked_key(row.key)
    except ValidationFailed as error:
        return error.fields["key"][0]
    return ""


def _refresh(rows: list[GridRow], found: Grid) -> None:
    for row in rows:
        for cell in row.cells:
            if not row.is_new:
                cell.before = _text(found.cells.get((row.key, cell.month)))


def _sums(found: Grid, asked: Asked) -> list[tuple[str, list[str]]]:
    """Title and values by month: all rows together, the target of the whole, and how far they differ."""
    if asked.dimension == ALL:
        return []
    months = [date(asked.year, month, 1) for month in MONTHS]
    pairs = [(found.together.get(month), found.whole.get(month)) for month in months]
    return [
        (worded("各", asked.dimension, "相加"), [_text(together) for together, _ in pairs]),
        ("合計目標", [_text(whole) for _, whole in pairs]),
        ("相差", [_text(None if one is None or whole is None else one - whole) for one, whole in pairs]),
    ]


def _pages(asked: Asked, total: int) -> list[tuple[int, str, bool]]:
    last = -(-total // KEYS_SHOWN)
    return [(page, asked.url(page=page), page == asked.page) for page in range(1, last + 1)] if last > 1 else []
