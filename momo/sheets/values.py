"""Converts one cell to a date, an amount, an integer, a code or text. An ambiguous cell is refused, never guessed.

Cells have the types of calamine: str, float, int, bool, date, datetime, time or timedelta.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NoReturn

FIRST_DAY = date(1990, 1, 1)
LAST_DAY = date(2100, 12, 31)
MAX_CENTS = 10**14  # what numeric(14, 2) holds
MAX_INTEGER = 2**31 - 1
EXACT_DIGITS = 15  # digits that a spreadsheet stores of a number

EPOCH = date(1899, 12, 30)
_MICROSECONDS = 86_400_000_000  # of a day
EPOCH_1904 = 1462  # days from EPOCH to the epoch of workbooks made on old Macs
_FIRST_SERIAL = (FIRST_DAY - EPOCH).days
_LAST_SERIAL = (LAST_DAY - EPOCH).days


class BadCell(ValueError):
    """A cell cannot be converted with certainty. The text is for the user and says what to do."""


class CellError(str):
    """An error that a spreadsheet shows instead of a value: #N/A, #REF!, or a formula that was never calculated."""

    __slots__ = ()


UNCALCULATED = CellError("公式未計算")
_ERRORS = re.compile(
    r"#(?:N/A|REF!|DIV/0!|VALUE!|NAME\?|NULL!|NUM!|SPILL!|CALC!|GETTING_DATA|FIELD!|BLOCKED!|CONNECT!|UNKNOWN!)"
    r"|(?:Err|錯誤)[:：]\s*\d{3}",
    re.IGNORECASE,
)
# Invisible in every spreadsheet: control characters, zero-width characters, the byte-order mark.
_INVISIBLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u200b-\u200f\u2028-\u202e\u2060\ufeff]")
_QUOTED = re.compile(r'="([^"]*)"')  # ="00123", how CSV files keep leading zeros


def tidy(text: str) -> str:
    """Text without invisible characters, outer and doubled white space, and the quoting of codes in CSV files."""
    if not text.isprintable():
        text = _INVISIBLE.sub("", text)
    text = " ".join(text.split())
    quoted = _QUOTED.fullmatch(text)
    return quoted[1].strip() if quoted else text


def plain(text: str) -> str:
    """`tidy` after NFKC: full-width characters become ASCII."""
    return tidy(text if text.isascii() else unicodedata.normalize("NFKC", text))


def refuse_error(text: str) -> None:
    """Raise BadCell if `text` is an error value of a spreadsheet."""
    if text.startswith(("#", "E", "e", "錯")) and _ERRORS.fullmatch(text):
        raise _error(text)


def refuse(value: Any, wanted: str) -> NoReturn:
    """Raise BadCell for a cell whose type cannot be `wanted`: an error, a date or time, a check box."""
    if isinstance(value, CellError):
        if value == UNCALCULATED:
            raise BadCell("公式沒有計算結果；請用 Excel 開啟檔案、儲存後再匯入，或把公式改成數值。")
        raise _error(value)
    if isinstance(value, bool):
        raise BadCell(f"儲存格是「{shown(value)}」，不是{wanted}；請改填{wanted}。")
    if isinstance(value, date):
        raise BadCell(f"儲存格是日期「{shown(value)}」，不是{wanted}；可能被 Excel 自動轉換，請把格式改回後重填。")
    raise BadCell(f"儲存格是時間「{shown(value)}」，不是{wanted}；請把儲存格格式改回後重填。")


def _error(text: str) -> BadCell:
    return BadCell(f"儲存格是錯誤值 {text}；請修正公式或填入正確的值。")


