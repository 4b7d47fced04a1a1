"""Admin pages of phrases."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from ai.models import Phrase
from tests.admin.test_transfer import confirm, reasons, upload
from tests.kit.users import session_client

LIST = "admin:ai_phrase_changelist"


@pytest.fixture
def as_manager(manager: Any) -> Client:
    return session_client(manager)


@pytest.fixture
def one(db: None) -> Phrase:
    return Phrase.objects.get(text="減肥", domain="food")


def form(phrase: Phrase, **values: Any) -> dict[str, Any]:
    fields = ("text", "domain", "category", "severity", "reason", "suggestion", "law", "source")
    return {**{name: getattr(phrase, name) for name in fields}, "enabled": "on", **values}


def test_shipped_phrases_are_changed_but_neither_renamed_nor_deleted(one: Phrase, as_manager: Client) -> None:
    page = reverse("admin:ai_phrase_change", args=[one.pk])

    as_manager.post(page, form(one, text="別的", reason="我們的原因"))
    one.refresh_from_db()

    assert (one.text, one.reason, one.shipped) == ("減肥", "我們的原因", False)
    assert as_manager.post(reverse("admin:ai_phrase_delete", args=[one.pk]), {"post": "yes"}).status_code == 403


def test_disabling_is_no_change_of_the_text(one: Phrase, as_manager: Client) -> None:
    as_manager.post(reverse(LIST), {"action": "disable", "_selected_action": [one.pk], "index": 0})
    one.refresh_from_db()

    assert (one.enabled, one.shipped) == (False, True)


def test_own_phrases_are_added_and_deleted(db: None, as_manager: Client) -> None:
    new = Phrase(text="{怪獸}", domain="food", category="自訂", severity="low")
    refused = as_manager.post(reverse("admin:ai_phrase_add"), form(new))
    assert "沒有「怪獸」這一類詞" in refused.content.decode()

    as_manager.post(reverse("admin:ai_phrase_add"), form(new, text="{對治}…怪獸"))
    made = Phrase.objects.get(category="自訂")
    assert not made.shipped
    as_manager.post(reverse("admin:ai_phrase_delete", args=[made.pk]), {"post": "yes"})
    assert not Phrase.objects.filter(pk=made.pk).exists()


def test_import_changes_shipped_ones_and_adds_others(one: Phrase, as_manager: Client) -> None:
    rows = [
        "類別,可以使用,詞句,種類,嚴重程度,原因,啟用",
        "一般食品,否,減肥,,低,不要這樣寫,",
        "全部,是,新詞,一般用語,,,否",
    ]

    preview = upload(as_manager, "\n".join(rows).encode(), of="ai_phrase")
    confirm(as_manager, preview, of="ai_phrase")

    one.refresh_from_db()
    assert (one.severity, one.reason, one.category, one.shipped, one.enabled) == (
        "low",
        "不要這樣寫",
        "誇大不實",
        False,
        True,
    )
    new = Phrase.objects.get(text="新詞")
    assert (new.domain, new.allowed, new.enabled, new.shipped) == ("", True, False, False)


def test_import_names_bad_rows(db: None, as_manager: Client) -> None:
    rows = ["類別,可以使用,詞句", "magic,否,甲", "food,也許,乙", "food,否,{怪獸}"]

    page = upload(as_manager, "\n".join(rows).encode(), of="ai_phrase")

    assert [(number, list(found)) for number, found in reasons(page)] == [
        (2, ["類別"]),
        (3, ["可以使用"]),
        (4, ["詞句"]),
    ]


def test_an_export_comes_back_unchanged(one: Phrase, as_manager: Client) -> None:
    Phrase.objects.exclude(pk=one.pk)._raw_delete("default")  # without the signals of each of a thousand
    exported = as_manager.post(reverse("admin:ai_phrase_export"), {"format": "1", "resource": "0", **export_fields()})

    result = upload(as_manager, exported.content, of="ai_phrase").context["result"]

    assert (result.totals["skip"], result.totals["update"], result.totals["new"]) == (1, 0, 0)


def export_fields() -> dict[str, str]:
    names = ("domain", "allowed", "text", "category", "severity", "law", "reason", "suggestion", "source", "enabled")
    return {f"phraseresource_{name}": "on" for name in names}
