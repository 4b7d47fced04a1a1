"""What lists of several commands share: pages, buttons, shortened texts and moments."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from django.utils import timezone

from bot.registry import Button, Call
from bot.texts import PAGE_LINES
from momo.core.texts import one_line, storable

NAME, LABEL = 60, 24  # characters of a name in a list, and on a button
IN_ROW = 5  # buttons with numbers
_PAGE = re.compile(r"#([1-9][0-9]{0,5})")
T = TypeVar("T")


@dataclass(frozen=True)
class PagedText:
    """The arguments of a call as one text, and the page (from 1) that `#2` at their end asks for."""

    text: str
    page: int

    @classmethod
    def of(cls, call: Call) -> PagedText:
        words = list(call.args)
        found = _PAGE.fullmatch(words[-1]) if words else None
        if found:
            words.pop()
        return cls(one_line(storable(" ".join(words))), int(found[1]) if found else 1)

    def start(self, total: int) -> int:
        """Offset of the first row of the page; of the last page if there are fewer."""
        return (min(self.page, pages(total)) - 1) * PAGE_LINES


def pages(total: int) -> int:
    """How many pages `total` rows fill; an empty list is one page."""
    return max(1, -(-total // PAGE_LINES))


def pager(command: str, *args: str, start: int, total: int) -> list[Button]:
    """Buttons for the pages before and after the one that begins at offset `start`, and to refresh it."""
    page, last = start // PAGE_LINES + 1, pages(total)
    buttons = [Button("◀ 上一頁", command, (*args, f"#{page - 1}"))] if page > 1 else []
    if page < last:
        buttons.append(Button("下一頁 ▶", command, (*args, f"#{page + 1}")))
    return [*buttons, Button("🔄 重新整理", command, (*args, f"#{page}"))]


def page_of(start: int, total: int) -> str:
    """The line below a list: which page of how many; empty when there is one."""
    return f"第 {start // PAGE_LINES + 1} / {pages(total)} 頁" if total > PAGE_LINES else ""


def numbered(command: str, keys: Sequence[str], *, first: int = 1) -> list[list[Button]]:
    """Buttons for the rows of a list, numbered from `first`; each runs `command` with one of `keys`."""
    # With a page, so that a key that looks like one is not taken for it.
    made = [Button(str(first + n), command, (key, "#1"), replaces=False) for n, key in enumerate(keys)]
    return [made[at : at + IN_ROW] for at in range(0, len(made), IN_ROW)]


def short(text: str, length: int = NAME) -> str:
    """`text` on one line, at most `length` characters."""
    line = one_line(text)
    return line if len(line) <= length else f"{line[: length - 1]}…"


def moment(at: dt.datetime | None, now: dt.datetime) -> str:
    """A moment in Taipei, with its year if that is another one than now; a dash for None."""
    if at is None:
        return "—"
    local = timezone.localtime(at)
    return f"{local:%m-%d %H:%M}" if local.year == timezone.localtime(now).year else f"{local:%Y-%m-%d %H:%M}"


def since(at: dt.datetime, now: dt.datetime) -> str:
    """How long ago `at` was, in its largest unit."""
    minutes = max(0, int((now - at).total_seconds() // 60))
    if minutes == 0:
        return "剛剛"
    if minutes < 60:
        return f"{minutes} 分鐘前"
    return f"{minutes // 60} 小時前" if minutes < 48 * 60 else f"{minutes // 1440} 天前"
