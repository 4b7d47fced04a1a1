"""Both clients over real HTTP: every answer, every error and every broken stream is told apart."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import google.genai
import ollama as makers_ollama
import pytest
from google.genai import types
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ai.providers import errors
from ai.providers.base import Chunk, Prompt
from ai.providers.gemini import GeminiClient
from ai.providers.ollama import OllamaClient
from ai.providers.thinking import ThinkingFilter
from ai.providers.wire import Wire, pump
from momo.local.processes import free_port
from tests.fakes.gemini import KEY, Gemini
from tests.fakes.gemini import MODEL as GEMINI_MODEL
from tests.fakes.ollama import MODEL, Ollama
from tests.kit.processes import wait_until


def of(fake: Any, **values: Any) -> Any:
    if isinstance(fake, Ollama):
        return OllamaClient(**{"url": fake.url, "model": MODEL, "num_ctx": 4096, **values})
    return GeminiClient(**{"url": fake.url, "model": GEMINI_MODEL, "key": KEY, **values})


def prompt(user: str = "寫文案", *, seconds: float = 60) -> Prompt:
    return Prompt("系統", user, 500, time.monotonic() + seconds)


def chunks(client: Any, given: Prompt | None = None) -> list[Chunk]:
    return list(client.generate(given or prompt(), Wire()))


def text(found: list[Chunk]) -> str:
    return "".join(chunk.text for chunk in found)


# --- Answers ----------------------------------------------------------------------------------------------------------


def test_ollama_writes(ollama: Ollama) -> None:
    found = chunks(of(ollama))
    assert text(found) == "清爽保濕，每天都想用。"
    assert found[-1].usage is not None
    assert (found[-1].usage.output_tokens, found[-1].model) == (85, MODEL)
    sent = ollama.prompts[0]
    assert (sent["system"], sent["prompt"], sent["stream"]) == ("系統", "寫文案", True)
    assert sent["options"]["num_ctx"] == 4096
    assert sent["options"]["num_predict"] == 500


def test_gemini_writes_and_counts_thoughts_as_output(gemini: Gemini) -> None:
    gemini.says("清爽", "保濕", thoughts="先想想")
    found = chunks(of(gemini))
    assert text(found) == "清爽保濕"
    assert found[-1].usage is not None
    assert (found[-1].usage.input_tokens, found[-1].usage.output_tokens) == (100, 85)
    sent = gemini.prompts[0]
    assert sent["systemInstruction"] == {"parts": [{"text": "系統"}]}
    assert sent["contents"] == [{"role": "user", "parts": [{"text": "寫文案"}]}]
    assert sent["generationConfig"]["maxOutputTokens"] == 500
    request = gemini.requests[0]
    assert KEY not in request.path + str(request.params)


def test_missing_counts_are_unknown(ollama: Ollama, gemini: Gemini) -> None:
    ollama.says(counts=False)
    gemini.says("好", counts=None)
    for fake in (ollama, gemini):
        usage = chunks(of(fake))[-1].usage
        assert usage is not None
        assert (usage.input_tokens, usage.output_tokens) == (None, None)


def test_a_search_is_grounded(gemini: Gemini) -> None:
    grounding = {
        "webSearchQueries": ["保濕", "精華液"],
        "groundingChunks": [{"web": {"uri": "https://a", "title": "A"}}],
    }
    gemini.says("找到了", grounding=grounding)
    answer = of(gemini).search(prompt(), Wire())
    assert (answer.text, answer.grounding, answer.usage.searches, answer.failure) == ("找到了", grounding, 2, None)
    assert gemini.prompts[0]["tools"] == [{"google_search": {}}]
    gemini.says(block="SAFETY")
    assert isinstance(of(gemini).search(prompt(), Wire()).failure, errors.Blocked)


# --- Thinking ---------------------------------------------------------------------------------------------------------


@given(cuts=st.lists(st.integers(0, 40), max_size=8))
@hypothesis_settings(max_examples=60)
def test_thinking_is_split_off_wherever_pieces_end(cuts: list[int]) -> None:
    whole = "<think>a<b</think>甲 <乙> <THINK>c</Think>丙<"
    places = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    made = ThinkingFilter()
    pieces = [made.feed(whole[start:end]) for start, end in itertools.pairwise(places)]
    assert "".join(pieces) + made.end() == "甲 <乙> 丙<"
    assert not made.leaked


def test_thinking_in_any_form_never_reaches_the_copy(ollama: Ollama, gemini: Gemini) -> None:
    ollama.says("<thi", "nk>想</th", "ink>好文案", thinking="另外想")
    gemini.says("<think>想", "</think>好文案")
    assert text(chunks(of(ollama))) == text(chunks(of(gemini))) == "好文案"
    ollama.says("在提示裡開始的想法</think>好文案")
    assert text(chunks(of(ollama))) == "好文案"
    ollama.says("已經送出的想法", "</think>好文案")
    with pytest.raises(errors.BadAnswer):
        chunks(of(ollama))
    ollama.says("<think>只有想法")
    with pytest.raises(errors.BadAnswer):
        chunks(of(ollama))


# --- Errors -----------------------------------------------------------------------------------------------------------

OLLAMA: dict[str, tuple[dict[str, Any], type[errors.ProviderError]]] = {
    "length": ({"done_reason": "length"}, errors.CutOff),
    "unknown reason": ({"done_reason": "unload"}, errors.BadAnswer),
    "error in mid-stream": ({"fault": "error"}, errors.BadAnswer),
    "context in mid-stream": ({"fault": "error", "error": "exceeds the context length"}, errors.ContextTooLong),
    "no end": ({"fault": "no_end"}, errors.BadAnswer),
    "no JSON": ({"fault": "garbage"}, errors.BadAnswer),
    "cut connection": ({"fault": "cut"}, errors.BadAnswer),
}
GEMINI: dict[str, tuple[dict[str, Any], type[errors.ProviderError]]] = {
    "length": ({"finish": "MAX_TOKENS"}, errors.CutOff),
    "safety": ({"finish": "SAFETY"}, errors.Blocked),
    "blocked prompt": ({"block": "PROHIBITED_CONTENT"}, errors.Blocked),
    "unknown reason": ({"finish": "SOMETHING_NEW"}, errors.BadAnswer),
    "no end": ({"finish": None}, errors.BadAnswer),
    "error in mid-stream": ({"fault": "error"}, errors.Overloaded),
    "no JSON": ({"fault": "garbage"}, errors.BadAnswer),
    "cut connection": ({"fault": "cut"}, errors.BadAnswer),
}


@pytest.mark.parametrize("case", OLLAMA)
def test_endings_of_ollama(case: str, ollama: Ollama) -> None:
    values, expected = OLLAMA[case]
    ollama.says(**values)
    with pytest.raises(expected):
        chunks(of(ollama))
    assert len(ollama.prompts) == 1, "not repeated after the first token"


@pytest.mark.parametrize("case", GEMINI)
def test_endings_of_gemini(case: str, gemini: Gemini) -> None:
    values, expected = GEMINI[case]
    gemini.says("開頭", **values)
    with pytest.raises(expected):
        chunks(of(gemini))
    assert len(gemini.prompts) == 1, "not repeated after the first token"


def test_an_empty_answer_is_a_failure(ollama: Ollama, gemini: Gemini) -> None:
    ollama.says(" ")
    gemini.says(" \n")
    for fake in (ollama, gemini):
        with pytest.raises(errors.BadAnswer):
            chunks(of(fake))


def test_not_running() -> None:
    for client in (
        OllamaClient(f"http://127.0.0.1:{free_port()}", MODEL, 4096),
        GeminiClient(f"http://127.0.0.1:{free_port()}", GEMINI_MODEL, KEY),
    ):
        with pytest.raises(errors.NotRunning):
            chunks(client)


def test_refusals(ollama: Ollama, gemini: Gemini) -> None:
    """Each names what to do; none repeats the key or the provider's own words."""
    with pytest.raises(errors.ModelMissing, match="ollama pull other"):
        chunks(of(ollama, model="other"))
    ollama.fail(400, "the input exceeds the available context size")
    with pytest.raises(errors.ContextTooLong):
        chunks(of(ollama))
    with pytest.raises(errors.ModelMissing, match="GEMINI_MODEL"):
        chunks(of(gemini, model="other"))
    with pytest.raises(errors.Denied, match="GEMINI_API_KEY"):
        chunks(of(gemini, key="wrong-secret"))
    with pytest.raises(errors.NotSet, match="GEMINI_API_KEY"):
        chunks(of(gemini, key=""))
    gemini.fail(400, "INVALID_ARGUMENT", message="The input token count (9) exceeds the maximum number of tokens (8).")
    with pytest.raises(errors.ContextTooLong):
        chunks(of(gemini))
    assert "wrong-secret" not in repr(of(gemini, key="wrong-secret"))


