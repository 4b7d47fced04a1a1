"""Prices as momo shows them: dirty strings in, whole New Taiwan dollars out, or a refusal that says why.

The forms are those seen on the shop in 2026 ("$$795", "NT$1,280", "12,800 元", full-width digits). A wrong price is
worse than none: whatever is not certain is refused, and the caller shows the refusal to a person.
"""

from __future__ import annotations

import math
import re
import unicodedata
from decimal import Decimal

MAX_PRICE = 99_999_999
"""The dearest price believed, in New Taiwan dollars."""
ZERO = "價格是 0"
"""The reason of a refused 0, which stands for no price on pages of what is sold out."""
MAX_LENGTH = 64
"""Characters of a raw price that are looked at; anything longer is refused unread."""

# A dollar sign alone is the New Taiwan dollar here; doubled signs are a known slip of the shop's templates.
_PRICE = re.compile(
    r"(?:(?:NTD|NT|TWD|新[台臺]幣|[台臺]幣)? ?\${0,2}) ?"
    r"([0-9][0-9,]*)(?:\.([0-9]+))?"
    r" ?(?:元整|元|圓|NTD|TWD)?",
    re.IGNORECASE,
)
# Digits in groups of three, or not grouped at all; no leading zero ("0795" may be a code rather than a price).
_WHOLE = re.compile(r"[1-9][0-9]{0,2}(?:,[0-9]{3}){1,3}|[1-9][0-9]*")
_FOREIGN = re.compile(
    r"US|HK|JP|CN|RMB|EUR|GBP|KRW|SGD|AUD|CAD|[A-SU-Z]\$|[¥€£₩]|人民幣|美[元金]|日[元圓幣]|港[元幣]|歐元", re.IGNORECASE
)
_NUMBERS = re.compile(r"[0-9]+(?:[.,][0-9]+)*")


class PriceError(ValueError):
    """A price that cannot be read with certainty.

    `raw` is the value as given, shortened to 80 characters of text; `reason` is shown to users (Traditional Chinese).
    """

    def __init__(self, raw: object, reason: str) -> None:
        self.raw = _show(raw)
        self.reason = reason
        super().__init__(f"{reason}：{self.raw}" if self.raw else reason)


def parse_price(raw: object) -> int:
    """Return the price in whole New Taiwan dollars, 1 to 99,999,999.

    Accepts text in the shop's forms, and whole numbers. Raises `PriceError` for everything that could mean anything
    else: ranges, "起", fractions of a dollar, wrong or European grouping, other currencies, two numbers, zero.
    """
    if isinstance(raw, str):
        return _from_text(raw)
    if isinstance(raw, bool):
        raise PriceError(raw, "不是價格")
    if isinstance(raw, int):
        return _in_bounds(raw, raw)
    if isinstance(raw, (float, Decimal)):
        if not (raw.is_finite() if isinstance(raw, Decimal) else math.isfinite(raw)):
            raise PriceError(raw, "不是有效的數字")
        if not -MAX_PRICE <= raw <= MAX_PRICE:
            return _in_bounds(raw, MAX_PRICE + 1 if raw > 0 else -1)
        if int(raw) != raw:
            raise PriceError(raw, "價格不是整數元")
        return _in_bounds(raw, int(raw))
    raise PriceError(raw, "沒有價格" if raw is None else "不是價格")


def _from_text(raw: str) -> int:
    text = raw
    if len(text) > MAX_LENGTH:
        raise PriceError(raw, f"文字太長（超過 {MAX_LENGTH} 字）")
    if not text.isascii():
        # NFKC would turn "100²" into 1002 and "①" into 1: numerals that are not plain digits are refused before it.
        if any(char.isnumeric() and not char.isdecimal() for char in text):
            raise PriceError(raw, _explain(unicodedata.normalize("NFKC", text)))
        text = unicodedata.normalize("NFKC", text)
    text = text.strip()
    match = _PRICE.fullmatch(text)
    if match is None:
        # Runs of blanks are rare enough to pay for only here.
        text = " ".join(text.split())
        match = _PRICE.fullmatch(text)
        if match is None:
            raise PriceError(raw, _explain(text))
    whole, fraction = match.groups()
    if not _WHOLE.fullmatch(whole):
        raise PriceError(raw, _explain_digits(whole))
    if fraction is not None:
        # "1.280" is 1,280 in Europe and 1.28 here: three digits after a point are never believed, not even zeros.
        if len(fraction) > 2:
            raise PriceError(raw, "小數點後位數不明，可能是歐式千分位")
        if fraction.strip("0"):
            raise PriceError(raw, "價格不是整數元")
    return _in_bounds(raw, int(whole.replace(",", "")))


def _in_bounds(raw: object, value: int) -> int:
    if value < 0:
        raise PriceError(raw, "價格是負數")
    if value == 0:
        raise PriceError(raw, ZERO)
    if value > MAX_PRICE:
        raise PriceError(raw, f"價格超過上限 {MAX_PRICE:,} 元")
    return value


def _explain_digits(digits: str) -> str:
    if "," in digits:
        return "千分位的逗號位置不對"
    return ZERO if not digits.strip("0") else "數字以 0 開頭，不像價格"


def _explain(text: str) -> str:
    """Name the reason a person would give; only the wording depends on it, the refusal is already certain."""
    numbers = _NUMBERS.findall(text)
    if not text:
        return "沒有價格"
    if not numbers:
        return "沒有數字"
    if _FOREIGN.search(text):
        return "不是新台幣"
    if "%" in text or ("折" in text and "$" not in text):
        return "是折扣或百分比，不是價格"
    if any(unit in text for unit in "萬千百億"):
        return "含有萬、千等單位，無法確定"
    if "起" in text or "~" in text or "～" in text or "至" in text or (len(numbers) == 2 and "-" in text):
        return "是價格範圍，不是單一價格"
    if len(numbers) > 1:
        return "有兩個以上的數字"
    if text.lstrip("NTDWntdw$ ").startswith(("-", "−", "(")):
        return "價格是負數"
    return "含有看不懂的文字"


def _show(raw: object) -> str:
    if raw is None:
        return ""
    if isinstance(raw, int) and abs(raw) > 10**40:
        # Python refuses to print integers of more than 4,300 digits.
        return "（過大的整數）"
    text = raw if isinstance(raw, str) else repr(raw)
    return text if len(text) <= 80 else text[:79] + "…"
