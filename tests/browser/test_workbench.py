"""The workbench in a browser: a copy is streamed, its warnings marked in place, corrected, checked again and copied."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from ai.models import Call, Generation, ModelPrice, Style
from ai.services import copywriting
from tests.admin import makers
from tests.browser.conftest import PHONE, Opener, findings
from tests.browser.test_phone import leave
from tests.fakes.ollama import Ollama
from tests.kit.processes import wait_until

# An emoji is one character of ours and two of the browser's.
PIECES = ("😀✨這款精華液", "只要499元，\n", "促進血液循環，", "每天都想用。")
# Whether the marks lie where the words are: both boxes wrap at the same places.
ALIKE = """() => {
    const [under, area] = ['under', 'text'].map(name => document.querySelector(`[data-${name}]`));
    return under.textContent === area.value + '\\n' && under.scrollHeight === area.scrollHeight
        && area.scrollHeight === area.clientHeight && under.clientWidth === area.clientWidth;
}"""


@pytest.fixture
def ollama(settings: Any, live_server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ollama]:
    monkeypatch.setattr(copywriting, "HEARTBEAT", 0.05)
    settings.GEMINI_API_KEY = ""
    Style.objects.get_or_create(name="吸睛", defaults={"prompt": "寫得吸睛"})
    ModelPrice.objects.get_or_create(
        provider="ollama", valid_from=dt.date(2026, 1, 1), defaults={"input_per_million": 0, "output_per_million": 0}
    )
    with Ollama() as made:
        settings.OLLAMA_URL = made.url
        yield made


def marked(page: Page) -> list[str]:
    texts: list[str] = page.eval_on_selector_all("mark", "marks => marks.map(mark => mark.textContent)")
    return texts


def test_a_copy_is_written_corrected_and_taken_away(opened: Opener, ollama: Ollama) -> None:
    makers.product(1, name="水潤玻尿酸精華液 30ml", price=1280)
    page = opened()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.type), dialog.accept()))
    page.goto(reverse("admin:ai_style_workbench"))
    text, state, found = (page.locator(f"[data-{name}]") for name in ("text", "state", "found-number"))
    expect(page.get_by_label("供應者")).to_have_value("ollama")
    expect(page.locator("[data-away]")).to_contain_text("GEMINI_API_KEY")

    # A product is found and chosen by the keyboard; its facts are those of the catalogue.
    page.get_by_role("combobox", name="商品").press_sequentially("玻尿酸")
    expect(page.locator("[data-found] [role=option]")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("[data-picked]")).to_contain_text("10000001・NT$1,280")
    assert page.locator("[data-fact=price]").input_value() == "1280"

    # The text grows as the model writes it, then says what is wrong with it, and where.
    ollama.says(*PIECES, pause=0.3)
    page.get_by_role("button", name="產生文案").press("Enter")
    expect(text).to_have_value(PIECES[0])
    expect(page.get_by_role("button", name="停止")).to_be_focused()
    # The first check of a process reads all phrases.
    expect(found).to_have_text("發現 2 個問題（高 2）。", timeout=30_000)
    assert marked(page) == ["499元", "促進血液循環"]
    assert page.evaluate(ALIKE)
    expect(page.locator("[data-warnings]")).to_contain_text("化粧品衛生安全管理法")
    kept = Generation.objects.get()
    assert kept.content == text.input_value() == "".join(PIECES)

    # A suggestion stands in its place, and the undo of the browser knows it.
    page.get_by_role("button", name="把「499元」改成「NT$1,280」").click()
    expect(text).to_have_value("".join(PIECES).replace("499元", "NT$1,280"))
    expect(found).to_have_text("發現 1 個問題（高 1）。")
    page.keyboard.press("Control+z")
    expect(text).to_have_value("".join(PIECES))
    page.keyboard.press("Control+Shift+z")

    # What is typed is checked; what was found before moves with its words.
    text.press("Control+Home")
    page.keyboard.type("能消炎的")
    assert marked(page) == ["促進血液循環"]
    expect(found).to_have_text("發現 2 個問題（高 2）。")
    assert marked(page) == ["消炎", "促進血液循環"]
    page.get_by_role("button", name="到文中的「消炎」").click()
    assert page.evaluate("getSelection().toString()") == "消炎"

    # Facts of the form count at once.
    page.locator("[data-facts] summary").click()
    page.locator("[data-fact=price]").fill("999")
    expect(found).to_have_text("發現 3 個問題（高 3）。")
    page.locator("[data-fact=price]").fill("1280")
    expect(found).to_have_text("發現 2 個問題（高 2）。")

    page.get_by_role("button", name="複製").click()
    expect(state).to_have_text("已複製，還有 2 個問題。")
    assert page.evaluate("navigator.clipboard.readText()") == text.input_value()
    page.get_by_role("button", name="最愛").click()
    expect(state).to_have_text("已加入最愛。")
    kept.refresh_from_db()
    assert kept.favorite

    # A copy that is stopped stays beside the one before it, and the provider is hung up on.
    ollama.says("寫到一半", "不會來", pause=30)
    page.get_by_role("button", name="產生文案").click()
    expect(text).to_have_value("寫到一半")
    page.get_by_role("button", name="停止").click()
    expect(state).to_have_text("已停止。")
    wait_until(lambda: ollama.gone, "the provider to be hung up on")
    wait_until(lambda: Call.objects.filter(status="aborted").exists(), "the call to be settled")
    expect(page.get_by_role("tab")).to_have_count(2)
    expect(found).to_have_text("沒有發現問題。這不代表一定符合法規。")

    # A failure is a sentence; a text that is nowhere else is not left without a question.
    ollama.fail(500, "boom", times=9)
    page.get_by_role("button", name="產生文案").click()
    expect(page.get_by_role("alert")).to_contain_text("Ollama")
    leave(page)
    assert dialogs == ["beforeunload"]


def test_a_copy_is_written_and_corrected_on_a_phone(opened: Opener, ollama: Ollama) -> None:
    page = opened(PHONE)
    page.goto(reverse("admin:ai_style_workbench"))
    text, found = page.locator("[data-text]"), page.locator("[data-found-number]")
    expect(page.get_by_label("供應者")).to_have_value("ollama")
    page.get_by_role("combobox", name="商品").fill("水潤精華液")
    page.locator("[data-facts] summary").tap()
    page.get_by_label("售價").fill("1280")
    page.get_by_label("版本數").fill("2")
    ollama.says("这款精华液只要499元，", "能消炎，" * 20)

    page.get_by_role("button", name="產生文案").tap()
    expect(found).to_have_text("發現 21 個問題（高 21）。")

    assert page.evaluate(ALIKE)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
    expect(page.get_by_role("tab")).to_have_count(2)
    expect(page.locator("[data-original]")).to_contain_text("这款精华液")
    page.get_by_role("button", name="把「499元」改成「NT$1,280」").tap()
    expect(found).to_have_text("發現 20 個問題（高 20）。")
    assert text.input_value().startswith("這款精華液只要NT$1,280，")
    assert findings(page) == []