def test_a_prompt_that_ollama_cut_is_a_failure(ollama: Ollama) -> None:
    """It answers 200 and says nothing."""
    with pytest.raises(errors.ContextTooLong):
        chunks(of(ollama, num_ctx=512), prompt("長" * 1000))
    assert len(ollama.prompts) == 1
    with pytest.raises(errors.ContextTooLong):
        chunks(of(ollama, num_ctx=512), prompt("長" * 4000))
    assert len(ollama.prompts) == 1, "one that cannot fit is not sent"


# --- Retries and time -------------------------------------------------------------------------------------------------


def test_refusals_for_now_are_repeated(ollama: Ollama, gemini: Gemini) -> None:
    ollama.fail(429, "busy", **{"Retry-After": "0"})
    gemini.fail(429, "RESOURCE_EXHAUSTED", retry_delay="0.05s")
    gemini.fail(503, "UNAVAILABLE", retry_delay="0s")
    assert text(chunks(of(ollama))) == text(chunks(of(gemini)))
    assert (len(ollama.prompts), len(gemini.prompts)) == (2, 3)


def test_a_wait_beyond_the_deadline_is_not_begun(gemini: Gemini) -> None:
    gemini.fail(429, "RESOURCE_EXHAUSTED", retry_delay="23s")
    with pytest.raises(errors.Quota):
        chunks(of(gemini), prompt(seconds=5))
    assert len(gemini.prompts) == 1


