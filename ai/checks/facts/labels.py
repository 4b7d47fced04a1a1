"""Numbers that are no amounts: dates, and names such as MX-3000, SPF50+ and 4K."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ai.checks.facts.items import Item, Kind
from ai.checks.facts.numbers import numbers
from ai.checks.facts.units import unit_at

YUAN = re.compile(r"(?:元|圓|塊(?:錢|(?=[半就有起多左，。!?、;\n(一每]|$))|台幣|円|nt\$)(?!素|氣|宵|旦|老)(?:整|起)?")
_DATE = re.compile(
    r"(?=[\d一二三四五六七八九十])(?:(?<![\d./])(?:(?P<year>(?:19|20)\d\d)[年/.-])?(?P<month>0?[1-9]|1[0-2])(?:月(?P<day>[12]\d|3[01]"
    r"|0?[1-9])[日號]?|[/](?P<slash>[12]\d|3[01]|0?[1-9])|月(?!份量))(?![\d%/])"
    r"|(?<![\d./-])(?P<iso>(?:19|20)\d\d[-.](?:0?[1-9]|1[0-2])[-.](?:[12]\d|3[01]|0?[1-9]))(?![\d%])"
    r"|(?<![\d.])(?P<alone>(?:19|20)\d\d)(?:年(?!份|保固|效期)|(?=新版|新款|全新|最新|春|夏|秋|冬|版|款))"
    r"|(?P<chinese>[一二三四五六七八九十]{1,2}月(?:[一二三四五六七八九十]{1,3}[日號]|(?=限|底|前|初|中旬|起|優惠|活動|到貨|出貨|上市))))"
)
_RANGE_END = re.compile(
    r"(?<=[\d日號])[-~至到](?P<day>(?:[12]\d|3[01]|0?[1-9])[日號]?(?![\d./月%a-z年天個])|[一二三四五六七八九十]{1,3}[日號])"
)
_LABEL = re.compile(
    r"(?<![a-z0-9])(?P<word>[a-z]+)(?P<gap>[- .]?)(?P<number>\d{1,12}(?:\.\d{1,4})?)(?P<tail>[a-z]{0,6}(?![a-z])\+?)"
)
_SUFFIXED = re.compile(r"(?<![a-z0-9.,$])(?P<number>\d{1,5})(?P<tail>[a-z]{1,5}\d{0,6}[a-z]{0,4})(?![a-z0-9])")
_YEAR = re.compile(r"(?:19|20)\d\d")  # 2023COSMO: the number is a year
_ANOTHER = re.compile(r"/\d{1,4}(?![\d.])")
_GRADE = re.compile(r"(?<![a-z])pa(\+{1,6})")  # PA++++
_NO_LABEL = {
    "nt", "ntd", "twd", "us", "usd", "x", "up", "only", "just", "save", "off", "by", "buy", "get", "plus", "price",
    "and", "to",
}  # fmt: skip
# Names whose number promises something by itself.
PROMISING = {"pa", "spf", "upf", "ipx", "ip", "uv"}


def mark(taken: bytearray, start: int, end: int) -> None:
    """What stands there is accounted for."""
    taken[start:end] = b"\1" * (end - start)


def dates(shadow: str, taken: bytearray) -> Iterator[Item]:
    """Days, months and years; where they stand is then `taken`."""
    for match in _DATE.finditer(shadow):
        if 1 in taken[match.start() : match.end()]:
            continue
        if (
            match["slash"]
            and not match["year"]
            and (unit_at(shadow, match.end()) or shadow[match.end() : match.end() + 1] == ".")
        ):
            continue
        text = match["iso"]
        if text:
            year, month, day = re.split("[-.]", text)
        else:
            year, month, day = (
                match["year"] or match["alone"] or "",
                match["month"] or "",
                match["day"] or match["slash"] or "",
            )
        if match["chinese"]:
            month, _, day = match["chinese"].rstrip("日號").partition("月")
            month, day = (str(int(next(numbers(part)).value or 0)) if part else "" for part in (month, day))
        key = f"{year}/{int(month or 0)}/{int(day or 0)}"
        end = match.end()
        yield Item(Kind.DATE, key, match.start(), end)
        mark(taken, match.start(), end)
        if day and (until := _RANGE_END.match(shadow, end)):
            last = int(next(numbers(until["day"])).value or 0)
            yield Item(Kind.DATE, f"{year}/{int(month)}/{last}", until.start("day"), until.end())
            mark(taken, *until.span())


def labels(shadow: str, taken: bytearray) -> Iterator[Item]:
    """Names with a number: MX-3000, iPhone 15, SPF50+, 4K. A Latin unit or a percent sign makes an amount of it."""
    for match in _LABEL.finditer(shadow):
        word, gap, end = match["word"], match["gap"], match.end()
        if word in _NO_LABEL or 1 in taken[match.start() : end]:
            continue
        after = shadow[match.end("number") : match.end("number") + 1]
        unit = unit_at(shadow, match.end("number"))
        measured = unit and (
            unit[0].name[0].isascii() or gap == " " or unit[0].dimension in {"volume", "mass", "length"}
        )
        if after in {"%", ","} or measured or (gap == " " and YUAN.match(shadow, match.end("number"))):
            continue
        yield Item(Kind.MODEL, word, match.start(), end, role=match["number"] + match["tail"].strip("+"))
        mark(taken, match.start(), end)
        while again := _ANOTHER.match(shadow, end):  # iPhone 15/16
            mark(taken, *again.span())
            end = again.end()
    for match in _GRADE.finditer(shadow):
        yield Item(Kind.MODEL, "pa", match.start(), match.end(), role=match[1])
    for match in _SUFFIXED.finditer(shadow):
        if (
            1 in taken[match.start() : match.end()]
            or unit_at(shadow, match.end("number"))
            or re.match("x|off|nt", match["tail"])
            or (_YEAR.fullmatch(match["number"]) and len(match["tail"]) > 2)
        ):
            continue
        yield Item(Kind.MODEL, match["tail"], match.start(), match.end(), role=match["number"])
        mark(taken, *match.span())
