"""HTTP dates for the answers of stand-ins."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime


def date_after(seconds: float) -> str:
    """An HTTP date at least `seconds` from now, and up to a second more, as HTTP dates hold whole seconds."""
    when = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=seconds + 1)
    return format_datetime(when, usegmt=True)
