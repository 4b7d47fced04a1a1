"""Waits before another attempt: bounds of the back-off, and every form of Retry-After."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from momo.core.waits import backoff, retry_after

NOW = datetime(2026, 1, 30, 8, 0, tzinfo=UTC)


@given(
    attempts=st.integers(-1, 10_000), base=st.floats(0, 3600), longest=st.floats(0, 86_400), other=st.integers(1, 30)
)
def test_a_back_off_doubles_within_its_bounds(attempts: int, base: float, longest: float, other: int) -> None:
    assert 0 <= backoff(attempts, base=base, longest=longest) <= longest
    full = min(longest, base * 2 ** (other - 1))
    assert 0.8 * full <= backoff(other, base=base, longest=longest) <= full


def test_workers_that_failed_together_do_not_return_together() -> None:
    assert len({backoff(3, base=1, longest=60) for _ in range(50)}) > 40


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        (b"120", 120),
        (" 7 ", 7),
        ("0003", 3),
        ("9" * 400, 1e9),
        ("Fri, 30 Jan 2026 08:02:00 GMT", 120),
        (b"Fri, 30 Jan 2026 08:02:00 GMT", 120),
        ("Friday, 30-Jan-26 08:02:00 GMT", 120),
        ("Fri Jan 30 08:02:00 2026", 120),
        ("Fri, 30 Jan 2026 16:02:00 +0800", 120),
        ("Fri, 30 Jan 2026 07:00:00 GMT", 0),
    ],
)
def test_both_forms_of_retry_after(header: str | bytes, seconds: float) -> None:
    assert retry_after(header, now=NOW) == seconds


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        b"",
        " ",
        "soon",
        "-5",
        "+5",
        "1.5",
        "1e3",
        "٣",
        "²",
        "1 2",
        "Wed, 99 Nov 2026 08:00:00 GMT",
        "Wed, 1 Nov 99999 08:00:00 GMT",
        f"Wed, {'9' * 30} Nov 2026 08:00:00 GMT",
        b"\xff\xfe",
    ],
)
def test_a_retry_after_that_cannot_be_read(header: str | bytes | None) -> None:
    assert retry_after(header, now=NOW) is None


@given(header=st.one_of(st.text(), st.binary(), st.from_regex(r"\A\w{3}, \d+ Jan \d+ \d+:\d+:\d+ [+-]?\w*\Z")))
def test_no_header_breaks_the_parser(header: str | bytes) -> None:
    seconds = retry_after(header)
    assert seconds is None or 0 <= seconds < float("inf")


@given(ahead=st.integers(0, 10_000_000), hours=st.integers(-12, 14))
def test_a_date_counts_from_now_wherever_its_server_is(ahead: int, hours: int) -> None:
    there = (NOW + timedelta(seconds=ahead)).astimezone(timezone(timedelta(hours=hours)))
    assert retry_after(format_datetime(there), now=NOW) == ahead


def test_neither_django_nor_celery_is_loaded() -> None:
    asked = "import sys, momo.core.waits; assert not {'django', 'celery'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", asked], cwd=Path(__file__).parents[2], check=True, timeout=30)
