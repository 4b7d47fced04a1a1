"""Sentences of staff: each is understood as it is meant, or declined with a reason; none is misunderstood silently."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from accounts.models import User
from bot.registry import Reply
from bot.words import understand
from tests.bot.sentences import BRANDS, CATEGORIES, PMS, ROWS
from tests.fakes.telegram.html import visible
from tests.sales.factories import DAY, publish, sale

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 30, 10, tzinfo=ZoneInfo("Asia/Taipei"))


@pytest.fixture
def _names() -> None:
    """A day with every name once."""
    days = (date(2026, 11, 29) - DAY).days
    publish(
        [
            *(sale(days, brand=one, pm="", category="") for one in BRANDS),
            *(sale(days, brand="", pm=one, category="") for one in PMS),
            *(sale(days, brand="", pm="", category=one) for one in CATEGORIES),
        ]
    )


def said(sentence: str, user: User) -> str:
    """The command, or `?` and what is asked or refused."""
    answer = understand(sentence, user=user, now=NOW)
    if isinstance(answer, Reply):
        visible(answer.text)
        assert answer.text
        return "?" + answer.text
    name, args = answer
    return " ".join((name, *args))


@pytest.mark.usefixtures("_names")
def test_sentences_of_staff_are_understood_or_declined(user: User) -> None:
    wrong = []
    for sentence, expected in ROWS:
        answer = said(sentence, user)
        fits = answer.startswith("?") and expected[1:] in answer if expected.startswith("?") else answer == expected
        if not fits:
            wrong.append(f"{sentence}: {expected} → {answer[:80]}")
    assert len(ROWS) >= 200
    assert not wrong, "\n".join(wrong)


@pytest.mark.usefixtures("_names")
def test_where_two_names_fit_each_is_a_button_that_is_understood(user: User) -> None:
    answer = understand("上週林美業績", user=user, now=NOW)
    assert isinstance(answer, Reply)
    assert [button.args for (button,) in answer.buttons] == [
        ("2026-11-23~2026-11-29", "pm", "林美玲"),
        ("2026-11-23~2026-11-29", "pm", "林美華"),
    ]


@pytest.mark.usefixtures("_names")
def test_an_unknown_name_is_answered_with_the_nearest(user: User) -> None:
    answer = understand("昨天雅詩藍黛業績", user=user, now=NOW)
    assert isinstance(answer, Reply)
    assert answer.buttons[0][0].args == ("2026-11-29", "brand", "雅詩蘭黛")


@pytest.mark.parametrize(
    ("today", "sentence", "expected"),
    [
        ((2026, 1, 1), "昨天業績", "sales 2025-12-31"),
        ((2026, 1, 1), "上個月業績", "month 2025-12"),
        ((2026, 1, 4), "週日業績", "sales 2026-01-04"),
        ((2026, 1, 4), "上週業績", "sales 2025-12-22~2025-12-28"),
        ((2026, 11, 10), "雙11業績", "sales 2025-11-11"),
        ((2026, 11, 10), "今年雙11業績", "?還沒到"),
        ((2024, 2, 29), "去年同期業績", "?同期"),
        ((2024, 2, 29), "2/29業績", "sales 2024-02-29"),
        ((2025, 3, 1), "2/29業績", "?2025/02/28"),
        ((2026, 3, 31), "30號業績", "sales 2026-03-30"),
    ],
)
def test_dates_without_a_year_are_the_latest_that_have_begun(
    today: tuple[int, int, int], sentence: str, expected: str, user: User
) -> None:
    now = datetime(*today, 0, 30, tzinfo=ZoneInfo("Asia/Taipei"))
    answer = understand(sentence, user=user, now=now)
    if isinstance(answer, Reply):
        assert expected[1:] in answer.text
    else:
        assert " ".join((answer[0], *answer[1])) == expected
