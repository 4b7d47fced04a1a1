"""What changed from one version of a template to the next, line by line, and in bounded time."""

from __future__ import annotations

import random

import pytest

from momo.admin.kit.diffs import MAX_LINES, Line
from notifications.admin.diffs import compared
from notifications.models import TemplateVersion
from tests.kit.clock import cpu_time


def lines(old: str, new: str) -> list[Line]:
    before, after = (TemplateVersion(title="t", body=body, format="plain", variables=[]) for body in (old, new))
    (one,) = compared(after, before)
    assert one.label == "內文"
    return one.lines


def written(found: list[Line]) -> list[str]:
    signs = {"same": " ", "removed": "-", "added": "+", "gap": "⋯"}
    return [f"{signs[line.kind]}{'' if line.kind == 'gap' else line.text}" for line in found]


def numbered(*rows: int) -> str:
    return "\n".join(f"第 {row} 列" for row in rows)


def test_a_change_stands_among_three_lines_of_what_stayed() -> None:
    found = lines(numbered(*range(20)), numbered(*range(10), 99, *range(11, 20)))

    assert written(found) == [
        *(f" 第 {row} 列" for row in (7, 8, 9)),
        "-第 10 列",
        "+第 99 列",
        *(f" 第 {row} 列" for row in (11, 12, 13)),
    ]
    assert [(line.old, line.new) for line in found[2:6]] == [(10, 10), (11, None), (None, 11), (12, 12)]


def test_changes_far_apart_have_a_gap_between() -> None:
    found = lines(numbered(*range(40)), numbered(*range(5), *range(6, 30), 99, *range(30, 40)))

    assert written(found).count("⋯") == 1
    assert [(line.kind, line.text, line.old, line.new) for line in found if line.kind in ("removed", "added")] == [
        ("removed", "第 5 列", 6, None),
        ("added", "第 99 列", None, 30),
    ]


@pytest.mark.parametrize(("old", "new"), [("a\n" * 5, "a\n" * 7), ("a\n" * 7, "a\n" * 5), ("", "a"), ("a", "")])
def test_lines_that_are_the_same_at_both_ends_are_counted_once(old: str, new: str) -> None:
    found = lines(old, new)

    assert sum(line.kind == "added" for line in found) == max(0, new.count("a") - old.count("a"))
    assert sum(line.kind == "removed" for line in found) == max(0, old.count("a") - new.count("a"))


def test_one_change_in_a_very_long_text_is_still_shown_by_itself() -> None:
    found = lines(numbered(*range(9_000)), numbered(*range(5_000), 99_999, *range(5_000, 9_000)))

    assert [line.text for line in found if line.kind != "same"] == ["第 99999 列"]
    assert len(found) == 7


@pytest.mark.parametrize("size", [MAX_LINES // 4, MAX_LINES, 9_500])
@pytest.mark.parametrize("letters", ["a", "ab", "abcdefghijklmnopqrstuvwxyz"])
def test_no_two_texts_take_long(size: int, letters: str) -> None:
    chosen = random.Random(5)
    old = "".join(f"{chosen.choice(letters)}\n" for _ in range(size))
    new = "".join(f"{chosen.choice(letters)}\n" for _ in range(size))

    with cpu_time() as spent:
        found = lines(f"x\n{old}y", f"y\n{new}x")

    assert spent.seconds < 2
    assert {line.kind for line in found} >= {"added", "removed"}


def test_what_is_too_long_to_compare_is_shown_whole() -> None:
    old, new = ([f"{letter}{row}" for row in range(MAX_LINES)] for letter in "ab")

    found = lines("\n".join(["first", *old, "last"]), "\n".join(["first", *new, "last"]))

    assert written(found) == [" first", *(f"-{text}" for text in old), *(f"+{text}" for text in new), " last"]
    assert (found[-1].old, found[-1].new) == (MAX_LINES + 2, MAX_LINES + 2)
