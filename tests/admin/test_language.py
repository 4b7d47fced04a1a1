"""Pages speak Traditional Chinese: no English word, no programmers' word, no title of Django's, no other host."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import lxml.html
import pytest
from django.contrib import admin
from django.http import HttpRequest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from ai.models import Budget
from momo.admin import site
from momo.admin.kit.transfer import TransferMixin
from tests.browser import world
from tests.kit.turns import in_turns, turn
from tests.vendors.answering import path_of
from vendors.models import Vendor, VendorMail

# Words in Latin letters that a page may show.
NAMES = """
    MOMO Pro momo Excel CSV PowerPoint Web Google Gmail Gemini Ollama YouTube Telegram Bot mybest cosme
    Kubernetes n8n Liquid
    JSON HTML PostgreSQL PgBouncer Redis Valkey Python Django
    Ctrl esc Mac Command
    JavaScript PDF JPG PNG WEBP HEIC Word
    AI API PM SEO URL IP SHA USD NT token pod KB MB GB MiB
"""
# Kinds of text that are written in Latin letters wherever they stand, each with an example.
KINDS = {
    "addresses of the net": r"\w+://\S+|[\w.+-]+@[\w.-]+|localhost|testserver",
    "names of settings, and of what they hold": r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b|\b(?:HOST|PORT|DEMO|DEBUG|INFO)\b",
    "codes of templates": r"\b[a-z]+(?:_[a-z]+)+\b",
    "endings of files": r"(?<![A-Za-z])(?:xlsx|xlsb|xls|ods|csv|eml|docx|env)(?![A-Za-z])",
    "models of providers": r"\b(?:gemini|llama3)(?:[-:][\w.:-]+)?",
    "what is written in a template": r"\{%.*?%\}|\{\{.*?\}\}|<\w+>|</\w+>",
    "an example of JSON": r"\{\"\w+\": \d+\}",
    "time zones": r"\b[A-Z][a-z]+/[A-Z][A-Za-z_]+\b",
    "tags of trends": r"\bnewhot-\d+\b",
}
# What the rows of `world.fill` hold: users, vendors, products, models, keys, and an answer of a mail server.
DATA = r"\b(?:ada|writer|searcher|Wang|(?:person|spender|[mVv])\d+|30ml|uht|abc|momo-app|User unknown|vendor-mail)\b"
# Meanings of settings say which values these take, and `make run`.
SETTINGS = r"\b(?:production|local|test|json|text|https?|make run|robots\.txt|Data|MOMOPro)\b|/\S+"
ALLOWED = re.compile("|".join([*KINDS.values(), DATA, rf"\b(?:{'|'.join(NAMES.split())})\b", SETTINGS]), re.ASCII)
LATIN = re.compile(r"[A-Za-z]{2,}")
WRONG_TIMES = {"minute": "99", "hour": "8,", "day_of_week": "8", "day_of_month": "*", "month_of_year": "13"}
NO_ROWS = {"addresses-TOTAL_FORMS": 0, "addresses-INITIAL_FORMS": 0}  # of the form of vendors
SILENT = {"script", "style", "code", "svg", "template", "textarea", "pre"}
SAID = ("title", "aria-label", "placeholder", "alt")  # attributes that are read out or shown
LOADS = "//script/@src | //link/@href | //img/@src | //iframe/@src | //source/@src"
BUTTONS = "//button | //thead//th | //label | //legend | //*[@id='submit-row']//a"
ODD = re.compile(r"[\u4e00-\u9fff] [\u4e00-\u9fff]")  # as in 刪除 廠商


JARGON = re.compile("呼叫|字串|物件|陣列|主鍵|迴圈|實例|回傳|端點|例外狀況")  # of programmers


def _texts(node: Any) -> Iterator[str]:
    """What a page shows: texts, names for screen readers, and hints."""
    tag = node.tag
    if isinstance(tag, str) and tag not in SILENT and "material-symbols-outlined" not in node.get("class", ""):
        yield from (node.get(name) for name in SAID if node.get(name))
        yield node.text or ""
        # Zones are chosen by their names, of which there are six hundred.
        for child in () if tag == "select" and node.get("name") == "timezone" else node:
            yield from _texts(child)
    yield node.tail or ""


def _forms(boss: User) -> list[str]:
    """The form of each model whose rows are made by hand."""
    request = HttpRequest()
    request.user = boss
    made = [model._meta for model, page in admin.site._registry.items() if page.has_add_permission(request)]
    return [reverse(f"admin:{model.app_label}_{model.model_name}_add") for model in made]


def _addresses() -> Iterator[str]:
    """Pages of each kind, the list of each model, the page of a row, and dialogs."""
    yield from (page for name, page in world.pages().items() if name != "missing")
    for model, page in admin.site._registry.items():
        base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield reverse(f"{base}_changelist")
        row = model._default_manager.first()
        if row is None:
            continue
        yield reverse(f"{base}_change", args=[row.pk])
        yield reverse(f"{base}_history", args=[row.pk])
        if isinstance(page, TransferMixin):
            yield from (reverse(f"{base}_{name}") for name in ("import", "export"))
        of_rows = {*page.actions_detail, *page.actions_row}
        dialogs = [name for name in sorted(of_rows) if hasattr(getattr(page, name), "fits")]
        yield from (reverse(f"{base}_{name}", args=[row.pk]) for name in dialogs)


def _requests(boss: User) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """An address and, for a form, what is sent: nothing, or what is wrong."""
    yield from ((address, None) for address in dict.fromkeys(_addresses()))
    for address in _forms(boss):
        yield address, None
        yield address, NO_ROWS
    yield reverse("admin:django_celery_beat_crontabschedule_add"), WRONG_TIMES
    for kind in (User, Budget, Vendor):
        row = kind.objects.latest("pk").pk
        yield reverse(f"admin:{kind._meta.app_label}_{kind._meta.model_name}_delete", args=[row]), None
    chosen = {"action": "delete_selected", "_selected_action": Budget.objects.latest("pk").pk}
    yield reverse("admin:ai_budget_changelist"), chosen
    yield reverse("change_password"), None
    yield path_of(VendorMail.objects.latest("pk")), None
    yield "/nowhere", None


def _faults(answer: Any) -> set[str]:
    """What is wrong with a page: English and programmers' words, texts of buttons with a gap, files of other hosts."""
    page = lxml.html.fromstring(answer.content.decode())
    texts = set(map(str.strip, _texts(page)))
    foreign = {text for text in texts if LATIN.search(ALLOWED.sub("", text)) or JARGON.search(text)}
    odd = {text for node in page.xpath(BUTTONS) for text in _texts(node) if ODD.search(text)}
    elsewhere = {name for name in page.xpath(LOADS) if "//" in name and not name.startswith("http://testserver/")}
    return foreign | odd | elsewhere


@in_turns(3)
def test_no_page_speaks_english_or_loads_anything_from_another_host(
    parts: int, boss: User, as_boss: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.fill("http://testserver")
    found = {"menu": _faults(as_boss.get(reverse("admin:index")))}
    monkeypatch.setattr(site, "navigation", lambda request: [])  # is the same on every page, and takes a third of it

    for address, sent in turn(_requests(boss), parts):
        answer = as_boss.get(address) if sent is None else as_boss.post(address, sent)
        if answer.content:  # no redirect
            found[address] = _faults(answer)

    assert {address: faults for address, faults in found.items() if faults} == {}
    assert len(found) > 150 / parts
