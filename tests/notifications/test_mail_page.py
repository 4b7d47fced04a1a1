"""The page of a mail: readable where programs drop style sheets, and it says why one gets it."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given

from notifications.channels.mail import build_mail
from notifications.channels.mail_page import mail_page, preheader, reason
from notifications.markup import to_mail_html, to_text
from notifications.markup.style import styled
from notifications.models import Format, Subscription
from notifications.services.notify import Text
from notifications.services.shipped import shipped_templates
from notifications.templating.render import render
from notifications.templating.variables import declared, examples
from tests.notifications.mails import SENDER, mail_message, parsed
from tests.notifications.markups import ANY_TEXT, FORMATS
from tests.notifications.test_markup import Strict

MAIL = Format.EMAIL_HTML


class Tables(HTMLParser):
    """Collects the tables of a page, with the text of their cells by row."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tables: list[dict[str, str | None]] = []
        self.rows: list[list[str]] = []
        self.tags: set[str] = set()
        self._in_cell = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "table":
            self.tables.append(dict(attrs))
        elif tag == "tr":
            self.rows.append([])
            self._in_cell = False
        elif tag in ("td", "th"):
            self.rows[-1].append("")
            self._in_cell = True

    def handle_endtag(self, tag: str) -> None:
        self._in_cell = self._in_cell and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self._in_cell:
            self.rows[-1][-1] += data


def shipped_mail(code: str) -> str:
    """The page of a shipped template with its examples."""
    content = shipped_templates()[code]
    fields = {name: content[name] for name in ("format", "subject", "body", "variables")}
    text = Text(render(**fields, values=examples(declared(content["variables"]))))
    return mail_page(text.html, subject=text.subject, text=text.plain)


@pytest.mark.parametrize("code", sorted(shipped_templates()))
def test_it_is_laid_out_with_tables_and_attributes_alone(code: str) -> None:
    page = shipped_mail(code)
    found = Tables(page)
    assert not found.tags & {"style", "link", "script", "img"}
    assert not re.search(r"flex|grid|position:|float:|class=", page)
    assert len(found.tables) >= 2
    for table in found.tables:
        assert table.get("width") == "100%"
        assert table.get("cellspacing") == "0"
        assert table.get("style")


def test_a_digest_is_a_table_of_names_prices_and_changes() -> None:
    rows = Tables(shipped_mail("price_digest_mail")).rows
    assert ["商品", "原價 → 新價", "變動"] in rows
    assert ["玻尿酸保濕精華液 30ml", "$1,000 → $1,100", "+10%"] in rows
    assert ["胺基酸洗髮精 500ml", "$599 → $499", "-16.69%"] in rows
    assert ["竹炭牙刷 4 入", "淨白", "$199"] in rows


def test_what_a_template_writes_stands_inside_and_its_own_looks_win() -> None:
    html = styled(
        to_mail_html(
            '<p>您好</p><table><tr><td style="color:#f00">1</td><td align="right">2</td></tr></table>'
            '<table border="1"><tr><td>3</td></tr></table><td>4</td>',
            MAIL,
        )
    )
    assert html.startswith("<p>您好</p>")
    first, second, third = re.findall(r"<td[^>]*>", html)[:3]
    assert first.endswith('text-align:left;color:#f00">')
    assert "text-align" not in second
    assert third == "<td>", "a table with a border of its own may be a layout"
    page = mail_page("<p>您好</p>", subject="甲", text="您好")
    assert "<p>您好</p>" in page


@given(ANY_TEXT, FORMATS)
def test_looks_change_no_text(text: str, format: str) -> None:
    html = to_mail_html(text, format)
    looked = styled(html)
    Strict.check(looked)
    assert to_text(looked, MAIL) == to_text(html, MAIL)


def test_what_lists_of_mails_show_beside_the_subject() -> None:
    assert preheader("價格變動摘要：漲 1", "價格變動摘要\n\n共 1 項\n甲") == "共 1 項 甲"
    assert preheader("主旨", "第一行\n第二行") == "第一行 第二行"
    assert "<b>" not in mail_page("x", subject="s", text="<b>粗</b>").partition("<table")[0]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            {"event": "price_digest", "subscription": Subscription(name="每日<價格>")},
            "您收到這封信，是因為訂閱了「每日<價格>」。",
        ),
        ({"event": "test", "subscription": None}, "這是一封測試信，由 MOMO Pro 的後台寄出。"),
        ({"event": "system_alert", "subscription": None}, "這封「系統警示」由 MOMO Pro 寄給系統管理員。"),
        ({"event": "", "subscription": None}, "這封信由 MOMO Pro 寄出。"),
    ],
)
def test_it_says_why_one_gets_it(values: dict[str, Any], said: str, settings: Any) -> None:
    settings.PUBLIC_URL = "https://mo.example.com"
    assert reason(**values) == said
    message = mail_message(body_html="<p>漲價</p>", body="漲價", event=values["event"])
    if values["subscription"] is not None:
        message.subscription = values["subscription"]
    html = parsed(build_mail(message, sender=SENDER, reply_to="").content).get_body(("html",))
    assert html is not None
    foot = html.get_content().rpartition("<td")[2]
    assert said.replace("<", "&lt;").replace(">", "&gt;") in foot
    linked = "https://mo.example.com/admin/notifications/subscription/" in foot
    assert linked == (values["subscription"] is not None)