def test_the_quota_of_a_day_is_not_repeated(gemini: Gemini) -> None:
    gemini.fail(429, "RESOURCE_EXHAUSTED", retry_delay="0s", quotaId="GenerateRequestsPerDayPerProject")
    with pytest.raises(errors.Quota):
        chunks(of(gemini))
    assert len(gemini.prompts) == 1


def test_failures_that_stay(ollama: Ollama) -> None:
    ollama.fail(429, "busy", times=9, **{"Retry-After": "0"})
    with pytest.raises(errors.Quota):
        chunks(of(ollama))
    assert len(ollama.prompts) == 4


def test_the_deadline_holds_whatever_trickles_in(ollama: Ollama) -> None:
    ollama.says(*["字"] * 10_000, pause=0.01)
    given = prompt(seconds=0.3)
    with pytest.raises(errors.Timeout), closing(source(ollama, given)) as found:  # type: ignore[type-var]
        list(found)
    wait_until(lambda: ollama.gone, "the connection to end")


def test_who_goes_away_ends_a_call_that_waits_for_its_first_token(ollama: Ollama) -> None:
    ollama.says()
    ollama.reply.cold.clear()
    found = source(ollama, prompt(seconds=100))
    assert next(found) is None
    wait_until(lambda: ollama.requests, "the request")
    found.close()  # type: ignore[attr-defined]
    wait_until(lambda: ollama.gone, "the connection to end")
    assert not [thread for thread in threading.enumerate() if thread.name == "ai-provider"]


def source(ollama: Ollama, given: Prompt) -> Iterator[Chunk | None]:
    return pump(lambda wire: of(ollama).generate(given, wire), deadline=given.deadline, tick=0.02)


