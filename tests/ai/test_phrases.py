"""Phrases in the database: shipped ones follow, what staff changed stays, and changes count at once."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, transaction

from ai.checks.claims import check_claims
from ai.models import Phrase
from ai.services import phrases as service
from ai.services.phrases import current_phrases, mark_changed, set_enabled, write_after_migrate, write_shipped

FIELDS = {"category": "甲", "severity": "high", "law": "", "reason": "舊", "suggestion": "", "source": ""}


def remove_all() -> None:
    """Without the signals of each of more than a thousand rows, which take seconds."""
    Phrase.objects.all()._raw_delete("default")


@pytest.fixture
def shipped(db: None, monkeypatch: pytest.MonkeyPatch) -> dict[Any, dict[str, str]]:
    """Two shipped phrases, as a release brings them."""
    remove_all()
    texts = {("甲詞", "food", False): dict(FIELDS), ("乙詞", "", True): dict(FIELDS)}
    monkeypatch.setattr(service, "shipped_phrases", lambda: texts)
    write_shipped()
    return texts


def reasons() -> dict[str, str]:
    return dict(Phrase.objects.values_list("text", "reason"))


def test_migrating_brings_all_shipped_phrases(db: None) -> None:
    write_shipped()

    stored = set(Phrase.objects.filter(shipped=True).values_list("text", "domain", "allowed"))
    assert stored == set(service.shipped_phrases())
    assert len(stored) > 1000


def test_shipped_phrases_follow_the_release(shipped: dict[Any, dict[str, str]]) -> None:
    shipped["甲詞", "food", False]["reason"] = "新"
    shipped["丙詞", "food", False] = dict(FIELDS)
    del shipped["乙詞", "", True]

    write_shipped()

    assert reasons() == {"甲詞": "新", "丙詞": "舊"}


def test_what_staff_changed_stays(shipped: dict[Any, dict[str, str]]) -> None:
    changed, disabled = Phrase.objects.get(text="甲詞"), Phrase.objects.get(text="乙詞")
    changed.reason = "我們的"
    mark_changed(changed, fields=["reason"])
    changed.save()
    set_enabled(ids=[disabled.pk], enabled=False)
    own = Phrase.objects.create(text="自己的", reason="自己的")
    for fields in shipped.values():
        fields["reason"] = "新"

    write_shipped()

    assert reasons() == {"甲詞": "我們的", "乙詞": "新", "自己的": "自己的"}
    assert not Phrase.objects.get(text="乙詞").enabled
    assert not own.shipped


def test_only_migrate_writes_them(shipped: dict[Any, dict[str, str]]) -> None:
    remove_all()
    config = Phrase._meta.app_config

    write_after_migrate(config, "default")
    assert not Phrase.objects.exists()
    write_after_migrate(config, "default", plan=[])
    assert Phrase.objects.count() == 2


def test_migrate_is_connected(shipped: dict[Any, dict[str, str]]) -> None:
    remove_all()

    call_command("migrate", verbosity=0)

    assert Phrase.objects.count() == 2


def test_changes_count_at_once(
    db: None, django_capture_on_commit_callbacks: Any, django_assert_num_queries: Any
) -> None:
    remove_all()
    cache.clear()

    def hits() -> int:
        return len(check_claims("神奇甲詞", "food", current_phrases()))

    assert hits() == 0
    with django_capture_on_commit_callbacks(execute=True):
        one = Phrase.objects.create(text="甲詞", domain="food", severity="high")
    assert hits() == 1
    with django_assert_num_queries(0):
        assert hits() == 1
    with django_capture_on_commit_callbacks(execute=True):
        assert set_enabled(ids=[one.pk], enabled=False) == 1
    assert hits() == 0
    with django_capture_on_commit_callbacks(execute=True):
        set_enabled(ids=[one.pk], enabled=True)
    assert hits() == 1
    with django_capture_on_commit_callbacks(execute=True):
        one.delete()
    assert hits() == 0


def test_without_the_cache_the_phrases_still_serve(
    db: None, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr(service.cache, "get_or_set", lambda *args, **kwargs: None)
    monkeypatch.setattr(service, "_compiled", None)

    first = current_phrases()
    with django_assert_num_queries(0):
        assert current_phrases() is first


def test_a_text_that_is_no_pattern_is_refused(db: None) -> None:
    with pytest.raises(ValidationError, match="沒有「怪獸」這一類詞"):
        Phrase(text="{怪獸}").full_clean()


def test_a_phrase_stands_once(db: None) -> None:
    Phrase.objects.create(text="某詞", domain="food")
    with pytest.raises(IntegrityError), transaction.atomic():
        Phrase.objects.create(text="某詞", domain="food")
