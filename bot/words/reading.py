"""Reads what a user asks: periods, a dimension, a name of the data, and words with a meaning.

Every character must be explained by the vocabulary or by a name. What is left over is named in the answer: a sentence
is understood, or it is declined, never half understood. Arguments of commands are read by the same rules.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from bot.registry import Button, Reply
from bot.texts import bold, escape, lines
from bot.words.dates import MASK, NUMBER, find_periods, number_of
from bot.words.names import LABELS, OFFERED, Name, Names, fold, has_word
from momo.core.periods import Period, day_of
from sales.selectors.days import keys_with_sales

LONGEST = 100  # characters of a sentence
LONGEST_ARGUMENTS = 400  # a name has up to 200
LABEL = 40  # characters of a button
MOST = 50  # keys of a ranking
RANKING_OF_ALL, REPORT_OF_ALL = "排行是全部的品牌、PM 或分類", "報表是全部的銷售"

# Before dates, whose words they share.
_FIRST = {
    "page": r"#(\d{1,3})(?!\d)",
    "number": rf"(?:前|(?<![a-z])top\s*)({NUMBER})(?![天日週月年季\d])(?!個[月週])(?:大|強|名|個)?",
    "report_week": r"上?個?週報(?![表告])|report week",
    "report_day": r"日報(?![表告])|report day",
    "report_month": r"(?<![\d一二三四五六七八九十上本這])月報(?![表告])|report month",
}
# After dates, in this order.
_TAGS = {
    "report": r"報表|報告|(?<![a-z])report(?![a-z])",
    "status": r"(?:系統|主機|機器人|爬蟲|價格更新|匯入)?(?:狀態|正常嗎|還好嗎)",
    "crawl": r"(?:馬上|立刻|現在)?更新價格|(?:開始|執行|跑)爬蟲|(?<![a-z])crawl(?![a-z])",
    "changes": r"價格?(?:有什麼|有沒有|的)?(?:變動|異動|變化|調整)|變價|調價",
    "down": r"降價|跌價|變便宜|便宜了",
    "up": r"漲價|變貴|調漲",
    "gone": r"下架|停售",
    "stockout": r"缺貨|斷貨|沒貨|庫存不足|(?<![a-z])stockouts?(?![a-z])",
    "top": r"排行榜?|排名|名次|(?:業績|賣[得的]?)最(?:好|多)|(?<![a-z])top(?![a-z])",
    "sells": r"賣了?多少錢",
    "price": r"多少錢|價格|價錢|售價|特價|定價|現價|報價|幾元|幾塊錢?|(?<![a-z])price(?![a-z])",
    "help": r"你?會什麼|怎麼用|使用說明|有什麼指令|指令|(?<![a-z])help(?![a-z])",
    "profit": r"毛利率?|利潤",
    "quantity": r"銷量|銷售量|銷售數量|數量|件數|賣[了出]?幾[件個瓶]|幾件",
    "sales": r"業績|營業額|營收|銷售額?|成交|數字|賣(?:了|得|的|出)?(?:好嗎|好不好)?|(?<![a-z])sales(?![a-z])",
    "brand": r"(?:各個?|每個|哪個|哪些|依|按)?(?:品牌|(?<![a-z])brands?(?![a-z]))",
    "pm": r"(?:各個?|每個|哪個|哪些|哪位|依|按)?(?<![a-z])pm(?![a-z])",
    "category": r"(?:各個?|每個|哪個|哪些|依|按)?(?:分類|類別|館別|(?<![a-z])categor(?:y|ies)(?![a-z]))",
    "compare": r"比較?|相比|成長|衰退",
    "sum": r"累計|累積",
    "goods": r"商品|產品|東西",
    "vendor": r"廠商|供應商",
    "which": r"哪些|哪個|什麼|誰",
}
_KINDS = {
    name: name
    for name in ("report", "changes", "stockout", "top", "sells", "price", "status", "crawl", "help", "sales")
}
_KINDS |= dict.fromkeys(("report_week", "report_day", "report_month"), "report")
_KINDS |= dict.fromkeys(("down", "up", "gone"), "changes")
_KINDS |= dict.fromkeys(("profit", "quantity"), "sales") | {"number": "top"}
_FILLER = (
    "請問|請|幫我|幫忙|麻煩|我要|我想要?|想要?|知道|給我|看看|看一下|看|查一下|查詢|查|一下|告訴我|顯示|列出|當天|整天|購物節|"
    "現在|目前|最新|到底|總共|合計|整體|資料|數據|結果|狀況|情況|表現|如何|怎麼樣|怎樣|怎麼|多少|謝謝|那|和|跟|與|以及|"
    "的|是|有沒有|有|了|嗎|呢|吧|啊|喔|啦|類|(?<![a-z])(?:the|of|for|and|please|thanks)(?![a-z])"
)
_PUNCTUATION = r"[\s,.!?;:、。，！？；：「」『』()\[\]…~]"
_FIRST_PATTERNS = {name: re.compile(pattern) for name, pattern in _FIRST.items()}
_TAG_PATTERNS = {name: re.compile(pattern) for name, pattern in _TAGS.items()}
_NUMBER = re.compile(r"\d{1,2}|100", re.ASCII)  # 618 is a day
_FILLERS = re.compile(f"{_FILLER}|{_PUNCTUATION}")
_EDGES = re.compile(f"^(?:{_FILLER}|{_PUNCTUATION})+|(?:{_FILLER}|{_PUNCTUATION})+$")


class Unclear(Exception):
    """The question cannot be answered as it stands; `reply` says why and offers what can."""

    def __init__(self, text: str, buttons: Sequence[Button] = ()) -> None:
        super().__init__(text)
        self.reply = Reply(
            text=text,
            data={"unclear": True, "choices": [{"command": one.command, "args": list(one.args)} for one in buttons]},
            buttons=[[one] for one in buttons],
        )


@dataclass
class Asked:
    """What a text says. `rest` is what nothing explains; `topic` is the text without dates and words with a meaning."""

    tags: set[str] = field(default_factory=set)
    periods: list[Period] = field(default_factory=list)
    problems: list[tuple[str, Period | None]] = field(default_factory=list)
    names: list[list[Name]] = field(default_factory=list)
    number: int | None = None
    page: int = 1
    topic: str = ""
    rest: str = ""

    @property
    def kinds(self) -> set[str]:
        """What is asked for: names of commands, and `sells` for words that ask for sales or for a price."""
        kinds = {_KINDS[tag] for tag in self.tags if tag in _KINDS}
        return kinds - {"sales"} if kinds & {"top", "report"} else kinds

    @property
    def dimensions(self) -> list[str]:
        """The dimensions that are named."""
        return [one for one in LABELS if one in self.tags]


@dataclass(frozen=True)
class Wish:
    """Arguments of a command on sales, all of them understood. `name` keeps only its sales."""

    period: Period | None = None
    name: Name | None = None
    dimension: str = ""
    number: int | None = None
    page: int = 1

    @property
    def args(self) -> tuple[str, ...]:
        """The wish as arguments; a name comes last, since everything after its dimension is the name."""
        number = (str(self.number),) if self.number else ()
        page = (f"#{self.page}",) if self.page > 1 else ()
        period = (self.period.text,) if self.period else ()
        if self.name:
            return number + page + period + self.name.args
        return number + page + ((self.dimension,) if self.dimension else ()) + period


def read(text: str, today: date, names: Names | None = None) -> Asked:
    """Read folded text; with `names` these are found first."""
    asked = Asked()
    if names is not None:
        text, asked.names = names.cut(text)
    for tag, pattern in _FIRST_PATTERNS.items():
        if match := pattern.search(text):
            if tag == "page":
                asked.page = max(1, int(match[1]))
            else:
                asked.tags.add(tag)
            if tag == "number":
                asked.number = number_of(match[1])
            text = pattern.sub(_masked, text, count=1)
    found = find_periods(text, today)
    text, asked.periods, asked.problems = found.left, found.periods, found.problems
    for tag, pattern in _TAG_PATTERNS.items():
        text, times = pattern.subn(_masked, text)
        if times:
            asked.tags.add(tag)
    pieces = [_EDGES.sub("", piece) for piece in text.split(MASK)]
    asked.topic = " ".join(piece for piece in pieces if piece)
    asked.rest = asked.topic if _FILLERS.sub("", text.replace(MASK, "")) else ""
    if "sum" in asked.tags and all(period.kind == "day" for period in asked.periods):
        asked.rest = f"累計 {asked.rest}".strip()  # since when?
    return asked


def read_arguments(args: Sequence[str], today: date, command: str) -> Wish:
    """Read the arguments of `command`. Raises Unclear."""
    if sum(map(len, args)) > LONGEST_ARGUMENTS:
        raise Unclear(f"太長了，最多 {LONGEST_ARGUMENTS} 個字。")
    number = None
    if command == "top":
        number = next((int(one) for one in args if _NUMBER.fullmatch(one)), None)
        args = [one for one in args if not _NUMBER.fullmatch(one)]
    named = None if command == "top" else _explicit_name(args)
    if named:
        return settle(fold(" ".join(args[: named[0]])), today, command, name=named[1])
    return settle(fold(" ".join(args)), today, command, number=number, sure=True)


def settle(
    text: str,
    today: date,
    command: str,
    *,
    name: Name | None = None,
    number: int | None = None,
    sure: bool = False,
) -> Wish:
    """Make a wish of folded text. Raises Unclear unless all of it is understood. `name` and `number` are known already.

    `sure`: the words ask for sales, so that part of a name may stand for the only name with that part.
    """
    asked = read(text, today)
    names = None
    if asked.rest and name is None:
        names = Names(keys_with_sales())
        asked = read(text, today, names)
    wish = Wish(
        period=asked.periods[0] if len(asked.periods) == 1 and not asked.problems else None,
        dimension=(asked.dimensions or [""])[0],
        number=asked.number if number is None else number,
        page=asked.page,
    )
    if name:
        asked.names = [[name]]
    if "compare" in asked.tags:
        offered = _period_choices(command, wish, asked.periods[:OFFERED] or [day_of(today)])
        raise Unclear("每個數字都附有與前期、去年的比較；請選要看的期間：", offered)
    if asked.rest:
        asked.names.append(_named(asked, names, wish, command, sure=sure))
    _check_period(asked, wish, today, command)
    if wish.number is not None and not 1 <= wish.number <= MOST:
        raise Unclear(f"名次要在 1 到 {MOST} 之間。")
    return replace(wish, name=_one_name(asked, wish, command))


def _explicit_name(args: Sequence[str]) -> tuple[int, Name] | None:
    """The name that stands after its dimension at the end, `brand 蘭蔻`, and the place of the dimension."""
    for place, one in enumerate(args):
        dimension = next((name for name in LABELS if _TAG_PATTERNS[name].fullmatch(fold(one))), "")
        if dimension and args[place + 1 :]:
            found = Names(keys_with_sales()).exact(dimension, " ".join(args[place + 1 :]))
            return (place, found[0]) if len(found) == 1 else None
    return None


def refuse_name(wish: Wish, what: str) -> None:
    """Raise Unclear where one name is asked for, and `what` is of all; offers the sales of that name."""
    if wish.name:
        sales = Button(f"{wish.name.label} 的業績"[:LABEL], "sales", replace(wish, number=None).args, replaces=False)
        raise Unclear(f"{what}，不能只看 {bold(wish.name.label)}。", [sales])


def choices(command: str, wish: Wish, names: Sequence[Name]) -> list[Button]:
    """A button for each name, with the other arguments of the wish."""
    return [
        Button(one.label[:LABEL], command, replace(wish, name=one, dimension="", page=1).args, replaces=False)
        for one in names[:OFFERED]
    ]


def not_understood(rest: str) -> str:
    """The sentence about words that nothing explains."""
    return lines(f"看不懂「{escape(rest[:LONGEST])}」。", HINT)


HINT = lines(
    "可以這樣說，例如：昨天業績、上週蘭蔻業績、10月業績、本月品牌排行、小黑瓶多少錢、今天誰降價、缺貨。",
    "輸入 /help 看所有指令。",
)


def _masked(match: re.Match[str]) -> str:
    return MASK * len(match[0])


def _named(asked: Asked, names: Names | None, wish: Wish, command: str, *, sure: bool) -> list[Name]:
    """The names that the unexplained words stand for. Raises Unclear unless they are a name, or part of just one."""
    if names is None:
        raise Unclear(not_understood(asked.rest))
    found = [] if asked.names else names.like(asked.rest, asked.dimensions)
    whole = [one for one in found if one in names.exact(one.dimension, asked.rest)]
    if whole or (len(found) == 1 and sure and len(asked.rest) > 1 and has_word(found[0], asked.rest)):
        return whole or found
    if found:
        more = f"（另有 {len(found) - OFFERED} 個，請多寫幾個字）" if len(found) > OFFERED else ""
        which = "您是說下面這一個嗎？" if len(found) == 1 else f"「{escape(asked.rest)}」是哪一個？{more}"
        raise Unclear(lines(which, _names_line(found)), choices(command, wish, found))
    near = names.near(asked.rest, asked.dimensions)
    if near:
        text = lines(f"看不懂「{escape(asked.rest[:LONGEST])}」；銷售資料中相近的名稱：", _names_line(near))
        raise Unclear(text, choices(command, wish, near))
    raise Unclear(not_understood(asked.rest))


def _names_line(names: Sequence[Name]) -> str:
    return "、".join(escape(one.label[:LABEL]) for one in names[:OFFERED])


def _check_period(asked: Asked, wish: Wish, today: date, command: str) -> None:
    """Raise Unclear for dates that do not exist or have not come, and for more than one period."""
    for problem, near in asked.problems:
        offered = [near] if near and near.first <= today else []
        ask = f"；您是說 {near.label} 嗎？" if offered and near else "。"
        raise Unclear(f"{problem}{ask}", _period_choices(command, wish, offered))
    if len(asked.periods) > 1:
        raise Unclear("一次只能看一個期間，請選一個：", _period_choices(command, wish, asked.periods[:OFFERED]))
    for period in asked.periods:
        if period.first > today:
            raise Unclear(f"{period.label}還沒到，沒有資料。", _period_choices(command, wish, [day_of(today)]))


def _period_choices(command: str, wish: Wish, periods: Sequence[Period]) -> list[Button]:
    return [Button(one.label, command, replace(wish, period=one, page=1).args, replaces=False) for one in periods]


def _one_name(asked: Asked, wish: Wish, command: str) -> Name | None:
    """The only name. Raises Unclear where several fit, or several are asked for."""
    groups = [[one for one in group if one.dimension in asked.dimensions] or group for group in asked.names]
    if not groups:
        if len(asked.dimensions) > 1:
            buttons = [Button(LABELS[one], "top", replace(wish, dimension=one).args) for one in asked.dimensions]
            raise Unclear("一次只能依一種分，請選一種：", buttons)
        return None
    names = list(dict.fromkeys(one for group in groups for one in group))
    if len(groups) > 1 and len(names) > 1:
        raise Unclear(lines("一次只能看一個品牌、PM 或分類，請選一個："), choices(command, wish, names))
    if len(names) > 1:
        raise Unclear(f"{bold(names[0].shown)} 是哪一個？", choices(command, wish, names))
    return names[0]
