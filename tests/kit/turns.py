"""Cases that are much alike and dear: each run tries a part of them, another one each day; long runs try all."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import date
from typing import Any, TypeVar

import pytest

_T = TypeVar("_T")


def in_turns(parts: int) -> pytest.MarkDecorator:
    """Gives the test `parts`: so many, and in long runs 1, for which there is more time."""
    whole = pytest.param(1, marks=[pytest.mark.long, pytest.mark.timeout(1200)])
    return pytest.mark.parametrize("parts", [parts, whole], ids=["turn", "all"])


def each_in_turns(name: str, cases: Iterable[Any], parts: int) -> pytest.MarkDecorator:
    """Parametrizes the test by `name`: one of `parts` parts of `cases`, and in long runs the others too."""
    tried = day().toordinal() % parts
    marked = [
        pytest.param(case, marks=() if number % parts == tried else pytest.mark.long)
        for number, case in enumerate(cases)
    ]
    return pytest.mark.parametrize(name, marked)


def day() -> date:
    """The day whose turn it is: today, or TEST_DAY."""
    return date.fromisoformat(os.environ.get("TEST_DAY") or date.today().isoformat())


def turn(cases: Iterable[_T], parts: int) -> list[_T]:
    """One of `parts` parts of `cases`. TEST_DAY=2026-01-31 tries those of that day again."""
    print(f"TEST_DAY={day()}")  # for somebody who reads why a test failed
    return list(cases)[day().toordinal() % parts :: parts]
