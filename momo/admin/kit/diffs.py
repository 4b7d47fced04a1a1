"""Differences of two versions of a row, field by field: by lines for long texts, as old and new for short values."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

Opcode = tuple[str, int, int, int, int]
CONTEXT = 3  # unchanged lines around a change
# Limits of a comparison: lines, and pairs of equal lines. Beyond them difflib takes seconds.
MAX_LINES = 2_000
MAX_PAIRS = 200_000
SHORT = 120  # characters up to which a value is shown as old and new instead of lines


@dataclass(frozen=True)
class Line:
    """One line of a comparison; `kind` is same, added, removed or gap, `old` and `new` are line numbers."""

    kind: str
    text: str
    old: int | None = None
    new: int | None = None


@dataclass(frozen=True)
class FieldDiff:
    """One changed field: `old` and `new` if `short`, else `lines`."""

    label: str
    lines: list[Line]
    old: str = ""
    new: str = ""
    short: bool = False


def text_diff(label: str, old: str, new: str, *, shorten: bool = False) -> FieldDiff | None:
    """The difference of two values, None if they are equal. `shorten`: as old and new if both are short."""
    if old == new:
        return None
    if shorten and all(len(text) <= SHORT and len(text.splitlines()) <= 1 for text in (old, new)):
        return FieldDiff(label, [], old, new, short=True)
    return FieldDiff(label, list(_lines(old, new)), old, new)


def _lines(old: str, new: str) -> Iterator[Line]:
    before, after = old.splitlines(), new.splitlines()
    head = _equal_at_start(zip(before, after, strict=False))
    both = min(len(before), len(after)) - head
    tail = min(both, _equal_at_start(zip(reversed(before), reversed(after), strict=False)))
    # Equal lines at both ends are compared only as far as they are shown.
    skipped, head = max(0, head - CONTEXT), min(head, CONTEXT)
    after_all, tail = max(0, tail - CONTEXT), min(tail, CONTEXT)
    before, after = before[skipped : len(before) - after_all], after[skipped : len(after) - after_all]
    for number, group in enumerate(_groups(before, after, head, tail)):
        if number:
            yield Line("gap", "⋯")
        for tag, first, last, start, stop in group:
            if tag == "equal":
                for offset, text in enumerate(before[first:last]):
                    yield Line("same", text, skipped + first + offset + 1, skipped + start + offset + 1)
                continue
            for offset, text in enumerate(before[first:last]):
                yield Line("removed", text, old=skipped + first + offset + 1)
            for offset, text in enumerate(after[start:stop]):
                yield Line("added", text, new=skipped + start + offset + 1)


def _equal_at_start(pairs: Iterable[tuple[str, str]]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _groups(before: list[str], after: list[str], head: int, tail: int) -> Iterable[list[Opcode]]:
    """Opcodes of the changed lines; beyond the limits, all lines but `head` and `tail` count as replaced."""
    seen = Counter(before)
    if len(before) + len(after) <= MAX_LINES and sum(seen[line] for line in after) <= MAX_PAIRS:
        return difflib.SequenceMatcher(None, before, after, autojunk=False).get_grouped_opcodes(CONTEXT)
    old_end, new_end = len(before) - tail, len(after) - tail
    return [
        [
            ("equal", 0, head, 0, head),
            ("replace", head, old_end, head, new_end),
            ("equal", old_end, len(before), new_end, len(after)),
        ]
    ]


class RowDiff:
    """Replaces the `Diff` of django-import-export: the changed fields of one row.

    A value is the text of its widget's `lines`, if the widget has that, else of an export.
    """

    def __init__(self, resource: Any, instance: Any, new: bool) -> None:
        self.resource, self.new = resource, new
        self.left = [""] * len(resource.get_import_fields()) if new else _shown(resource, instance)
        self.right = self.left

    def compare_with(self, resource: Any, instance: Any) -> None:
        """Take `instance` as the new version; None for a row that is deleted."""
        self.right = _shown(self.resource, instance) if instance is not None else [""] * len(self.left)

    def as_html(self) -> list[FieldDiff]:
        """The library stores this as the row's `diff`; our template renders it."""
        labels = [field.column_name for field in self.resource.get_import_fields()]
        pairs = zip(labels, self.left, self.right, strict=True)
        return [diff for label, old, new in pairs if (diff := text_diff(label, old, new, shorten=True))]


def _shown(resource: Any, instance: Any) -> list[str]:
    shown = []
    for field in resource.get_import_fields():
        lines = getattr(field.widget, "lines", None)
        value = lines(field.get_value(instance)) if lines else resource.export_field(field, instance)
        shown.append("" if value is None else str(value))
    return shown
