"""Writes copy: refuses what can be refused, reserves, calls the provider, finishes and checks the text, keeps it.

No connection of the database is held while a provider is waited for.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from django.conf import settings
from django.db import transaction

from ai.models import Call, Generation, Style
from ai.models.calls import Provider as Name
from ai.providers.base import Chunk, Prompt, Provider, Usage
from ai.providers.errors import CutOff, ProviderError
from ai.providers.wire import pump
from ai.selectors.styles import enabled_styles
from ai.services import budget, prompts
from ai.services.checking import LONGEST
from ai.services.finishing import Text, finish
from ai.services.providers import provider_named
from ai.services.slots import slot
from ai.services.subjects import Subject, subject_of
from momo.core.errors import RateLimited, Unavailable, UpstreamError, ValidationFailed
from momo.core.work import reconnect

HEARTBEAT = 1.0  # seconds of silence until a client is told that we live, and told apart from one that went away
BEAT = 10.0  # seconds between two heartbeats of a call's row


@dataclass(frozen=True)
class Order:
    """What a user asks for, as the API checked it. `product_id` is momo's goods code."""

    provider: str = Name.OLLAMA
    product_name: str = ""
    product_id: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    domain: str = ""
    style: str = ""
    keywords: Sequence[str] = ()
    length: int = prompts.DEFAULT_LENGTH
    variants: int = 1


@dataclass(frozen=True)
class Event:
    """`started`: nothing is refused any more, data is empty; `heartbeat`: nothing came for a second.

    `delta` is `{"text", "variant"}` as the model writes it; `warning` a warning with its `variant`; `done` the answer.
    """

    kind: Literal["started", "heartbeat", "delta", "warning", "done"]
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Job:
    order: Order
    subject: Subject
    style: Style
    system: str
    parts: list[str]  # the user's part of each variant

    @property
    def input_tokens(self) -> int:
        return sum(budget.most_tokens(self.system + part) for part in self.parts)


def write_copy(*, user: Any, order: Order) -> Iterator[Event]:
    """Events of one order; the first is `started`, the last `done`. Closing the iterator ends the call of the provider.

    Raises ValidationFailed, Unavailable and RateLimited before `started`, UpstreamError after it.
    """
    job = _prepare(order)
    with slot():
        yield from _Writing(user, job).events()


def _prepare(order: Order) -> _Job:
    subject = subject_of(
        product_id=order.product_id, product_name=order.product_name, facts=order.facts, domain=order.domain
    )
    style = _style(order.style)
    parts = [
        prompts.user_of(
            product_name=subject.name,
            facts=subject.facts,
            keywords=order.keywords,
            length=order.length,
            number=number,
            of=order.variants,
        )
        for number in range(1, order.variants + 1)
    ]
    return _Job(order, subject, style, prompts.system_of(style, subject.domain), parts)


def _style(name: str) -> Style:
    styles = enabled_styles()
    found = (styles.filter(name=name) if name else styles).first()
    if found is not None:
        return found
    names = styles.values_list("name", flat=True)
    if not names:
        raise Unavailable("文案風格", "請管理員在「文案風格」啟用至少一種")
    raise ValidationFailed(fields={"style": [f"沒有這個風格；可用：{'、'.join(names)}"]})


