"""Message, mail, workbook and slides of a report say the same figures, and those are of the sales themselves."""

from __future__ import annotations

import email
import io
import re
from decimal import Decimal
from email import policy
from typing import Any

import lxml.html
import openpyxl
import pytest
from django.db import transaction
from hypothesis import given, settings
from pptx import Presentation

from momo.reports.models import Report
from momo.reports.rendering.pictures import Pictures
from momo.reports.services.files import Forms, forms_of
from momo.reports.services.runs import send_to
from notifications.channels.email import mail_of
from notifications.markup import to_mail_html
from notifications.models import Format, OutboxMessage
from sales.selectors.daily import daily_sales
from tests.fakes.telegram.html import visible
from tests.kit.users import person
from tests.sales.factories import DAY, Row, added_up, by_key, publish, sale
from tests.sales.test_properties import FILES

pytestmark = pytest.mark.django_db
BRANDS = "依品牌"
Amounts = dict[str, Decimal | None]


def report(**values: Any) -> Report:
    sections = ["sales_summary", "sales_by_brand", "sales_movers", "sales_missing_days"]
    return Report.objects.create(**{"name": "試算", "sections": sections, **values})


def without_pictures(forms: Forms) -> Forms:
    """Forms whose charts need not be drawn."""
    vars(forms)["pictures"] = Pictures({})
    return forms


def money(text: str) -> Decimal | None:
    return None if text == "－" else Decimal(text.replace("$", "").replace(",", ""))


def of_message(forms: Forms, heading: str = BRANDS) -> Amounts:
    block = next(part for part in visible(forms.message).split("\n\n") if part.startswith(heading))
    pairs = (line.removeprefix("・").split("　") for line in block.splitlines() if line.startswith("・"))
    return {name: money(figures.split("｜")[0]) for name, figures in pairs}


def of_mail(forms: Forms, heading: str = BRANDS) -> Amounts:
    page = lxml.html.fromstring(forms.page)
    (title,) = (one for one in page.iter("h3") if one.text_content() == heading)
    table = next(one for one in title.itersiblings() if one.tag == "table")
    rows = [[cell.text_content() for cell in row.iter("td")] for row in table.iter("tr")]
    return {cells[0]: money(cells[1]) for cells in rows if len(cells) > 1}  # the rest of a row is one cell below it


def of_workbook(forms: Forms, heading: str = BRANDS) -> Amounts:
    _, *rows = openpyxl.load_workbook(io.BytesIO(forms.workbook.content))[heading].iter_rows(values_only=True)
    return {str(name): Decimal(f"{amount:.2f}") for name, amount, *_ in rows if name}


def of_slides(forms: Forms, heading: str = BRANDS) -> Amounts:
    found: Amounts = {}
    for slide in Presentation(io.BytesIO(forms.slides.content)).slides:
        if not slide.shapes.title.text.startswith(heading):
            continue
        for table in (shape.table for shape in slide.shapes if shape.has_table):
            _, *rows = [[cell.text for cell in row.cells] for row in table.rows]
            found |= {cells[0]: money(cells[1]) for cells in rows}
    return found


@settings(max_examples=8)
@given(rows=FILES)
def test_every_form_says_the_figures_of_the_sales(rows: list[Row]) -> None:
    with transaction.atomic():
        publish(rows)
        forms = without_pictures(forms_of(report(), day=DAY))
        today = [row for row in rows if row["date"] == DAY]
        expected = {one["key"]: Decimal(str(one["amount"])) for one in by_key(today, "brand")}
        if today:
            expected["合計"] = Decimal(str(added_up(today)["amount"]))
            assert expected["合計"] == Decimal(str(daily_sales(day=DAY)["summary"]["amount"]))
            assert of_mail(forms) == expected
        assert of_message(forms) == of_workbook(forms) == of_slides(forms) == expected
        transaction.set_rollback(True)


def test_filters_of_several_dimensions_have_to_fit_all() -> None:
    publish(
        [
            sale(amount=100, brand="甲", pm="王", category="美妝"),
            sale(amount=20, brand="乙", pm="王", category="美妝"),
            sale(amount=3, brand="甲", pm="李", category="美妝"),
            sale(-1, amount=7, brand="甲", pm="王", category="居家"),
        ]
    )
    forms = without_pictures(forms_of(report(pms=["王"], brands=["甲"]), day=DAY))
    assert of_message(forms) == {"甲": 100, "合計": 100}
    assert "品牌：甲" in visible(forms.message)
    summary, *_ = forms.edition.tables
    assert [(row["name"], row["amount"]) for row in summary.rows[:2]] == [("本期", 100), ("前一天", 7)]


def test_a_day_without_its_report_is_said_and_not_0() -> None:
    publish([sale(-1, amount=7), sale(-3, amount=5)])
    forms = without_pictures(forms_of(report(), day=DAY))
    sentence = "2026/03/02（週一）的銷售日報還沒有匯入"
    assert list(forms.edition.missing) == [sentence]
    assert forms.subject.endswith("（資料不全）")
    assert sentence in visible(forms.message)
    assert sentence in forms.page
    summary, *_, missing = forms.edition.tables
    assert "amount" not in summary.rows[0]
    assert [row["date"].day for row in missing.rows] == [28, 2]


def test_a_mail_carries_its_pictures_and_files() -> None:
    publish([sale(days, amount=100 + days, brand=brand) for days in (0, -1, -2) for brand in ("甲", "乙 & <b>")])
    user = person("ada", email="ada@example.com")
    assert send_to(report(), day=DAY, user=user) == "ada@example.com"
    message = OutboxMessage.objects.get()
    mail = email.message_from_bytes(mail_of(message).content, policy=policy.default)
    page = mail.get_body(("html",)).get_content()
    carried = {part["Content-ID"]: part for part in mail.walk() if part["Content-ID"]}
    assert set(carried) == {"<sales_summary.png>", "<sales_by_brand.png>"}
    assert sorted(re.findall(r'src="cid:([^"]+)"', page)) == ["sales_by_brand.png", "sales_summary.png"]
    for part in carried.values():
        assert part.get_content_disposition() == "inline"
        assert part.get_content().startswith(b"\x89PNG")
    files = [part.get_filename() for part in mail.iter_attachments() if part.get_content_disposition() == "attachment"]
    assert sorted(files) == ["momo_試算_20260302.pptx", "momo_試算_20260302.xlsx"]
    assert message.subject == "［預覽］試算 2026/03/02（週一）"
    assert "乙 &amp; &lt;b&gt;" in page


def test_only_pictures_may_come_out_of_the_mail() -> None:
    html = '<img src="cid:a.png"><img src="cid:a b"><a href="cid:a.png">x</a><img src="javascript:1">'
    assert to_mail_html(html, Format.EMAIL_HTML).count("cid:") == 1
