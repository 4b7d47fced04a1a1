"""Tables of figures: what a page shows, what is copied, and what its files hold."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from django.http import Http404
from django.template import Context, Template
from django.test import RequestFactory

from momo.admin.kit.figures import Column, FigureTable, export_response, workbook

TABLE = FigureTable(
    key="brands",
    title="品牌：增減/排行",
    columns=[
        Column("name", "品牌"),
        Column("day", "日期", "date"),
        Column("amount", "業績", "money"),
        Column("change", "增減", "change"),
        Column("rate", "增減率", "rate"),
        Column("margin", "毛利率", "percent"),
        Column("other", "業績", "number"),
    ],
    rows=[
        {
            "name": "=HYPERLINK(1)",
            "name_url": "/admin/?brand=1&pm=2",
            "day": date(2026, 1, 29),
            "amount": Decimal("1234.50"),
            "amount_url": "javascript:alert(1)",
            "change": Decimal("-20"),
            "rate": 12.34,
            "margin": 40.0,
            "other": 3,
        },
        {"name": "<b>乙</b>", "day": None, "amount": None, "change": 0, "rate": None, "margin": None, "other": 0},
    ],
    chart={"kind": "series", "labels": ["甲"], "series": [{"label": "業績", "data": [Decimal("1234.50"), None]}]},
    totals={"amount": Decimal("1234.50"), "change": -20},
    note="一列沒有成本。",
    facts=[("期間", "2026-01-29"), ("來源", "每日合計")],
)


def test_a_page_shows_chart_and_linked_cells_and_offers_the_files_that_it_answers() -> None:
    request = RequestFactory().get("/admin/board/", {"date": "2026-01-29"})
    template = Template("{% load momo_figures %}{% figure table %}")

    before = template.render(Context({"request": request, "table": TABLE}))
    answer = export_response(request, [TABLE])
    shown = template.render(Context({"request": request, "table": TABLE}))

    assert answer is None
    assert "export=" not in before
    assert 'href="/admin/board/?date=2026-01-29&amp;export=brands&amp;format=xlsx"' in shown
    assert '<a class="mo-link" href="/admin/?brand=1&amp;pm=2">=HYPERLINK(1)</a>' in shown
    # Copied text is what a spreadsheet takes as a number, and never as a formula.
    assert 'data-value="&#x27;=HYPERLINK(1)"' in shown
    assert 'data-value="1234.5">$1,234.50<' in shown
    assert 'data-value="-20"><span class="mo-down">▼ 20</span>' in shown
    assert '<span class="mo-up">▲ 12.3%</span>' in shown
    assert "2026-01-29（四）" in shown
    assert "&lt;b&gt;乙&lt;/b&gt;" in shown
    assert 'data-value="">－<' in shown
    assert "javascript:" not in shown
    assert '"data": [1234.5, null]' in shown
    assert "合計" in shown


def test_a_workbook_has_numbers_and_its_second_sheet_says_what_they_are() -> None:
    request = RequestFactory().get("/admin/board/", {"date": "2026-01-29", "export": "brands", "format": "xlsx"})

    answer: Any = export_response(request, [TABLE])

    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    assert book.sheetnames == ["品牌：增減 排行", "說明"]
    heads, first, second, total = book.worksheets[0].iter_rows(values_only=True)
    assert heads == ("品牌", "日期", "業績", "增減", "增減率", "毛利率", "業績 (2)")
    assert first[0] == "'=HYPERLINK(1)"
    assert first[1].date() == date(2026, 1, 29)
    assert first[2:] == (1234.5, -20, 12.34, 40, 3)
    assert second[2:] == (None, 0, None, None, 0)
    assert total == ("合計", None, 1234.5, -20, None, None, None)
    facts = dict(row[:2] for row in book["說明"].iter_rows(min_row=2, values_only=True))
    assert facts["期間"] == "2026-01-29"
    assert facts["備註"] == "一列沒有成本。"
    assert facts["頁面"] == "http://testserver/admin/board/?date=2026-01-29"
    assert "匯出時間" in facts


def test_a_csv_has_the_same_rows_and_unknown_files_are_not_found() -> None:
    def asked(**params: str) -> Any:
        return export_response(RequestFactory().get("/", params), [TABLE])

    text = asked(export="brands", format="csv").content.decode("utf-8-sig")

    rows = list(csv.reader(io.StringIO(text)))
    assert rows[1] == ["'=HYPERLINK(1)", "2026-01-29", "1234.5", "-20.0", "12.34", "40.0", "3"]
    assert len(rows) == 4
    for wrong in ({"export": "nothing", "format": "csv"}, {"export": "brands"}, {"export": "brands", "format": "exe"}):
        with pytest.raises(Http404):
            asked(**wrong)


def test_sheets_of_equal_titles_have_names_of_their_own_and_an_empty_one_its_headings() -> None:
    empty = FigureTable("empty", f"{'長' * 40}", [Column("name", "品牌")], [])

    book = openpyxl.load_workbook(workbook(empty, empty, FigureTable("about", "說明", [Column("name", "名")], [])))

    assert book.sheetnames == ["長" * 31, f"{'長' * 29} 2", "說明 2", "說明"]
    assert book.worksheets[0]["A1"].value == "品牌"
