"""A report as slides: a title, then for each table its picture and its rows, as tables that can be edited.

python-pptx takes some 15 MiB and a tenth of a second: `momo.reports.services.files` imports this module with the first
slides, so that processes that make none do not pay for it.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from pptx import Presentation
from pptx.dml.color import RGBColor
from pptx.enum.text import PP_ALIGN
from pptx.util import Inches, Pt

from momo.admin.kit.figures import Column, FigureTable
from momo.core.texts import one_line
from momo.reports.rendering.pictures import Pictures
from momo.reports.rendering.texts import shown, width_of
from momo.reports.selectors import Edition

WIDTH, HEIGHT, EDGE = 13.333, 7.5, 0.6  # inches: 16 by 9
ROWS = 12  # of a slide
CELL = 60  # characters of a cell
BRAND, INK, QUIET = (
    RGBColor.from_string(value)  # type: ignore[no-untyped-call]
    for value in ("BE185D", "1F2328", "52525B")
)
TITLE_ONLY = 5  # layout of python-pptx's own template


def slides(edition: Edition, pictures: Pictures) -> bytes:
    """The .pptx file."""
    deck = Presentation()
    deck.slide_width, deck.slide_height = Inches(WIDTH), Inches(HEIGHT)
    deck.core_properties.title = one_line(edition.title)
    _cover(deck, edition)
    for table in edition.tables:
        if (png := pictures.files.get(table.key)) is not None:
            slide = _slide(deck, table.title)
            picture = slide.shapes.add_picture(io.BytesIO(png), Inches(1.6), Inches(1.4), height=Inches(5.6))
            picture._element._nvXxPr.cNvPr.set("descr", f"{table.title}的圖表，數字在下一頁的表")
        for start in range(0, max(1, len(table.rows)), ROWS):
            _table(deck, table, start)
    made = io.BytesIO()
    deck.save(made)
    return made.getvalue()


def _cover(deck: Any, edition: Edition) -> None:
    slide = _slide(deck, edition.name, size=40)
    lines = [edition.period.label, *(f"{label}：{value}" for label, value in edition.filters.facts)]
    lines += [f"缺少的資料：{sentence}" for sentence in edition.missing]
    _write(slide, lines, top=1.6, height=5, size=22)


def _table(deck: Any, table: FigureTable, start: int) -> None:
    """A slide with some rows, the last one with the totals."""
    rows = list(table.rows[start : start + ROWS])
    is_last = start + ROWS >= len(table.rows)
    slide = _slide(deck, table.title if not start else f"{table.title}（續）")
    if not rows:
        return _write(slide, ["沒有資料", table.note], top=1.5, height=1.5, size=18)
    body = [*rows, *([table.totals] if table.totals and is_last else [])]
    shape = slide.shapes.add_table(
        len(body) + 1, len(table.columns), Inches(EDGE), Inches(1.3), Inches(WIDTH - 2 * EDGE), Inches(0.4)
    )
    texts = [[_text(column, row) for column in table.columns] for row in body]
    shares = _shares(table.columns, texts)
    for place, column in enumerate(table.columns):
        shape.table.columns[place].width = int(Inches(WIDTH - 2 * EDGE) * shares[place])
        _cell(shape.table.cell(0, place), column.label, column, bold=True)
        for number, row in enumerate(body, start=1):
            _cell(shape.table.cell(number, place), texts[number - 1][place], column, bold=row is table.totals)
    if is_last and table.note:
        _write(slide, [table.note], top=HEIGHT - 0.7, height=0.5, size=12, color=QUIET)
    return None


def _shares(columns: Sequence[Column], texts: Sequence[Sequence[str]]) -> list[float]:
    """The part of the width of each column, by its longest text: figures are not broken."""
    widths = [2.5 + max(map(_width, column)) for column in zip([one.label for one in columns], *texts, strict=True)]
    return [width / sum(widths) for width in widths]


def _width(text: str) -> float:
    """In characters as wide as a digit; Chinese ones are wider."""
    return width_of(text, wide=1.9, narrow=1.05)


def _text(column: Column, row: Mapping[str, Any]) -> str:
    return one_line(shown(column, row.get(column.name)))[:CELL]


def _slide(deck: Any, title: str, *, size: int = 28) -> Any:
    slide = deck.slides.add_slide(deck.slide_layouts[TITLE_ONLY])
    shape = slide.shapes.title
    shape.left, shape.top, shape.width, shape.height = (Inches(one) for one in (EDGE, 0.3, WIDTH - 2 * EDGE, 0.9))
    shape.text_frame.text = one_line(title)
    paragraph = shape.text_frame.paragraphs[0]
    paragraph.alignment = PP_ALIGN.LEFT
    paragraph.font.size, paragraph.font.bold, paragraph.font.color.rgb = Pt(size), True, BRAND
    return slide


def _write(slide: Any, lines: Sequence[str], *, top: float, height: float, size: int, color: Any = INK) -> None:
    frame = slide.shapes.add_textbox(Inches(EDGE), Inches(top), Inches(WIDTH - 2 * EDGE), Inches(height)).text_frame
    frame.word_wrap = True
    for number, line in enumerate(line for line in lines if line):
        paragraph = frame.paragraphs[0] if number == 0 else frame.add_paragraph()
        paragraph.text = one_line(line)
        paragraph.font.size, paragraph.font.color.rgb = Pt(size), color


def _cell(cell: Any, text: str, column: Column, *, bold: bool) -> None:
    cell.text = text
    paragraph = cell.text_frame.paragraphs[0]
    paragraph.font.size, paragraph.font.bold = Pt(12), bold
    cell.margin_top = cell.margin_bottom = Inches(0.03)
    if column.number:
        paragraph.alignment = PP_ALIGN.RIGHT
