"""What reading did to a file beside converting its cells, for the preview and the job: filled, multiplied, left out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Note:
    """One thing that people must know of before they import: nothing is changed or left out without one.

    `what` is a phrase in Chinese, `where` names columns, lines or texts of the file (empty: the whole file), `count` is
    the number of cells or rows (0: not counted).
    """

    what: str
    where: str = ""
    count: int = 0
    unit: str = "格"

    @property
    def text(self) -> str:
        """The note on one line: 合併儲存格已填滿：品牌、PM（5,000 格）."""
        place = f"：{self.where}" if self.where else ""
        number = f"（{self.count:,} {self.unit}）" if self.count else ""
        return f"{self.what}{place}{number}"


def texts(notes: Iterable[Note]) -> list[str]:
    """The notes as lines."""
    return [note.text for note in notes]
