"""How long to wait before another attempt. Loads neither Django nor Celery: the spider's child imports it."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_LONGEST_ASKED = 1e9  # seconds; a Retry-After of hundreds of digits is still a finite number


def backoff(attempts: int, *, base: float, longest: float) -> float:
    """Return the seconds to wait after `attempts` failed attempts (1 or more).

    `base` doubles with each attempt up to `longest`. Jitter takes up to a fifth off, so that workers that failed
    together do not return together.
    """
    doubled = base * 2.0 ** min(max(attempts, 1) - 1, 60)
    return min(longest, doubled) * random.uniform(0.8, 1)  # noqa: S311 - nothing secret depends on it


def retry_after(header: str | bytes | None, *, now: datetime | None = None) -> float | None:
    """Return the seconds that a Retry-After header asks for, in either form of RFC 9110 (10.2.3).

    0 for a date that has passed, None for a header that is missing or unreadable. `now` is aware.
    """
    text = (header.decode("latin-1") if isinstance(header, bytes) else header or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), _LONGEST_ASKED)
    try:
        when = parsedate_to_datetime(text)
        # A date without a zone is in UTC (RFC 9110, 5.6.7).
        return max(0.0, (when.replace(tzinfo=when.tzinfo or UTC) - (now or datetime.now(UTC))).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None