def shown(value: Any) -> str:
    """A raw cell as the spreadsheet shows it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.15g}"
    if isinstance(value, datetime):
        return f"{value:%Y/%m/%d %H:%M:%S}"
    if isinstance(value, date):
        return f"{value:%Y/%m/%d}"
    return str(value)


# --- Dates -----------------------------------------------------------------------------------------------------------

# A time after the date is ignored; its zone may only be +08:00. It may not directly follow a digit: 2026/11/2210:05 is
# ambiguous.
_TIME = (
    r"(?:(?:[ T]|(?<![0-9])|(?=[上下]午))(?:上午|下午|AM|PM)?\s?"
    r"(?:[01]?\d|2[0-4])[:時]\s?[0-5]?\d(?:[:分]\s?[0-5]?\d(?:\.\d+)?)?[分秒]?"
    r"\s?(?:AM|PM)?(?:\+08:?00)?)?"
)
_WEEKDAY = r"(?:\s?(?:\((?:星期|週)?[一二三四五六日]\)|(?:星期|週)[一二三四五六日]))?"
_FLAGS = re.ASCII | re.IGNORECASE
_MONTH_DAY = (
    r"(?:(?P<sign>[/.-])(\d{1,2})(?P=sign)(\d{1,2})|\s?年\s?(\d{1,2})\s?月\s?(\d{1,2})\s?日)" + _WEEKDAY + _TIME
)
_COMPACT = rf"(\d\d)(\d\d)(?:\.0+)?(?: {_TIME})?"
# Each pattern with the year before its year 1. Groups of digits are year, month and day.
_DATES = [
    (re.compile(pattern, _FLAGS), before)
    for pattern, before in (
        (rf"(\d{{4}}){_MONTH_DAY}", 0),
        (rf"(\d{{4}}){_COMPACT}", 0),
        (rf"(?:(?:中華)?民國\s?(\d{{1,3}})|(\d{{3}}))\s?{_MONTH_DAY}", 1911),
        (rf"(?:民國)?(1\d\d){_COMPACT}", 1911),
    )
]
_SERIAL = re.compile(r"\d{5}(?:\.\d+)?", re.ASCII)
_DATE_HELP = "請寫成 2026/11/22，或在 Excel 把儲存格格式設成日期"


def date_from_text(raw: str) -> date | None:
    """A date from 2026/11/22, 2026-11-22, 2026.11.22, 20261122, 2026年11月22日, with Minguo years too, or a serial."""
    text = plain(raw)
    if not text:
        return None
    refuse_error(text)
    for pattern, before in _DATES:
        if found := pattern.fullmatch(text):
            year, month, day = (int(part) for part in found.groups() if part and part.isdecimal())
            return _day(year + before, month, day, raw)
    if _SERIAL.fullmatch(text):
        return date_from_number(float(text))
    raise BadCell(f"看不懂日期「{_short(raw)}」；{_DATE_HELP}。")


def date_from_number(number: float, *, date1904: bool = False) -> date:
    """A date from an Excel serial of the workbook's epoch, or from the number 20261122 or 1151122 (Minguo).

    A moment is rounded to the microsecond, as spreadsheets do: 45667.99999999999 is 45668.
    """
    serial = number + EPOCH_1904 if date1904 else number
    if _FIRST_SERIAL - 1 <= serial < _LAST_SERIAL + 1:
        day = round(serial * _MICROSECONDS) // _MICROSECONDS
        if _FIRST_SERIAL <= day <= _LAST_SERIAL:
            return EPOCH + timedelta(days=day)
    if 1e6 <= number < 1e8 and number == int(number):
        return date_from_text(str(int(number))) or FIRST_DAY
    raise BadCell(f"看不懂日期「{shown(number)}」；{_DATE_HELP}。")


def date_from_day(day: date) -> date:
    """`day`, if it is between FIRST_DAY and LAST_DAY."""
    if not FIRST_DAY <= day <= LAST_DAY:
        raise BadCell(f"日期「{day:%Y/%m/%d}」超出 1990 到 2100 年的範圍；請確認年份。")
    return day


def _day(year: int, month: int, day: int, raw: str) -> date:
    try:
        found = date(year, month, day)
    except ValueError:
        raise BadCell(f"沒有「{_short(raw)}」這一天；請確認年月日。") from None
    return date_from_day(found)


# --- Numbers ---------------------------------------------------------------------------------------------------------

_CURRENCY = r"(?:NT\$|NTD|TWD|NT|\$)"
_NUMBER = re.compile(
    rf"(?:{_CURRENCY}\s?(?=\())?(?P<open>\()?(?P<sign>[-+▲△])?\s?{_CURRENCY}?\s?(?P<inner>[-+])?\s?"
    r"(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d*)?|\d+(?:\.\d*)?|\.\d+)"
    r"\s?(?P<percent>%)?\s?(?:元整|元)?\s?(?P<behind>-)?(?P<close>\))?",
    _FLAGS,
)
# What the accounting format of spreadsheets shows for zero, in exports to text.
_ZERO = re.compile(rf"{_CURRENCY}?\s?-\s?(?:元)?", _FLAGS)
_SCIENTIFIC = re.compile(r"[-+]?\d+(?:\.\d*)?E[-+]?\d+", _FLAGS)
_DASHES = str.maketrans("−‐‑‒–—﹣", "-------")
# One of each is one piece. A box, a dozen or a pack of several (箱, 打, 入) is not.
_PIECES = re.compile(r"(?<=[\d.)])\s?(?:[件個组組份盒瓶包支條片罐台臺雙套張本隻顆]|pcs?|ea)\.?$", _FLAGS)


def number_from_text(raw: str) -> Decimal | None:
    """A number from 1,234.50, １，２３４, (1,234), $ (1,234), NT$1,234, 1234元, 12% (0.12) or 123.0.

    ▲ and △ before a number, and a minus after it, make it negative, as in accounts in Taiwan. A dash alone is zero.
    """
    text = plain(raw).translate(_DASHES).removeprefix("'")
    if not text:
        return None
    refuse_error(text)
    found = _NUMBER.fullmatch(text)
    if found is None:
        if _ZERO.fullmatch(text):
            return Decimal(0)
        if _SCIENTIFIC.fullmatch(text):
            raise BadCell(f"「{_short(raw)}」是科學記號，已經看不出原來的數字；請把儲存格格式改成數值後重填。")
        raise BadCell(f"「{_short(raw)}」不是數字；請改成像 1234 或 1,234.50 這樣的數字。")
    number = Decimal(found["digits"].replace(",", ""))
    opened, *signs, percent, closed = found.group("open", "sign", "inner", "behind", "percent", "close")
    if percent:
        number /= 100
    given = [sign for sign in signs if sign]
    if not given and not opened and not closed:
        return number
    if bool(opened) != bool(closed) or len(given) + bool(opened) > 1:
        raise BadCell(f"「{_short(raw)}」的正負號看不清楚；負數請寫成 -1234 或 (1,234)。")
    return number if given == ["+"] else -number


def is_triangled(text: str) -> bool:
    """Whether the text of a number has the triangle of a negative one, which means a rise elsewhere."""
    return "▲" in text or "△" in text


def is_dash(text: str) -> bool:
    """Whether the text of a number is a dash, read as zero."""
    return _ZERO.fullmatch(plain(text).translate(_DASHES)) is not None


_CENT = Decimal("0.01")


def _cents(number: Decimal) -> int:
    if abs(number) >= MAX_CENTS // 100:
        raise BadCell("金額太大（一兆元以上）；請確認數字。")
    return int(number.quantize(_CENT, ROUND_HALF_UP) * 100)


def cents_from_text(raw: str, scale: int = 1) -> int | None:
    """Cents of a number of `scale` dollars, halves rounded away from zero."""
    number = number_from_text(raw)
    return None if number is None else _cents(number if scale == 1 else number * scale)


def cents_from_number(number: float) -> int:
    """Cents, halves rounded away from zero, of the number shown: 1.005 is 1.01, although the float is less."""
    cents = number * 100
    whole = round(cents) if -1e14 < cents < 1e14 else 0
    if -1e-6 < cents - whole < 1e-6 and (whole or not number):
        return whole
    return _cents(_decimal(number))


def scaled_cents_from_number(number: float, scale: int) -> int:
    """`cents_from_number` of a number of `scale` dollars: 1.2345 thousand dollars are 123,450 cents."""
    return _cents(_decimal(number) * scale)


def exact_cents_from_text(raw: str, scale: int = 1) -> int | Decimal | None:
    """Cents of a price that is still to be multiplied: not rounded, an int if they are whole."""
    number = number_from_text(raw)
    return None if number is None else _exact(number * scale)


def exact_cents_from_number(number: float, scale: int = 1) -> int | Decimal:
    """As `exact_cents_from_text`, of the number that a spreadsheet shows."""
    if scale == 1 and -1e14 < (cents := number * 100) < 1e14 and (whole := round(cents)) / 100 == number:
        return whole
    return _exact(_decimal(number) * scale)


def _exact(number: Decimal) -> int | Decimal:
    rounded = _cents(number)
    cents = number * 100
    return rounded if rounded == cents else cents


def whole_cents(cents: Decimal | int) -> int:
    """Cents, halves rounded away from zero."""
    return int(cents.quantize(Decimal(1), ROUND_HALF_UP)) if isinstance(cents, Decimal) else cents


def _decimal(number: float) -> Decimal:
    """The number with the 15 digits that a spreadsheet shows."""
    exact = Decimal(f"{number:.15g}")
    if not exact.is_finite():
        raise BadCell("不是數字。")
    return exact


def integer_from_text(raw: str) -> int | None:
    """An integer; "123.0" is 123, "2件" is 2."""
    try:
        number = number_from_text(raw)
    except BadCell:
        text = plain(raw)
        pieces = _PIECES.search(text)
        if pieces is None:
            raise
        number = number_from_text(text[: pieces.start()])
    return None if number is None else _integer(number)


def integer_from_number(number: float) -> int:
    """An integer."""
    return _integer(_decimal(number))


def _integer(number: Decimal) -> int:
    whole = int(number)
    if whole != number:
        raise BadCell(f"「{_short(str(number))}」不是整數；這一欄只能填整數。")
    if not -MAX_INTEGER <= whole <= MAX_INTEGER:
        raise BadCell(f"「{_short(str(number))}」太大；請確認數字。")
    return whole


# --- Codes and text --------------------------------------------------------------------------------------------------

_FLOAT_CODE = re.compile(r"(\d+)\.0+", re.ASCII)
_SCIENTIFIC_CODE = re.compile(r"\d(?:\.\d+)?E\+\d+", _FLAGS)


def code_from_text(raw: str) -> str | None:
    """A code with its leading zeros; "13326964.0" is 13326964."""
    text = plain(raw).removeprefix("'")
    if not text:
        return None
    refuse_error(text)
    found = _FLOAT_CODE.fullmatch(text)
    if found:
        return found[1]
    if _SCIENTIFIC_CODE.fullmatch(text):
        raise BadCell(f"「{_short(raw)}」是科學記號，已經看不出原來的代號；請把儲存格格式改成文字後重填。")
    return text


def code_from_number(number: float) -> str:
    """A code that the spreadsheet stored as a number."""
    if not (0 <= number < float("inf")) or number != int(number):
        raise BadCell(f"「{shown(number)}」不像代號；請把儲存格格式改成文字後重填。")
    if number >= 10**EXACT_DIGITS:
        raise BadCell(f"「{int(number)}」超過 15 位，Excel 存成數字時後面的數字會變 0；請把儲存格格式改成文字後重填。")
    return str(int(number))


# Apostrophes that exports put before text, so that no program reads it as a formula (`momo.sheets.write.neutralised`).
# All are removed: a text that kept one would lose it at its next export and import.
_GUARD = re.compile(r"^'+(?=[=+@＝＋－＠-])")
# First characters of text that may be an error, or lose an apostrophe, the quoting of CSV files or outer space.
_ODD_STARTS = frozenset(("", *" '=#Ee錯"))


def text_from_text(raw: str) -> str | None:
    """Text on one line, without the apostrophes before a formula sign."""
    text = tidy(raw)
    if text[:1] == "'":
        text = _GUARD.sub("", text)
    refuse_error(text)
    return text or None


def plain_codes(texts: Iterable[str], longest: int) -> list[str]:
    """Those of `texts` that `code_from_text` certainly returns as they are, and that have at most `longest` characters.

    Looking through many takes a fraction of the time of converting them.
    """
    return [text for text in texts if text.isalnum() and text.isascii() and len(text) <= longest]


def plain_texts(texts: Iterable[str], longest: int) -> list[str]:
    """As `plain_codes`, of `text_from_text`."""
    return [
        text
        for text in texts
        # The only white space that is printable is the space.
        if text.isprintable()
        and text[:1] not in _ODD_STARTS
        and text[-1:] != " "
        and "  " not in text
        and len(text) <= longest
    ]


def _short(raw: str) -> str:
    text = " ".join(raw.split())
    return text if len(text) <= 40 else text[:40] + "…"
