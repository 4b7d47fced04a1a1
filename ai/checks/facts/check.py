"""The fact lock itself: what a text says and the facts do not, as warnings in Traditional Chinese."""

from __future__ import annotations

import re
from dataclasses import replace

from ai.checks.facts import words
from ai.checks.facts.idioms import idioms
from ai.checks.facts.index import Index, index_of
from ai.checks.facts.items import Item, Kind, Money
from ai.checks.facts.labels import mark
from ai.checks.facts.model import Facts
from ai.checks.facts.normalise import shadow_of
from ai.checks.facts.numbers import NUMERALS
from ai.checks.facts.roles import amounts
from ai.checks.facts.trace import rights, supported
from ai.checks.warnings import Check, Severity, Warning

TEXT_LIMIT = 20_000
# What each kind is called, in their order.
_NAMES = (
    "價格 折扣 省下的金額 比例或倍數 容量、重量或規格 數量 時間 保固 保存期限 排名 銷售數字 評分 促銷活動 日期 產地"
    " 認證或檢驗 獎項 專利 推薦或代言 「不含、無添加」 型號或名稱 數字"
)
_LABELS = dict(zip(Kind, _NAMES.split(), strict=True))
_ASK = {Kind.MODEL, Kind.NUMBER, Kind.DATE, Kind.COUNT, Kind.DURATION, Kind.CONTENT}
_AMOUNT = re.compile(f"^(?:百分之)?[\\d,.{NUMERALS}半]+[多餘幾+]?")
# Which facts say what is right about a claim without an amount.
_SOURCES = {
    Kind.ORIGIN: "origin", Kind.CERTIFICATION: "certifications", Kind.AWARD: "awards", Kind.PATENT: "patents",
    Kind.PROMOTION: "promotion", Kind.WARRANTY: "warranty", Kind.NEGATIVE: "ingredients",
}  # fmt: skip


def check_facts(text: str, facts: Facts) -> list[Warning]:
    """What the facts do not support, by place. Offsets are code points of `text`.

    Raises ValueError beyond `TEXT_LIMIT`.
    """
    if len(text) > TEXT_LIMIT:
        raise ValueError(f"文字太長：最多 {TEXT_LIMIT:,} 個字")
    shadow, index = shadow_of(text), index_of(facts)
    taken = bytearray(len(shadow.text))
    for start, end in idioms(shadow.text):
        mark(taken, start, end)
    _take_names(shadow.text, index, taken)
    claims = [item for item in words.claims(shadow.text) if 0 in taken[item.start : item.end]]
    for item in claims:
        mark(taken, item.start, item.end)
    found = [*claims, *amounts(shadow.text, taken)]
    wrong = [item for item in found if not supported(item, index, shadow.text)]
    if any(item.kind is Kind.WARRANTY and item.key != "保固" for item in wrong):
        wrong = [item for item in wrong if item.key != "保固"]  # 保固1年: one warning
    wrong.sort(key=lambda item: (item.start, -item.end))
    warnings: list[Warning] = []
    for item in wrong:
        start, end = shadow.span(item.start, item.end)
        last = warnings[-1] if warnings else None
        if last and start < last.end:
            continue  # one place, one warning
        adjacent = last and item.kind == last.kind and not text[last.end : start].strip()
        if last and adjacent and item.value is None and end - last.start <= 20:
            warnings[-1] = replace(last, end=end, text=text[last.start : end])
            continue
        warnings.append(_warning(item, index, shadow.text, text, start, end))
    return warnings


def _take_names(shadow: str, index: Index, taken: bytearray) -> None:
    for name in index.names:
        place = shadow.find(name)
        while place >= 0:
            end = place + len(name)
            cut = (name[0].isdigit() and shadow[place - 1 : place].isdigit()) or (
                name[-1].isdigit() and shadow[end : end + 1].isdigit()
            )
            if not cut:
                mark(taken, place, end)
            place = shadow.find(name, end)


def _warning(item: Item, index: Index, shadow: str, text: str, start: int, end: int) -> Warning:
    written = text[start:end]
    right = [] if item.value is None else rights(item, index)
    severity = Severity.MEDIUM if item.kind in _ASK and not right else Severity.HIGH
    shown = [text for text in (_shown(item, size, shadow) for size in right) if not re.match(r"0(?!\.\d)", text)]
    if item.value is None:
        reason = _claim_reason(item, index, written)
    elif shown:
        label = item.role if item.key == "money" and item.role != Money.ANY else _LABELS[item.kind]
        reason = f"{label}寫「{written}」，事實是{'、'.join(shown[:4])}"
    elif item.key == "money" and item.role == Money.UNIT:
        reason = f"「{written}」不是售價除以數量或容量的結果"
    else:
        reason = f"事實裡沒有「{written}」這個{_LABELS[item.kind]}"
    suggestion = f"{shown[0]}" if len(shown) == 1 else ""
    return Warning(Check.FACTS, item.kind, severity, start, end, written, reason, suggestion)


def _claim_reason(item: Item, index: Index, written: str) -> str:
    known = "、".join(index.facts.of(_SOURCES[item.kind])) if item.kind in _SOURCES else ""
    if item.kind is Kind.NEGATIVE:
        if item.key and item.key in known:
            return f"成分裡有{item.key}，不能寫「{written}」"
        return f"事實裡沒有說「{written}」"
    if known:
        return f"事實裡的{_LABELS[item.kind]}是「{known[:60]}」，沒有「{written}」"
    return f"事實裡沒有「{written}」這個{_LABELS[item.kind]}"


def _shown(item: Item, size: float, shadow: str) -> str:
    """A right amount in the unit of the item: NT$1,280, 30ml, 8折, 100萬瓶."""
    if item.key == "money":
        return f"NT${size:,.0f}"
    if item.key == "left":
        tenths = round(size * 100)
        return f"{tenths // 10 if tenths % 10 == 0 else tenths}折"
    unit = _AMOUNT.sub("", shadow[item.start : item.end])
    number = round(size * (item.value or 0) / item.size, 2) if item.size else size
    if number >= 10_000 and number % 10_000 == 0:
        return f"{number / 10_000:,g}萬{unit}"
    return f"{number:,.2f}".rstrip("0").rstrip(".") + unit
