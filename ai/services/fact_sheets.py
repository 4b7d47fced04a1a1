"""Fact sheets: facts as staff write them in forms and workbooks, and saving them."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from ai.models import FactSheet
from ai.services.facts import PRICES, catalogue_facts, facts_from, own_facts
from momo.core.errors import Conflict
from momo.core.texts import one_line
from products.models import Product

ONE_LINE = frozenset({"brand", "name", "origin", "warranty", "shelf_life"})
LONGEST, MOST = 500, 100  # characters of a line, lines of a fact
MOST_MONEY = 99_999_999
_MONEY = re.compile(r"(?:NT)?\$?\s*(\d{1,3}(?:,\d{3})+|\d{1,8})(\.\d{1,2})?\s*元?", re.IGNORECASE)
_NARROW = str.maketrans("０１２３４５６７８９（）～〜／．－", "0123456789()~~/.-")  # one character for one
_DAY = r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?"
_PERIOD = re.compile(rf"[\s(]*(?:(?:{_DAY})?\s*[~–—至到-]\s*{_DAY}|{_DAY}\s*(?P<open>[~–—至到-]|起)?)[\s)]*$")


def fact_as_text(value: Any) -> str:
    """A fact as a form shows it: one line for each entry, a promotion with its period at the end."""
    return "\n".join(_line(one) for one in (value if isinstance(value, list) else [value]) if one not in (None, ""))


def _line(value: Any) -> str:
    if not isinstance(value, Mapping):
        return f"{value}"
    starts, ends = value.get("starts") or "", value.get("ends") or ""
    return f"{value.get('text', '')} {starts}～{ends}" if starts or ends else f"{value.get('text', '')}"


def fact_from_text(key: str, text: str) -> Any:
    """A fact as it is stored; empty text is an empty list. Raises ValueError in Traditional Chinese."""
    lines = [line for line in map(one_line, text.splitlines()) if line]
    if key in PRICES:
        return _money("".join(lines)) if lines else []
    if len(lines) > MOST:
        raise ValueError(f"最多 {MOST} 行，這裡有 {len(lines):,} 行")
    if too_long := next((line for line in lines if len(line) > LONGEST), ""):
        raise ValueError(f"一行最多 {LONGEST} 字：「{too_long[:20]}…」有 {len(too_long):,} 字")
    if key == "promotion":
        return [_promotion(line) for line in lines]
    if key not in ONE_LINE or not lines:
        return lines
    if len(lines) > 1:
        raise ValueError(f"只能有一行，這裡有 {len(lines)} 行")
    return lines[0]


def _money(text: str) -> int | float:
    """New Taiwan dollars."""
    match = _MONEY.fullmatch(unicodedata.normalize("NFKC", text).strip())
    amount = Decimal(match[1].replace(",", "") + (match[2] or "")) if match else Decimal(0)
    if not 0 < amount <= MOST_MONEY:
        raise ValueError(f"「{text[:20]}」不是金額，例如 1280 或 1,280")
    return int(amount) if amount == int(amount) else float(amount)


def _promotion(line: str) -> str | dict[str, str]:
    """A promotion; with its period if the line ends with one: 買一送一 2026-11-01～2026-11-30."""
    match = _PERIOD.search(line.translate(_NARROW))
    if match is None:
        return line
    first, last, alone = (_day(match.groups()[at : at + 3], line) for at in (0, 3, 6))
    starts, ends = (alone, "" if match["open"] else alone) if alone else (first, last)
    what = line[: match.start()].strip()
    if not what:
        raise ValueError(f"「{line[:40]}」只有期間，沒有促銷的內容")
    if starts and ends and starts > ends:
        raise ValueError(f"「{line[:40]}」的起始日晚於結束日")
    return {"text": what, "starts": starts, "ends": ends}


def _day(parts: tuple[str | None, ...], line: str) -> str:
    """A day as ISO 8601, empty where there is none."""
    if not all(parts):
        return ""
    try:
        return dt.date(*(int(part or 0) for part in parts)).isoformat()
    except ValueError as error:
        raise ValueError(f"「{line[:40]}」的日期不存在") from error


def beside_catalogue(product: Product, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Those of `facts` that are not empty, and that the catalogue does not say as well.

    Raises ValidationFailed for facts that are too long together.
    """
    known = catalogue_facts(product)
    own = {
        key: value
        for key, value in facts.items()
        if (text := fact_as_text(value)) and text != fact_as_text(known.get(key))
    }
    facts_from(mapping=known | own)
    return own


def save_fact_sheet(*, product: Product, domain: str, facts: Mapping[str, Any], user: Any) -> FactSheet:
    """Write the sheet of a product: `facts` are all of `FactSheet.FACTS`, as forms show them.

    What the catalogue says as well is not stored, so that it follows the catalogue. Raises ValidationFailed as
    `beside_catalogue`, Conflict if somebody else makes the sheet at the same moment.
    """
    own = beside_catalogue(product, facts)
    with transaction.atomic():
        stored = FactSheet.objects.select_for_update().filter(product=product).first()
        sheet = stored or FactSheet(product=product)
        before = own_facts(sheet, product)
        now = timezone.now()
        if any(own.get(key) != before.get(key) for key in PRICES):
            sheet.priced_at = now if any(key in own for key in PRICES) else None
        sheet.facts = {key: value for key, value in before.items() if key not in FactSheet.FACTS} | own
        sheet.domain, sheet.updated_at, sheet.updated_by = domain, now, user
        try:
            sheet.save()
        except IntegrityError as error:
            raise Conflict("這個商品剛剛有人建立了商品事實，請開啟那一份再修改") from error
    return sheet