class _Writing:
    """One order on its way; `call` is the row that is reserved at the moment."""

    def __init__(self, user: Any, job: _Job) -> None:
        self.user, self.job = user, job
        self.began = time.monotonic()
        self.deadline = self.began + settings.AI_TIMEOUT
        self.texts: list[str] = []
        self.written = False  # whether something has been shown

    def events(self) -> Iterator[Event]:
        """See `write_copy`."""
        first = provider_named(self.job.order.provider)
        self._reserve(first)
        try:
            yield Event("started")
            try:
                yield from self._from(first)
            except ProviderError as error:
                self._end(Call.Status.FAILED, error)
                yield from self._from_another(first, error)
            yield from self._done()
        except GeneratorExit:
            self._end_running(Call.Status.ABORTED, "client_gone")
            raise
        except BaseException:
            self._end_running(Call.Status.FAILED, "internal")
            raise

    def _reserve(self, client: Provider, *, fallback_from: str = "") -> None:
        order = self.job.order
        self.call = budget.reserve(
            user=self.user,
            kind=Call.Kind.COPY,
            provider=client.name,
            model=client.model,
            input_tokens=self.job.input_tokens,
            max_output=settings.AI_MAX_OUTPUT_TOKENS * order.variants,
            fallback_from=fallback_from,
        )
        self.notices = budget.near_limit(self.call)
        self.meter = _Meter()
        self.model, self.label = client.model, client.label
        self.started = self.beaten = time.monotonic()

    def _from_another(self, first: Provider, error: ProviderError) -> Iterator[Event]:
        """The other provider, where a setting allows it and nothing was shown. Raises UpstreamError."""
        failure = UpstreamError(first.label, str(error))
        name = Name.GEMINI if first.name == Name.OLLAMA else Name.OLLAMA
        if self.written or not error.replaceable or name not in settings.AI_FALLBACK:
            raise failure from error
        try:
            other = provider_named(name)
            self._reserve(other, fallback_from=first.name)
        except (RateLimited, Unavailable) as refused:
            raise UpstreamError(first.label, f"{error}（備援 {Name(name).label} 也不能用：{refused}）") from error
        try:
            yield from self._from(other)
        except ProviderError as second:
            self._end(Call.Status.FAILED, second)
            raise UpstreamError(other.label, f"{second}（原本的 {failure}）") from second

    def _from(self, client: Provider) -> Iterator[Event]:
        """Each variant, one after the other."""
        self.texts = []
        for number, part in enumerate(self.job.parts):
            prompt = Prompt(self.job.system, part, settings.AI_MAX_OUTPUT_TOKENS, self.deadline)
            self.meter.begin(budget.most_tokens(prompt.system + prompt.user))
            text = ""
            reconnect()
            for chunk in pump(functools.partial(client.generate, prompt), deadline=self.deadline, tick=HEARTBEAT):
                self._beat()
                if chunk is None:
                    yield Event("heartbeat")
                    continue
                self.meter.add(chunk)
                self.model = chunk.model or self.model
                text += chunk.text
                if len(text) > LONGEST:
                    raise CutOff
                if chunk.text:
                    self.written = True
                    yield Event("delta", {"text": chunk.text, "variant": number})
            self.texts.append(text.strip())

    def _beat(self) -> None:
        if time.monotonic() - self.beaten >= BEAT:
            usage = self.meter.usage()
            budget.beat(self.call, input_tokens=usage.input_tokens or 0, output_tokens=usage.output_tokens or 0)
            reconnect()
            self.beaten = time.monotonic()

    def _done(self) -> Iterator[Event]:
        texts = [finish(text=text, subject=self.job.subject) for text in self.texts]
        with transaction.atomic():
            self._settle(Call.Status.SUCCEEDED, "", self.meter.usage())
            rows = [self._keep(text) for text in texts]
        for number, text in enumerate(texts):
            for warning in text.warnings:
                yield Event("warning", {**warning, "variant": number})
        yield Event("done", self._answer(texts, rows))

    def _keep(self, text: Text) -> Generation:
        order, subject = self.job.order, self.job.subject
        return Generation.objects.create(
            kind=Call.Kind.COPY,
            user=self.user,
            call=self.call,
            product=subject.product,
            product_name=subject.name[:500],
            style=self.job.style.name,
            request={
                "provider": order.provider,
                "keywords": list(order.keywords),
                "length": order.length,
                "variants": order.variants,
                "domain": subject.domain,
                "facts": order.facts,
            },
            content=text.content,
            original=text.original,
            warnings=text.warnings,
        )

    def _answer(self, texts: list[Text], rows: list[Generation]) -> dict[str, Any]:
        variants = [{"id": row.pk, **text.as_dict()} for text, row in zip(texts, rows, strict=True)]
        return {
            **variants[0],
            "model": self.model,
            "provider": self.call.provider,
            "fallback_from": self.call.fallback_from,
            "style": self.job.style.name,
            "domain": self.job.subject.domain,
            "duration": round(time.monotonic() - self.began, 2),
            "input_tokens": self.call.input_tokens,
            "output_tokens": self.call.output_tokens,
            "notices": self.notices,
            "variants": variants,
        }

    def _end(self, status: str, error: ProviderError) -> None:
        self._settle(status, error.kind, self.meter.usage(unfinished=error.charged or self.written))

    def _end_running(self, status: str, kind: str) -> None:
        if self.call.status == Call.Status.RUNNING:
            self._settle(status, kind, self.meter.usage())

    def _settle(self, status: str, kind: str, usage: Usage) -> None:
        budget.settle(self.call, usage=usage, seconds=time.monotonic() - self.started, status=status, error=kind)


class _Meter:
    """Tokens of a call: counted by the provider, estimated where it did not say or never came to it."""

    def __init__(self) -> None:
        self._input = self._output = 0
        self._expected = self._received = 0  # of the variant that is being written

    def begin(self, input_tokens: int) -> None:
        """A prompt of at most `input_tokens` is sent."""
        self._close(Usage())
        self._expected, self._received = input_tokens, 0

    def add(self, chunk: Chunk) -> None:
        """What came; with counts, the prompt is over."""
        self._received += chunk.received
        if chunk.usage is not None:
            self._close(chunk.usage)

    def usage(self, *, unfinished: bool = True) -> Usage:
        """All prompts so far, with or without the one that is not over."""
        expected, received = (self._expected, self._received) if unfinished else (0, 0)
        return Usage(self._input + expected, self._output + received)

    def _close(self, usage: Usage) -> None:
        self._input += self._expected if usage.input_tokens is None else usage.input_tokens
        self._output += self._received if usage.output_tokens is None else usage.output_tokens
        self._expected = self._received = 0
