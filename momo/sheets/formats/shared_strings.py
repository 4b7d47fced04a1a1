"""Bounds the text of a sheet of .xlsx (ECMA-376 part 1, 18.4).

A string that many cells show is stored once, but calamine copies it for each cell: 400 KB of file become gigabytes.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable

from momo.sheets.formats.archive import Archive
from momo.sheets.formats.base import Limits, too_much_text

_START = b"<si"
# A cell with a shared string, up to the string's number; a formula may stand before it.
_USE = re.compile(rb"""\bt=["']s["'][^<>]*+>\s*+(?:<(?:\w++:)?+v(?:\s[^<>]*+)?+>)\s*+([0-9]{1,9}+)""")
LONG = 1000  # bytes
MIN_CELL = len('<c r="A1" t="s"><v>0</v></c>')
MAX_CELL = 4096  # bytes of a cell's start tag and number; a longer one is not counted


class SharedStrings:
    """The lengths of all shared strings, in bytes as they are written."""

    def __init__(self, archive: Archive, part: str) -> None:
        self.lengths = array("Q")
        if part in archive:
            self._measure(archive.chunks(part))
        self.longest = max(self.lengths, default=0)

    def _measure(self, chunks: Iterable[bytes]) -> None:
        size = 0
        tail = b""
        for chunk in chunks:
            first, *others = (tail + chunk).split(_START)
            size += len(first) - len(tail)
            if others:
                self.lengths.append(size)
                self.lengths.extend(map(len, others[:-1]))
                size = len(others[-1])
            tail = (others[-1] if others else first)[-len(_START) + 1 :]
        self.lengths.append(size)
        del self.lengths[0]  # what stands before the first string

    def check(self, archive: Archive, part: str, *, sheet: str, limits: Limits) -> None:
        """Raise SheetError if the strings that a sheet shows are too long together.

        Without long strings they are left to the bounds of the process: to count them takes a fifth of reading them.
        """
        if self.longest <= LONG or archive.size(part) // MIN_CELL * self.longest <= limits.text:
            return
        total = 0
        tail = b""
        for chunk in archive.chunks(part):
            data = tail + chunk
            cut = max(data.rfind(b"<c"), len(data) - MAX_CELL)
            for number in map(int, _USE.findall(data[:cut])):
                total += self.lengths[number] if number < len(self.lengths) else 0
            if total > limits.text:
                raise too_much_text(sheet, limits)
            tail = data[cut:]
        total += sum(self.lengths[number] for number in map(int, _USE.findall(tail)) if number < len(self.lengths))
        if total > limits.text:
            raise too_much_text(sheet, limits)
