"""A real small model writes copy through our endpoint: opt-in (`make test-long`), on one thread."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

from ai.models import Call, Generation
from ai.providers.base import Prompt
from ai.providers.errors import ContextTooLong
from ai.providers.ollama import OllamaClient, fewest_tokens
from ai.providers.wire import Wire
from tests.ai.test_generate import ask, events

if TYPE_CHECKING:
    from tests.fakes.small_model import SmallModel

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]  # reads some 2,500 tokens on one busy core


@pytest.fixture(scope="module")
def served() -> Iterator[SmallModel]:
    pytest.importorskip("xllamacpp", reason="make test-long installs requirements/long.txt")
    from tests.fakes.small_model import SmallModel  # its library is there in long runs only

    with SmallModel() as made:
        yield made


@pytest.fixture
def small(served: SmallModel, settings: Any) -> SmallModel:
    settings.OLLAMA_URL, settings.OLLAMA_MODEL = served.url, "smollm2:135m"
    settings.OLLAMA_NUM_CTX, settings.AI_MAX_OUTPUT_TOKENS = 4096, 200
    served.requests.clear()
    return served


def test_a_real_model_writes_whole_and_as_a_stream(api: Client, small: SmallModel) -> None:
    whole = ask(api, product_name="Aloe gel 300ml", keywords=["fresh"]).json()
    assert whole.get("content"), whole
    (sent,) = small.prompts
    assert sent["options"]["num_ctx"] == 4096
    # The model's own tokenizer counted; far fewer than the text can have would mean a prompt that was cut.
    assert fewest_tokens(sent["system"] + sent["prompt"]) < whole["input_tokens"] < 4096
    assert 0 < whole["output_tokens"] <= 200
    assert Call.objects.get().input_tokens == whole["input_tokens"]

    found = events(b"".join(ask(api, product_name="Aloe gel 300ml", stream=True).streaming_content))
    deltas = [data["text"] for kind, data in found if kind == "delta"]
    kind, done = found[-1]
    assert (kind, len(deltas) > 1) == ("done", True)
    assert Generation.objects.get(pk=done["id"]).content == done["content"]


def test_a_prompt_that_a_real_context_cuts_is_a_failure(small: SmallModel) -> None:
    client = OllamaClient(small.url, "smollm2:135m", 256)
    prompt = Prompt("Write copy.", "A very long description. " * 100, 20, time.monotonic() + 100)
    with pytest.raises(ContextTooLong):
        list(client.generate(prompt, Wire()))
    assert len(small.prompts) == 1
