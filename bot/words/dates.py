"""Dates in the words of staff: 昨天, 上週三, 去年10月, 雙11, 2026/11/03. Pure functions on folded text.

Whatever has no year is the latest that has begun: in November 12月 is last year's December. Replies say which days they
show.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

from momo.core.days import EARLIEST, LATEST
from momo.core.periods import WEEKDAYS, Period, day_of, month_of, week_of, year_of

MASK = "\n"  # stands for each character of words that are understood; folded text has no line breaks
_DIGITS = "一二三四五六七八九"
_TENS = [f"{ten}{one}" for ten in ("", "十", "二十", "三十") for one in ("", *_DIGITS)]
NUMBERS = {text: number for number, text in enumerate(_TENS) if text}
NUMBER = "(?:" + r"\d{1,3}|" + "|".join(sorted(NUMBERS, key=len, reverse=True)) + ")"


@dataclass
class Found:
    """Periods in a text in their order; `problems` are dates that do not exist, each with the nearest that does."""

    left: str
    periods: list[Period] = field(default_factory=list)
    problems: list[tuple[str, Period | None]] = field(default_factory=list)


class Impossible(Exception):
    """A date that no calendar has. `near` is the nearest that exists."""

    def __init__(self, text: str, near: Period | None = None) -> None:
        super().__init__(text)
        self.near = near


def number_of(text: str) -> int:
    """The value of NUMBER."""
    return int(text) if text.isdecimal() else NUMBERS[text]


def find_periods(text: str, today: date) -> Found:
    """Find the periods in folded text and mask their words. `A~B` is one period."""
    found = Found(text)
    seen: list[tuple[int, int, Period, bool]] = []
    for pattern, maker in _PATTERNS:
        for match in pattern.finditer(found.left):
            try:
                floating = maker is _month_and_day and not match["back"]
                seen.append((*match.span(), maker(match, today), floating))
            except Impossible as problem:
                found.problems.append((str(problem), problem.near))
            found.left = found.left[: match.start()] + MASK * len(match[0]) + found.left[match.end() :]
    seen.sort()
    found.periods = [period for _, _, period, _ in seen]
    if len(seen) == 2:
        _join(found, seen[0], seen[1])
    return found


def _join(found: Found, one: tuple[int, int, Period, bool], other: tuple[int, int, Period, bool]) -> None:
    """Make one period of `A~B`. A `B` without a year is the first such day from `A` on."""
    start, end = one[1], other[0]
    if not re.fullmatch(r"\s*[~到至–—-]\s*", found.left[start:end]):
        return
    found.left = found.left[:start] + MASK * (end - start) + found.left[end:]
    first, last = one[2].first, other[2].last
    if other[3]:
        last = _exact(first.year, last.month, last.day)
        last = last if last >= first else _exact(first.year + 1, last.month, last.day)
    if last < first:
        found.periods = []
        found.problems.append((f"{first:%Y/%m/%d} 在 {last:%Y/%m/%d} 之後，起始日不可晚於結束日", None))
    else:
        found.periods = [Period(first, last)]


def _exact(year: int, month: int, day: int) -> date:
    """The date, or the last day of its month for a day that this has not."""
    return date(year, month, min(day, monthrange(year, month)[1]))


def _checked(year: int, month: int, day: int) -> date:
    """The date. Raises Impossible."""
    year += 1911 if 100 <= year <= 199 else 0  # the Minguo calendar
    if not EARLIEST.year < year < LATEST.year:
        raise Impossible(f"日期要在西元 {EARLIEST.year + 1} 到 {LATEST.year - 1} 年之間")
    if not 1 <= month <= 12:
        raise Impossible(f"沒有 {month} 月")
    if not 1 <= day <= monthrange(year, month)[1]:
        near = day_of(_exact(year, month, max(day, 1)))
        raise Impossible(f"沒有 {year}/{month}/{day} 這一天", near)
    return date(year, month, day)


def _full(match: re.Match[str], today: date) -> Period:
    return day_of(_checked(*(number_of(part) if len(part) < 4 else int(part) for part in match.groups())))


def _year_and_month(match: re.Match[str], today: date) -> Period:
    return month_of(_checked(int(match[1]), number_of(match[2]), 1))


def _month_and_day(match: re.Match[str], today: date) -> Period:
    """A month, or a day in it: of the year that is named, else the latest that has begun."""
    day = match["d"] or match["d2"]
    if match["sale"]:
        month, number = (6, 18) if match["sale"] == "618" else (int(match["sale"][:2]),) * 2
    elif match["twin"]:
        month = number = number_of(match["twin"])
    else:
        month, number = number_of(match["m"]), number_of(day) if day else 1
    year = today.year - _YEARS.get(match["back"] or "", 0)
    if match["back"] is None and 1 <= month <= 12 and (month, number) > (today.month, today.day):
        year -= 1
    whole = match["m"] and not day
    return month_of(_checked(year, month, 1)) if whole else day_of(_checked(year, month, number))


def _weekday(match: re.Match[str], today: date) -> Period:
    place = WEEKDAYS.index(match["wd"].replace("天", "日"))
    if match["back"] is None:
        return day_of(today - timedelta(days=(today.weekday() - place) % 7))
    return day_of(week_of(today).first + timedelta(days=place - 7 * _WEEKS[match["back"]]))


def _weekend(match: re.Match[str], today: date) -> Period:
    saturday = week_of(today).first + timedelta(days=5)
    weeks = _WEEKS[match["back"]] if match["back"] else int(saturday > today)
    saturday -= timedelta(days=7 * weeks)
    return Period(saturday, saturday + timedelta(days=1))


def _week(match: re.Match[str], today: date) -> Period:
    return week_of(today - timedelta(days=7 * _WEEKS[match["back"]]))


def _month(match: re.Match[str], today: date) -> Period:
    number = today.year * 12 + today.month - 1 - _WEEKS[match["back"]]
    year, month = number // 12, number % 12 + 1
    day = match.groupdict().get("d")
    return day_of(_checked(year, month, number_of(day))) if day else month_of(date(year, month, 1))


def _year(match: re.Match[str], today: date) -> Period:
    year = int(match["y"]) if match["y"] else today.year - _YEARS[match["back"]]
    return year_of(date(year, 1, 1))


def _day(match: re.Match[str], today: date) -> Period:
    return day_of(today - timedelta(days=_DAYS[match[0]]))


def _days_ago(match: re.Match[str], today: date) -> Period:
    return day_of(today - timedelta(days=2 if match["n"] == "兩" else number_of(match["n"])))


def _last_days(match: re.Match[str], today: date) -> Period:
    """So many days up to yesterday, since reports come on the day after."""
    number = number_of(match["n"]) * (7 if "週" in match[0] else 30 if "月" in match[0] else 1)
    if not 1 <= number <= 366:
        raise Impossible("天數要在 1 到 366 之間")
    return Period(today - timedelta(days=number), today - timedelta(days=1))


def _day_of_month(match: re.Match[str], today: date) -> Period:
    """The latest such day: the 31st may be two months ago."""
    number = number_of(match["d"])
    if not 1 <= number <= 31:
        raise Impossible(f"沒有 {number} 號")
    first = today.replace(day=1)
    while monthrange(first.year, first.month)[1] < number or first.replace(day=number) > today:
        first = (first - timedelta(days=1)).replace(day=1)
    return day_of(first.replace(day=number))


_YEARS = {"今年": 0, "去年": 1, "前年": 2, "明年": -1}
_WEEKS = {"上上": 2, "上": 1, "last ": 1, "這": 0, "本": 0, "當": 0, "this ": 0, "下": -1, "": 0}
_DAYS = {
    **dict.fromkeys(("今天", "今日", "本日", "today"), 0),
    **dict.fromkeys(("昨天", "昨日", "yesterday"), 1),
    **dict.fromkeys(("明天", "明日", "tomorrow"), -1),
}
_DAYS |= {"前天": 2, "大前天": 3, "後天": -2}
_N, _BEFORE, _AFTER = NUMBER, r"(?<![\d/.,])", r"(?![\d/])"
_BACK = "(?P<back>上上|上|這|本|當|下)"
_RELATIVE = "(?:(?P<back>今年|去年|前年|明年)的?)?"
_PATTERNS: list[tuple[re.Pattern[str], Callable[[re.Match[str], date], Period]]] = [
    (re.compile(pattern), maker)
    for pattern, maker in (
        (rf"{_BEFORE}(?:民國)?(\d{{3,4}})\s*[-/.年]\s*({_N})\s*[-/.月]\s*({_N})[日號]?{_AFTER}", _full),
        (rf"{_BEFORE}(20\d\d)([01]\d)([0-3]\d){_AFTER}", _full),
        (rf"{_BEFORE}(?:民國)?(\d{{3,4}})\s*[-/年]\s*({_N})(?:月份?)?{_AFTER}", _year_and_month),
        (rf"{_BEFORE}(20\d\d)(0[1-9]|1[0-2]){_AFTER}", _year_and_month),
        (rf"(?:最近|近|過去)(?P<n>{_N})(?:[天日]|個?週|個月)", _last_days),
        (
            rf"{_RELATIVE}(?:雙(?P<twin>{_N})|{_BEFORE}(?P<sale>618|1111|1212){_AFTER}"
            rf"|{_BEFORE}(?P<m>{_N})(?:月(?:(?P<d>{_N})(?:[日號]|(?![\da-z]))|份)?|/(?P<d2>\d{{1,2}}){_AFTER}))",
            _month_and_day,
        ),
        (r"(?:(?P<back>上上|上|這|本|下)一?個?)?週末", _weekend),
        (r"(?:(?P<back>上上|上|這|本|下)一?個?)?週(?P<wd>[一二三四五六日天])", _weekday),
        (rf"{_BACK}一?個?週(?!年)", _week),
        (r"(?<![a-z])(?P<back>last |this |)week(?![a-z])", _week),
        (rf"{_BACK}一?個?月(?:(?P<d>{_N})[號日])?", _month),
        (r"(?<![a-z])(?P<back>last |this |)month(?![a-z])", _month),
        (rf"(?P<back>今年|去年|前年|明年)(?!同)|{_BEFORE}(?P<y>20\d\d)年", _year),
        (rf"(?P<n>兩|{_N})天前", _days_ago),
        (r"大前天|前天|昨天|昨日|今天|今日|本日|明天|明日|後天|(?<![a-z])(?:today|yesterday|tomorrow)(?![a-z])", _day),
        (rf"{_BEFORE}(?P<d>{_N})[號日](?!碼)", _day_of_month),
    )
]
