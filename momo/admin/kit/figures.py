"""Tables of figures: on pages with a chart, buttons and links, and as .xlsx or .csv. The tag library `momo_figures`.

A page makes its tables, answers `export_response` if that is not None, and shows each by `{% figure table %}`. So the
page and its files have the same rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from tempfile import TemporaryFile
from typing import Any, BinaryIO, cast

from django.http import Http404, HttpRequest, HttpResponse
from django.template import Context, Library
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import content_disposition_header

from momo.admin.kit.display import NO_VALUE, link, money, thousands, with_weekday
from momo.core import formats
from momo.sheets import write
from momo.sheets.formulas import neutralised

ABOUT = "說明"  # name of the sheet of facts
TOTAL = "合計"
_NOT_IN_FILE_NAMES = re.compile(r"[^\w-]+")
_NOT_IN_SHEET_NAMES = re.compile(r"[\[\]:*?/\\']")
SHEET_NAME = 31  # characters, Excel's limit


def signed(value: formats.Number, text: str) -> str:
    """`text` of the size of `value` with ▲ in red above zero and ▼ in green below; zero has neither."""
    if value == 0:
        return text
    tone, arrow = ("up", "▲") if value > 0 else ("down", "▼")
    return format_html('<span class="mo-{}">{} {}</span>', tone, arrow, text)


def _change(value: formats.Number) -> str:
    return signed(value, formats.amount(abs(formats.to_decimal(value))))


def _points(value: formats.Number) -> str:
    return signed(value, formats.number(abs(formats.to_decimal(value)), places=2, fixed=True))


def signed_rate(value: formats.Number) -> str:
    """A change in percent with ▲ or ▼."""
    places = 1 if -1000 < value < 1000 else 0
    return signed(value, formats.percent(abs(formats.to_decimal(value)), places=places, fixed=True, thousands=True))


def _percent(value: formats.Number) -> str:
    return formats.percent(value, places=1, fixed=True, thousands=True)


@dataclass(frozen=True)
class _Kind:
    """How a kind of column is shown, copied (tab separated) and written; none of them is asked for None."""

    show: Callable[[Any], str]
    copied: Callable[[Any], str]
    cell: str = "text"  # kind of `momo.sheets.write.Column`
    number_format: str = ""
    width: float = 14
    number: bool = True


def _words(value: object) -> str:
    return neutralised(" ".join(str(value).split()))


# Kinds of columns by name. A `code` is a short text that stands on one line, `rate` a change in percent, `points` one
# in percentage points.
KINDS = {
    "text": _Kind(str, _words, width=28, number=False),
    "code": _Kind(str, _words, width=16, number=False),
    "date": _Kind(with_weekday, date.isoformat, "date", number=False),
    "month": _Kind(lambda day: f"{day:%Y-%m}", lambda day: f"{day:%Y-%m}", "date", "yyyy-mm", number=False),
    "money": _Kind(money, formats.number, "decimal", width=16),
    "number": _Kind(thousands, formats.number, "integer"),
    "percent": _Kind(_percent, formats.percent, "decimal", '0.0"%"', 10),
    "rate": _Kind(signed_rate, formats.percent, "decimal", '"▲" #,##0.0"%";"▼" #,##0.0"%";0.0"%"', 12),
    "points": _Kind(_points, formats.number, "decimal", '"▲" 0.00;"▼" 0.00;0.00', 12),
    "change": _Kind(_change, formats.number, "decimal", '"▲" #,##0.00;"▼" #,##0.00;0.00', 16),
}


@dataclass(frozen=True)
class Column:
    """A column of figures: the name of its values in the rows, its heading, and one of KINDS.

    A `wide` column is left out on a phone, where a row is a card; the table's card says so.
    """

    name: str
    label: str
    kind: str = "text"
    wide: bool = False

    @property
    def number(self) -> bool:
        """Whether its values are aligned right."""
        return KINDS[self.kind].number

    @property
    def style(self) -> str:
        """The classes of its cells: texts wrap, numbers and what is short do not."""
        kind = "mo-num" if self.number else "mo-words" if self.kind == "text" else "mo-nowrap"
        return f"{kind} mo-wide" if self.wide else kind


@dataclass(frozen=True)
class FigureTable:
    """Figures with their heading.

    `key` is unique on the page and names its export. `rows` have Python values by the names of the columns: money in
    New Taiwan dollars, None for an unknown value; `NAME_url` is where the cell NAME leads. `chart` is drawn above the
    table, which then is folded: `{"kind": …, **data}`, a kind of static/admin_momo/charts.js and what it takes. `note`
    says what is guessed, filled or left out. `facts` (filters, period, source) are the second sheet of its workbook.
    """

    key: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Mapping[str, Any]]
    chart: Mapping[str, Any] | None = None
    totals: Mapping[str, Any] | None = None
    note: str = ""
    facts: Sequence[tuple[str, str]] = ()

    def lines(self) -> Iterator[list[Any]]:
        """The values of each row by column, and of the totals as the last row."""
        first = self.columns[0].name
        for row in self.rows:
            yield [row.get(column.name) for column in self.columns]
        if self.totals is not None:
            total = {first: TOTAL, **self.totals}
            yield [total.get(column.name) for column in self.columns]


# --- Files ------------------------------------------------------------------------------------------------------------


def workbook(*tables: FigureTable, facts: Iterable[tuple[str, str]] = ()) -> BinaryIO:
    """The open .xlsx file: a sheet for each table, and at the end the facts of all with the time of the export."""
    sheets: dict[str, tuple[Sequence[write.Column], Iterable[dict[str, Any]]]] = {}
    for table in tables:
        columns = _sheet_columns(table)
        records = list(write.as_records(columns, table.lines()))
        # A sheet without rows still has its headings.
        sheets[_sheet_name(table.title, sheets)] = columns, records or [dict.fromkeys(one.heading for one in columns)]
    about = [write.Column("項目", width=16), write.Column("內容", width=80)]
    sheets[ABOUT] = about, list(write.as_records(about, [*_about(tables), *facts, _exported_at()]))
    return write.xlsx_book(sheets)


def export_response(request: HttpRequest, tables: Sequence[FigureTable]) -> HttpResponse | None:
    """The table that `?export=KEY&format=xlsx|csv` asks for as a file; None without `export`. Raises Http404.

    Only tables that were given here have buttons of export on the page.
    """
    request.__dict__.setdefault("momo_exports", set()).update(table.key for table in tables)
    asked, kind = request.GET.get("export"), request.GET.get("format", "")
    if asked is None:
        return None
    table = next((table for table in tables if table.key == asked), None)
    if table is None or kind not in write.CONTENT_TYPES:
        raise Http404
    page = request.build_absolute_uri(page_address(request, export=None, format=None))
    handle = workbook(table, facts=[("頁面", page)]) if kind == "xlsx" else _csv(table)
    name = f"momo_{_NOT_IN_FILE_NAMES.sub('_', table.title)}_{timezone.localdate():%Y%m%d}.{kind}"
    with handle:
        answer = HttpResponse(handle.read(), content_type=write.CONTENT_TYPES[kind])
    answer["Content-Disposition"] = content_disposition_header(True, name)
    return answer


def _csv(table: FigureTable) -> BinaryIO:
    columns = _sheet_columns(table)
    handle = cast(BinaryIO, TemporaryFile())  # noqa: SIM115 - the response closes it
    handle.writelines(write.csv_chunks(columns=columns, records=write.as_records(columns, table.lines())))
    handle.seek(0)
    return handle


def _sheet_columns(table: FigureTable) -> list[write.Column]:
    """Columns with different headings: a name from the data may be that of another column."""
    found: list[write.Column] = []
    taken: set[str] = set()
    for column in table.columns:
        kind, label = KINDS[column.kind], neutralised(column.label)
        heading, number = label, 1
        while heading in taken:
            number += 1
            heading = f"{label} ({number})"
        taken.add(heading)
        found.append(write.Column(heading, kind.cell, kind.width, number_format=kind.number_format))
    return found


def _sheet_name(title: str, taken: Mapping[str, object]) -> str:
    """A name that Excel takes, cut to its limit, and not yet `taken` (Excel ignores case)."""
    known = {name.lower() for name in (*taken, ABOUT)}
    plain = _NOT_IN_SHEET_NAMES.sub(" ", title).strip() or "表"
    names = (f"{plain[: SHEET_NAME - len(end)]}{end}" for end in ("", *(f" {number}" for number in range(2, 1000))))
    return next(name for name in names if name.lower() not in known)


def _about(tables: Sequence[FigureTable]) -> Iterator[tuple[str, str]]:
    for table in tables:
        yield "表", table.title
        yield from table.facts
        if table.note:
            yield "備註", table.note


def _exported_at() -> tuple[str, str]:
    return "匯出時間", f"{timezone.localtime():%Y-%m-%d %H:%M}"


# --- Pages ------------------------------------------------------------------------------------------------------------

register = Library()


@register.inclusion_tag("admin/figure.html", takes_context=True)
def figure(context: Context, table: FigureTable) -> dict[str, Any]:
    """The card of a table: heading, buttons, chart, and rows whose cells lead where they should."""
    request = context.get("request")
    exported = table.key in getattr(request, "momo_exports", ())
    lines = list(table.lines())
    return {
        "table": table,
        "left_out": "、".join(column.label for column in table.columns if column.wide),
        "chart": None if table.chart is None else _plain(table.chart),
        "rows": [_cells(table, values, row) for values, row in zip(lines, table.rows, strict=False)],
        "totals": _cells(table, lines[-1], table.totals) if table.totals is not None else None,
        "exports": [
            (title, page_address(request, export=table.key, format=kind))
            for kind, title in (("xlsx", "Excel"), ("csv", "CSV"))
            if request is not None and exported
        ],
    }


def _cells(table: FigureTable, values: Sequence[Any], row: Mapping[str, Any]) -> list[tuple[Column, str, str]]:
    """Column, HTML and the text to copy of each cell."""
    cells = []
    for column, value in zip(table.columns, values, strict=True):
        kind = KINDS["text"] if isinstance(value, str) else KINDS[column.kind]
        shown, copied = (NO_VALUE, "") if value is None else (kind.show(value), kind.copied(value))
        url = row.get(f"{column.name}_url")
        cells.append((column, link(url, shown) if url else shown, copied))
    return cells


def page_address(request: HttpRequest, **asked: str | None) -> str:
    """The page's address with other parameters; None drops one."""
    params = request.GET.copy()
    for name, value in asked.items():
        params.pop(name, None)
        if value is not None:
            params[name] = value
    return f"{request.path}?{params.urlencode()}" if params else request.path


def _plain(value: Any) -> Any:
    """A value of a chart as JSON takes it: numbers instead of decimals, dates as text."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(one) for one in value]
    return value