# --- State ------------------------------------------------------------------------------------------------------------


def test_state(ollama: Ollama, gemini: Gemini) -> None:
    assert of(ollama).state().models == [MODEL]
    assert of(gemini).state().available
    missing = of(ollama, model="other").state()
    assert (missing.available, missing.models) == (False, [MODEL])
    assert "ollama pull other" in missing.reason
    assert "GEMINI_API_KEY" in of(gemini, key="").state().reason
    assert not OllamaClient(f"http://127.0.0.1:{free_port()}", MODEL, 4096).state().available


# --- The makers' own clients, unchanged -------------------------------------------------------------------------------


def test_the_makers_client_of_ollama(ollama: Ollama) -> None:
    client = makers_ollama.Client(host=ollama.url)
    assert [model.model for model in client.list().models] == [MODEL]
    written = client.generate(model=MODEL, prompt="寫", system="系統", stream=True)
    assert "".join(part.response for part in written) == "清爽保濕，每天都想用。"
    said = client.chat(model=MODEL, messages=[{"role": "user", "content": "寫"}])
    assert (said.message.content, said.done_reason, said.eval_count) == ("清爽保濕，每天都想用。", "stop", 85)
    with pytest.raises(makers_ollama.ResponseError, match="not found"):
        client.generate(model="other", prompt="寫")


def test_the_makers_client_of_gemini(gemini: Gemini) -> None:
    client = google.genai.Client(api_key=KEY, http_options=types.HttpOptions(base_url=gemini.url))
    parts = list(client.models.generate_content_stream(model=GEMINI_MODEL, contents="寫"))
    assert "".join(part.text or "" for part in parts) == "清爽保濕，每天都想用。"
    assert parts[-1].usage_metadata.thoughts_token_count == 25
    whole = client.models.generate_content(model=GEMINI_MODEL, contents="寫")
    assert whole.text == "清爽保濕，每天都想用。"
    stranger = google.genai.Client(api_key="x", http_options=types.HttpOptions(base_url=gemini.url))
    with pytest.raises(google.genai.errors.ClientError, match="API key not valid"):
        stranger.models.generate_content(model=GEMINI_MODEL, contents="寫")


# --- A stand-in that nobody here wrote (the package llmock, with its pytest fixture) ----------------------------------


def test_gemini_as_llmock_plays_it(llmock: Any) -> None:
    client = GeminiClient(llmock.base_url("gemini"), GEMINI_MODEL, KEY)
    llmock.reply("清爽 保濕 每天 都想用", times=2)
    found = chunks(client)
    assert (text(found), len(found) > 3, found[-1].model) == ("清爽 保濕 每天 都想用", True, GEMINI_MODEL)
    assert found[-1].usage is not None
    answer = client.search(prompt("寫一段清爽保濕的文案"), Wire())
    assert (answer.text, answer.usage.output_tokens) == (text(found), found[-1].usage.output_tokens)
    assert answer.usage.input_tokens


def test_llmock_judges_how_our_client_meets_failures(llmock: Any) -> None:
    """Waits as long as asked, repeats what can succeed and nothing else, trusts no stream without its end."""
    client = GeminiClient(llmock.base_url("gemini"), GEMINI_MODEL, KEY)
    llmock.rate_limit(retry_after=0.3).fail(503, retry_after=0.3)
    assert text(chunks(client))
    assert [request.status for request in llmock.requests] == [429, 503, 200]
    llmock.assert_resilient(strict=True)
    for refuse, error in (
        (llmock.context_overflow, errors.ContextTooLong),
        (lambda: llmock.fail(403), errors.Denied),
        (lambda: llmock.fail(404), errors.ModelMissing),
        (llmock.truncate, errors.BadAnswer),
        (llmock.corrupt, errors.BadAnswer),
        (llmock.disconnect, errors.BadAnswer),
    ):
        llmock.reset().reply("一 二 三 四")
        refuse()
        with pytest.raises(error):
            chunks(client)
        assert len(llmock.requests) == 1
