"""Quiet hours: wall times in Taipei, the first inclusive, the second exclusive, over midnight too."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from notifications.models import Subscription
from notifications.services.notify import quiet_until_after

TAIPEI = ZoneInfo("Asia/Taipei")
DAY = timedelta(days=1)


def quiet(start: str | None, end: str | None) -> Subscription:
    return Subscription(
        quiet_from=time.fromisoformat(start) if start else None, quiet_until=time.fromisoformat(end) if end else None
    )


def taipei(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=TAIPEI)


@pytest.mark.parametrize(
    ("hours", "moment", "until"),
    [
        (("22:00", "08:00"), "2026-11-25 21:59:59.999999", None),
        (("22:00", "08:00"), "2026-11-25 22:00", "2026-11-26 08:00"),
        (("22:00", "08:00"), "2026-11-25 23:59:59", "2026-11-26 08:00"),
        (("22:00", "08:00"), "2026-11-26 00:00", "2026-11-26 08:00"),
        (("22:00", "08:00"), "2026-11-26 07:59:59.999999", "2026-11-26 08:00"),
        (("22:00", "08:00"), "2026-11-26 08:00", None),
        (("12:00", "13:30"), "2026-11-25 12:00", "2026-11-25 13:30"),
        (("12:00", "13:30"), "2026-11-25 13:30", None),
        (("00:00", "06:00"), "2026-11-25 00:00", "2026-11-25 06:00"),
        (("18:00", "00:00"), "2026-12-31 18:00", "2027-01-01 00:00"),
        (("18:00", "00:00"), "2026-12-31 00:00", None),
        (("08:00", "08:00"), "2026-11-25 08:00", None),
        ((None, None), "2026-11-25 03:00", None),
    ],
)
def test_the_edges(hours: tuple[str | None, str | None], moment: str, until: str | None) -> None:
    assert quiet_until_after(quiet(*hours), taipei(moment)) == (taipei(until) if until else None)


@given(
    start=st.times(),
    end=st.times(),
    moment=st.datetimes(datetime(1990, 1, 1), datetime(2199, 1, 1), timezones=st.just(UTC)),
)
@example(start=time(22), end=time(8), moment=datetime(2026, 11, 25, 14, tzinfo=UTC))
@example(start=time(22), end=time(22), moment=datetime(2026, 11, 25, 14, tzinfo=UTC))
def test_as_a_clock_that_goes_round(start: time, end: time, moment: datetime) -> None:
    def since_midnight(clock: time) -> timedelta:
        return datetime.combine(datetime.min, clock) - datetime.min

    local = moment.astimezone(TAIPEI)
    now = since_midnight(local.time())
    length = (since_midnight(end) - since_midnight(start)) % DAY
    gone = (now - since_midnight(start)) % DAY

    until = quiet_until_after(Subscription(quiet_from=start, quiet_until=end), moment)

    if gone < length:
        assert until is not None
        assert until - moment == length - gone
        assert until.astimezone(TAIPEI).time() == end
        assert quiet_until_after(Subscription(quiet_from=start, quiet_until=end), until) is None
    else:
        assert until is None
