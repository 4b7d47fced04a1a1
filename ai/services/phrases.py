"""Phrases of law: those that come with the system, and all enabled ones ready for the claim check."""

from __future__ import annotations

import functools
import time
import tomllib
import uuid
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.core.cache import cache
from django.db import connections, transaction

from ai.checks.claims import Phrases, Rule
from ai.checks.warnings import Severity
from ai.models import Phrase

FILE = Path(__file__).resolve().parent.parent / "data" / "phrases.toml"
KEY = ("text", "domain", "allowed")
FOLLOWED = ("category", "severity", "law", "reason", "suggestion", "source")
_VERSION = "ai:phrases:version"
_UNKNOWN = 30.0  # seconds that the compiled phrases serve while the cache does not answer

Key = tuple[str, str, bool]


@functools.cache
def shipped_phrases() -> dict[Key, dict[str, Any]]:
    """The fields of each shipped phrase by text, domain and whether it is allowed; of equal ones the first."""
    made: dict[Key, dict[str, Any]] = {}
    content = tomllib.loads(FILE.read_text(encoding="utf-8"))
    for group in content["group"]:
        own = {name: group[name] for name in FOLLOWED if name in group}
        for domain in group["domains"]:
            basis = {} if group.get("allowed") else content["basis"][domain or "all"].get(group["category"], {})
            fields = {"severity": Phrase.Severity.HIGH, **basis, **own}
            for text in group["phrases"].split():
                made.setdefault((text, domain, group.get("allowed", False)), fields)
    return made


def is_shipped(phrase: Phrase) -> bool:
    """Whether the phrase comes with the system: it can be changed and disabled, but not renamed or deleted."""
    return _key(phrase) in shipped_phrases()


def write_shipped(using: str = "default") -> None:
    """Write missing and outdated shipped phrases and remove those that are no more; what staff changed stays.

    Staff's changes take the mark `shipped` away (`mark_changed`); `enabled` is always theirs.
    """
    with transaction.atomic(using=using):
        with connections[using].cursor() as cursor:
            # Two releases that migrate at once write one after the other.
            cursor.execute(f'LOCK TABLE "{Phrase._meta.db_table}" IN SHARE ROW EXCLUSIVE MODE')
        rows = Phrase.objects.using(using)
        present = {_key(phrase): phrase for phrase in rows}
        shipped = shipped_phrases()
        outdated = []
        for key, fields in shipped.items():
            phrase = present.get(key)
            if phrase and phrase.shipped and any(getattr(phrase, name) != value for name, value in fields.items()):
                for name, value in fields.items():
                    setattr(phrase, name, value)
                outdated.append(phrase)
        rows.bulk_update(outdated, FOLLOWED, batch_size=500)
        rows.bulk_create(
            (
                Phrase(**dict(zip(KEY, key, strict=True)), **fields, shipped=True)
                for key, fields in shipped.items()
                if key not in present
            ),
            batch_size=1000,
        )
        gone = [phrase.pk for key, phrase in present.items() if phrase.shipped and key not in shipped]
        rows.filter(pk__in=gone).delete()
        transaction.on_commit(phrases_changed, using=using)


def write_after_migrate(app_config: AppConfig | None = None, using: str = "default", **kwargs: Any) -> None:
    """Receiver of `post_migrate`. Not after `flush`, which sends the same signal without a plan."""
    if app_config is None or app_config.name != "ai" or "plan" not in kwargs:
        return
    if Phrase._meta.db_table in connections[using].introspection.table_names():
        write_shipped(using)


def mark_changed(phrase: Phrase, *, fields: list[str]) -> None:
    """Note before saving that staff changed `fields` of a phrase: what they wrote is not overwritten any more."""
    if set(fields) - {"enabled"}:
        phrase.shipped = False


def set_enabled(*, ids: list[int], enabled: bool) -> int:
    """Enable or disable phrases; returns how many changed."""
    changed = Phrase.objects.filter(pk__in=ids).exclude(enabled=enabled).update(enabled=enabled)
    transaction.on_commit(phrases_changed)
    return changed


def phrases_changed(**kwargs: Any) -> None:
    """Make every process compile the phrases again."""
    cache.set(_VERSION, uuid.uuid4().hex, timeout=None)


def changed_on_commit(**kwargs: Any) -> None:
    """Receiver of Django's signals of saved and deleted phrases."""
    transaction.on_commit(phrases_changed)


_compiled: tuple[str, float, Phrases] | None = None  # version, when, phrases


def current_phrases() -> Phrases:
    """All enabled phrases, compiled again when their version in the cache has changed.

    While the cache does not answer there is no version: what was compiled serves for `_UNKNOWN` seconds.
    """
    global _compiled
    version = cache.get_or_set(_VERSION, lambda: uuid.uuid4().hex, timeout=None) or ""
    known, now = _compiled, time.monotonic()
    if known is not None and known[0] == version and (version or now - known[1] < _UNKNOWN):
        return known[2]
    # The version was read before the rows: a change in between makes the next call compile again.
    phrases = _compile(tuple(_rule(phrase) for phrase in Phrase.objects.filter(enabled=True).order_by("pk")))
    _compiled = (version, now, phrases)
    return phrases


@functools.lru_cache(maxsize=1)
def _compile(rules: tuple[Rule, ...]) -> Phrases:
    """Takes half a second, so not again for the same rules: a cache that was emptied has a new version too."""
    return Phrases(rules)


def _key(phrase: Phrase) -> Key:
    return phrase.text, phrase.domain, phrase.allowed


def _rule(phrase: Phrase) -> Rule:
    return Rule(
        text=phrase.text,
        domain=phrase.domain,
        category=phrase.category,
        allowed=phrase.allowed,
        severity=Severity(phrase.severity),
        law=phrase.law,
        reason=phrase.reason,
        suggestion=phrase.suggestion,
    )
