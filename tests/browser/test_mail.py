"""A mail on a phone."""

from __future__ import annotations

from playwright.sync_api import Browser

from notifications.channels.mail_page import mail_page
from notifications.services.notify import Text
from notifications.services.shipped import shipped_templates
from notifications.templating.render import render
from notifications.templating.variables import declared, examples

# Cells of percentages that take more than one line.
BROKEN_NUMBERS = """
[...document.querySelectorAll("td[align=right]:last-child")].filter(td => {
    const range = document.createRange(); range.selectNodeContents(td);
    return range.getClientRects().length > 1;
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
