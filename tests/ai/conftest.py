"""Stand-ins of both providers, as the settings name them, and the shipped phrases, compiled without a database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ai.checks.claims import Phrases, Rule
from ai.checks.warnings import Severity
from ai.services.phrases import shipped_phrases
from tests.fakes.gemini import KEY, Gemini
from tests.fakes.ollama import Ollama


def shipped_rules() -> list[Rule]:
    """A rule for each shipped phrase."""
    made = []
    for (text, domain, allowed), fields in shipped_phrases().items():
        given = {name: fields.get(name, "") for name in ("category", "law", "reason", "suggestion")}
        made.append(Rule(text=text, domain=domain, allowed=allowed, severity=Severity(fields["severity"]), **given))
    return made


@pytest.fixture(scope="session")
def phrases() -> Phrases:
    return Phrases(shipped_rules())


@pytest.fixture
def ollama(settings: Any) -> Iterator[Ollama]:
    with Ollama() as made:
        settings.OLLAMA_URL = made.url
        yield made


@pytest.fixture
def gemini(settings: Any) -> Iterator[Gemini]:
    with Gemini() as made:
        settings.GEMINI_URL, settings.GEMINI_API_KEY = made.url, KEY
        yield made
