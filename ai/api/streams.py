"""Server-sent events of a generation."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from django.http import StreamingHttpResponse

from ai.services.copywriting import Event
from momo.core.errors import ServerError
from momo.rest.encoding import dumps
from momo.rest.errors import body_of, to_service_error

logger = logging.getLogger(__name__)

CONTENT_TYPE = "text/event-stream"
HEARTBEAT = b": heartbeat\n\n"


class _Written:
    """The events as bytes. `close`, which the server calls when its client is gone, ends the generation.

    A generator of its own would not do: closed before its first step, it would not close the one inside.
    """

    def __init__(self, events: Iterator[Event]) -> None:
        self._events = events
        self._over = False

    def __iter__(self) -> _Written:
        return self

    def __next__(self) -> bytes:
        if self._over:
            raise StopIteration
        try:
            event = next(self._events)
        except StopIteration:
            raise
        except Exception as error:
            self._over = True
            return _event("error", body_of(_failure(error)))
        return HEARTBEAT if event.kind in {"heartbeat", "started"} else _event(event.kind, event.data)

    def close(self) -> None:
        self._events.close()  # type: ignore[attr-defined]


def stream_response(events: Iterator[Event]) -> StreamingHttpResponse:
    """The answer that writes `events`, a generator, as they come; nothing on the way keeps them back."""
    return StreamingHttpResponse(
        _Written(events), content_type=CONTENT_TYPE, headers={"X-Accel-Buffering": "no", "Cache-Control": "no-store"}
    )


def _failure(error: Exception):  # type: ignore[no-untyped-def]
    failure = to_service_error(error)
    if failure is None:
        logger.error("Unhandled exception in a stream", exc_info=error)
    return failure or ServerError()


def _event(kind: str, data: object) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), dumps(data))
