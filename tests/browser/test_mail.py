"""A mail on a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from momo.admin.kit.sections import sections
from momo.reports.rendering.pictures import Pictures
from momo.reports.services.files import forms_of
from notifications.channels.mail_page import mail_page
from notifications.services.notify import Text
from notifications.services.shipped import shipped_templates
from notifications.templating.render import render
from notifications.templating.variables import declared, examples
from tests.admin import makers
from tests.admin.makers_reports import report
from tests.sales.factories import DAY, publish, sale

# Figures that take more than one line.
BROKEN_NUMBERS = """
[...document.querySelectorAll("td[align=right]:last-child")].filter(td => {
    const range = document.createRange(); range.selectNodeContents(td);
    return new Set([...range.getClientRects()].map(({ bottom }) => Math.round(bottom))).size > 1;
}).map(td => td.textContent)
"""


def test_a_phone_shows_the_whole_width(chromium: Browser) -> None:
    """Also long names, and numbers that do not break in their middle."""
    content = shipped_templates()["price_digest_mail"]
    values = examples(declared(content["variables"]))
    values["rises"][0] |= {"name": "【蘭芝】睡美人晚安面膜" * 9, "old_price": 115_990, "new_price": 1_120_990}
    values["drops"][0] |= {"name": "ATTACK" * 20, "percent": -18.76}
    fields = {name: content[name] for name in ("format", "subject", "body", "variables")}
    text = Text(render(**fields, values=values))
    shown = chromium.new_page()
    shown.set_content(mail_page(text.html, subject=text.subject, text=text.plain))
    for width in (600, 390):
        shown.set_viewport_size({"width": width, "height": 800})
        assert shown.evaluate("document.documentElement.scrollWidth") == width
        assert shown.evaluate(BROKEN_NUMBERS) == []


@pytest.mark.django_db
def test_a_report_fits_a_phone_with_all_its_figures(chromium: Browser) -> None:
    """Whatever has no room beside the name and the first figures stands below them, with its label."""
    brands = ("水潤生技保養品股份有限公司", "甲", "AVENE 雅漾")
    publish([sale(-days, amount=98_765_432, cost=91_234_567, brand=brand) for days in range(9) for brand in brands])
    makers.events(3)
    forms = forms_of(report(sections=list(sections())), day=DAY)
    vars(forms)["pictures"] = Pictures({})
    shown = chromium.new_page()
    shown.set_content(forms.page)

    for width in (600, 390):
        shown.set_viewport_size({"width": width, "height": 800})
        assert shown.evaluate("document.documentElement.scrollWidth") == width
        assert shown.evaluate(BROKEN_NUMBERS) == []
    text = shown.locator("body").inner_text()
    labels = {column.label for table in forms.edition.tables if table.rows for column in table.columns}
    assert {label for label in labels if label not in text} == set()
