"""The providers as the settings describe them, and which can be used now."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils import timezone

from ai.models.calls import Provider as Name
from ai.providers.base import Provider, State
from ai.providers.gemini import GeminiClient
from ai.providers.ollama import OllamaClient
from ai.services.budget import price_on
from momo.core.errors import Unavailable
from momo.core.work import reconnect


def gemini() -> GeminiClient:
    """The client of Gemini. Raises Unavailable without a key."""
    if not settings.GEMINI_API_KEY:
        raise Unavailable("Gemini ", "請管理員設定 GEMINI_API_KEY")
    return GeminiClient(settings.GEMINI_URL, settings.GEMINI_MODEL, settings.GEMINI_API_KEY)


def ollama() -> OllamaClient:
    """The client of Ollama."""
    return OllamaClient(settings.OLLAMA_URL, settings.OLLAMA_MODEL, settings.OLLAMA_NUM_CTX)


def provider_named(name: str) -> Provider:
    """The provider of a request. Raises Unavailable if a setting is missing."""
    return gemini() if name == Name.GEMINI else ollama()


def provider_states() -> list[dict[str, Any]]:
    """Each provider: whether it can be used now, why not, and its models; Ollama is asked."""
    rows = []
    for name in Name.values:
        try:
            client = provider_named(name)
            price_on(provider=name, model=client.model, day=timezone.localdate())
        except Unavailable as error:
            rows.append(_row(name, _model(name), State(False, error.message, [])))
            continue
        reconnect()
        rows.append(_row(name, client.model, client.state()))
    return rows


def _model(name: str) -> str:
    return str(settings.GEMINI_MODEL if name == Name.GEMINI else settings.OLLAMA_MODEL)


def _row(name: str, model: str, state: State) -> dict[str, Any]:
    return {
        "provider": name,
        "label": Name(name).label,
        "available": state.available,
        "reason": state.reason,
        "model": model,
        "models": state.models,
    }
