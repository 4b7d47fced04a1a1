"""Words without a slash: a sentence becomes a command, or a reply that offers choices or declines. No model."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime

from django.utils import timezone

from accounts.models import User
from bot.registry import Button, Reply
from bot.texts import bold, lines
from bot.words.names import RANKINGS, fold
from bot.words.reading import (
    HINT,
    LONGEST,
    RANKING_OF_ALL,
    REPORT_OF_ALL,
    Asked,
    Unclear,
    Wish,
    not_understood,
    read,
    refuse_name,
    settle,
)
from momo.core.periods import day_of

Understood = tuple[str, tuple[str, ...]]  # a command with its arguments
_PRODUCT_ID = re.compile(r"\d{5,10}|tp\d{7,20}", re.ASCII)
_CHANGES = {"up": "漲價", "down": "降價", "gone": "下架"}


def understand(text: str, *, user: User, now: datetime) -> Understood | Reply:
    """Return the command that a sentence asks for, with its arguments, or a reply where that is not certain.

    The command is run with the role of `user` as if it had been typed, so nothing is refused here.
    """
    try:
        if len(text) > LONGEST:
            raise Unclear(lines(f"這句話太長了，最多 {LONGEST} 個字。", HINT))
        return _understand(fold(text), timezone.localdate(now))
    except Unclear as unclear:
        return unclear.reply


def _understand(text: str, today: date) -> Understood:
    asked = read(text, today)
    kinds = asked.kinds
    if kinds == {"sells"}:
        return _sells(asked, text, today)
    if len(kinds) > 1:
        raise Unclear(lines("一次只能問一件事。", HINT))
    if _PRODUCT_ID.fullmatch(text) and not asked.periods:
        return "price", (text,)
    kind = next(iter(kinds), "")
    if kind in ("price", "changes", "stockout"):
        return _goods(kind, asked, today)
    if kind in ("status", "crawl", "help"):
        if asked.rest or asked.periods:
            raise Unclear(not_understood(asked.rest or asked.periods[0].label))
        return kind, ()
    return _figures(kind, asked, text, today)


def _sells(asked: Asked, text: str, today: date) -> Understood:
    """賣多少錢: sales where a day is named, a price where goods are."""
    if asked.periods or asked.problems or not asked.topic:
        return _figures("sales", asked, text, today)
    try:
        wish = settle(text, today, "sales")
    except Unclear:
        return _goods("price", asked, today)
    buttons = [
        Button("業績", "sales", wish.args, replaces=False),
        Button("價格", "price", _words(asked), replaces=False),
    ]
    raise Unclear(f"您要看 {bold(asked.topic)} 的業績，還是商品的價格？", buttons)


def _words(asked: Asked) -> tuple[str, ...]:
    return tuple(asked.topic.split())


def _goods(kind: str, asked: Asked, today: date) -> Understood:
    """Prices, changes and stockouts are those of now; changes are of all goods."""
    changes = asked.tags & _CHANGES.keys()
    args = tuple(changes) if kind == "changes" and len(changes) == 1 else ()
    args = _words(asked) if kind != "changes" else args
    if kind == "price" and not args:
        raise Unclear("要查哪個商品的價格？請加上品號或品名，例如「小黑瓶多少錢」。")
    which = _CHANGES[args[0]] if kind == "changes" and args else "價格變動"
    label = {"price": f"看 {asked.topic} 的價格", "changes": f"看所有{which}", "stockout": "看缺貨"}[kind]
    offer = Button(label[:40], kind, args, replaces=False)
    if asked.problems or any(period != day_of(today) for period in asked.periods):
        raise Unclear(f"這只能看目前的，不能指定日期。要{bold(label)}嗎？", [offer])
    if kind == "changes" and asked.topic:
        text = f"價格變動不能只看 {bold(asked.topic)}；可以查它的價格，或看所有價格變動（降價、漲價、下架）。"
        price = Button(f"{asked.topic} 的價格"[:40], "price", _words(asked), replaces=False)
        raise Unclear(text, [price, offer])
    return kind, args


def _figures(kind: str, asked: Asked, text: str, today: date) -> Understood:
    """Sales of a day, a week or a month, rankings and reports."""
    command = kind or "sales"
    if asked.tags & {"goods", "vendor"}:
        raise Unclear(lines("銷售只能依品牌、PM 或分類看；商品與廠商的銷售請到系統的銷售明細。", HINT))
    wish = settle(text, today, command, sure=kind in ("sales", "top", "report"))
    if not kind and wish == Wish():
        raise Unclear(lines("請告訴我要看什麼。", HINT))
    if command == "top" or (wish.dimension and not wish.name):
        return _top(asked, wish)
    if "which" in asked.tags:
        raise Unclear("要看哪一種排行：品牌、PM 或分類？", _rankings(wish))
    if command == "report":
        return _report(asked, wish)
    if not kind and wish.name and not wish.period:
        raise Unclear(f"您要看 {bold(wish.name.label)} 的業績，還是商品的價格？", _about(wish, asked))
    month = wish.period and wish.period.kind == "month"
    return "month" if month else "sales", replace(wish, dimension="").args


def _about(wish: Wish, asked: Asked) -> list[Button]:
    name = wish.name.shown if wish.name else ""
    return [
        Button("業績", "sales", wish.args, replaces=False),
        Button("本月業績", "month", wish.args, replaces=False),
        Button(f"{name} 的價格"[:40], "price", tuple(name.split()), replaces=False),
    ]


def _top(asked: Asked, wish: Wish) -> Understood:
    refuse_name(wish, RANKING_OF_ALL)
    if not wish.dimension and "which" in asked.tags:
        raise Unclear("要看誰的排行：品牌、PM 或分類？", _rankings(wish))
    wish = replace(wish, dimension=wish.dimension or "brand")
    if asked.tags & {"profit", "quantity"}:
        button = Button("依業績排行", "top", wish.args, replaces=False)
        raise Unclear("排行只依業績，不依毛利或數量。", [button])
    return "top", wish.args


def _rankings(wish: Wish) -> list[Button]:
    return [Button(label, "top", replace(wish, dimension=one).args, replaces=False) for one, label in RANKINGS.items()]


def _report(asked: Asked, wish: Wish) -> Understood:
    refuse_name(wish, REPORT_OF_ALL)
    if wish.period:
        return "report", (wish.period.text,)
    span = next((tag.removeprefix("report_") for tag in sorted(asked.tags) if tag.startswith("report_")), "day")
    return "report", (span,)
