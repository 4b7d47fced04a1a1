"""Amounts in a shadow with what they are (a price, a content, a warranty …), by unit and by the words around."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace

from ai.checks.facts.items import Item, Kind, Money
from ai.checks.facts.labels import YUAN, dates, labels, mark
from ai.checks.facts.numbers import NUMERALS, Number, number_from
from ai.checks.facts.units import COUNTING, Unit, unit_at

_WINDOW = 14  # characters before a number that say what it is
_CLAUSE = re.compile(r"[，。!?;\n、/|→](?=[^，。!?;\n、/|→]*\Z)")
_CURRENCY = re.compile(r"(?:nt\$?|ntd|twd|us\$|\$|¥|新台幣|台幣) ?$")
_ROLES = re.compile(
    r"(?P<原價>原價|(?<![限特])定價|市價|建議售價|建議價|牌價|專櫃價|原本|原售價|官網價|吊牌價)"
    r"|(?P<價值>價值|市值|總值)"
    r"|(?P<折抵>滿[\d,千百萬一二兩三四五六七八九]{1,8}元?折|現省|立省|狂省|省下|省|現折|立減|立折|再折|便宜"
    r"|價差|差價|(?<=原價)少|少[花付]|降價|賺|現抵|可抵|抵|(?<![\d一二三四五六七八九對完])(?:折抵|折價(?!券)|折(?!扣|後|起))|減)"
    r"|(?P<門檻>消費滿|單筆滿|買滿|滿額|消費達|門檻|(?<![飽圓豐美充佈擠未不用])滿)"
    r"|(?P<售價>只要|只需|只賣|僅需|僅要|僅|只|特惠|特價|下殺|限時價|入手|價格|售|賣|價|折後|實付|(?<![剛人方])才$)"
)
_DIRECTLY = re.compile(r"[:(是為到了約近只要不達至僅]*$")
_PIECES = "瓶罐包袋盒支條片張顆粒錠塊入件個組份雙杯台本枚抽捲箱"
_SHARES = rf"ml|毫升|公升|公斤|公克|gb|g|克|個月|周|[{_PIECES}天日人期次]"
# Of one what an amount speaks: 平均一瓶, 每100ml, 單片.
_EACH = re.compile(rf"(?:每|平均|單|均價|(?<![十百千萬])一|(?<!\d)1)(\d{{0,4}}(?:{_SHARES}))|平均")
# 兩瓶990: money without a unit.
_BOUGHT = re.compile(rf"(?<!元)[\d{NUMERALS}][{_PIECES}]$")
# Between a word and a number: another amount, of which the word speaks.
_SPENT = re.compile(rf"[元$%折]|\d(?![\d,.]*[\d{_PIECES}])")
_PER = re.compile(rf"(?:/|[一每](?=[{_PIECES}]))({_SHARES})")
_UNDER = re.compile(r"(?:不到|不用|未滿|不滿|低於|不超過|少於|不破|無需|免)(?:nt\$?|\$)?$")
_AT_MOST = re.compile("(?:不超過|低於)$")
_OVER = re.compile(r"(?:超過|超越|逾|突破|破|不只|高於|多於|超|賣破|至少|最少|上(?=[百千萬億]?))(?:nt\$?|\$)?$")
_NEAR = re.compile(r"(?:將近|接近|逼近|近|快)(?:nt\$?|\$)?$")
_ABOUT = re.compile(r"(?:大約|約莫|約|差不多|平均約)(?:nt\$?|\$)?$")
# How such a word ends; after anything else none is looked for.
_HEDGES = frozenset("到用滿於過破需免$t越逾只多超少上近快約莫數幾")
_HEDGED = re.compile(f"{_UNDER.pattern}|{_NEAR.pattern}|{_ABOUT.pattern}")
_SEVERAL = re.compile(r"(?<![倒次人個份指件總點多])數$|幾$")
_MORE = re.compile(r"[多餘幾](?![重種層樣功])")
_CHANGE = re.compile(
    r"(?:元|塊)?(?:就|還)?有找|(?:元|塊錢?)內(?![含附建裝])|(?:元|塊)?(?:不到(?![\d一二兩三四五六七八九百千萬$n])|以下|以內|之內|有剩)"
)
# 一千一就能入手: money without a unit.
_TAKE = re.compile(r"(?:元|塊)?(?:就|即)?(?:能|可以?)?(?:入手|帶走|帶回|擁有|買到|到手)")
_SOLD = re.compile(
    r"(?:[年月日]銷|熱銷|銷售|暢銷|已售|售出|賣出|狂銷|狂賣|熱賣|累計|累積|銷量|賣破|完售|銷出|賣掉|突破|破|回購)"
    rf"[^\d{NUMERALS}]{{0,8}}$"
)
_CROWD = re.compile(
    "[多餘]?(?:網友|粉絲|會員|用戶|媽媽|家庭|消費者|顧客|人次|好評|評價|銷量|業績|女[生性]|男[生性]|民眾|買家|上班族|爸媽|長輩|毛孩|寶寶|家長|學生|國人|台灣人|點讚|按讚|追蹤|觀看|下載|分享|見證)"
)
# Small numbers of these are a manner of speaking, unless the facts count the same: 三種成分, 一天兩次.
_SOFT = {"種", "滴", "匙", "重", "效", "用", "repeats", "款", "色"}
# 每天多睡五分鐘: what the reader does, not the goods.
_READER = re.compile("(?:睡|等|等待|休息|花|早起|提早|通勤|加班|追劇|站|坐|走|陪伴)(?:了|上)?$")
_SINCE = re.compile("連續|上市|創立|累積|蟬聯|研發|耗時|創業|深耕|專注")
# Up to the number: after 保固5年 the next number is something else.
_WARRANTY = re.compile(rf"(?<![年月天日])(?:保固|保修|維修|換新|保用)[^\d{NUMERALS}年月]{{0,6}}$")
_WARRANTED = re.compile(rf"[\d{NUMERALS}半](?:年|個月|月|天|日)[^，。\d]{{0,4}}(?:保固|保修)")
_LASTS = re.compile("(?:用|吃|喝|放|撐|長達)[上了到滿足]?$")
_SHELF = re.compile(rf"(?:保存|效期|有效期|賞味|保鮮|期限)[^\d{NUMERALS}年月]{{0,6}}$")
_PERIOD = re.compile(r"[^，。!?;\n]{0,3}(?:保固|保修|換新)(?![\d一二兩三四五六七八九十半])")
_EFFECT = re.compile(r"[就即內]?[^，。!?;\n]{0,2}(?:見效|有感|有效|變|瘦|白|改善|退|消|保固|保修|效期|保存)")
_OFF = re.compile(r"(?:省下?|折扣|降價?|便宜|現折|優惠|下殺|折|-)[了達約高近]*$")
_OFF_AFTER = re.compile(r" ?(?:off|折扣|優惠)")
_PERCENT_OF = re.compile("百分之$")
_STRUCTURE = re.compile(
    "大(?!卡|包|瓶|罐|盒|片|顆)|種(?:人|場合|情境|需求|用法|吃法|搭配|方法|方式)|(?:個|種|項|點|招)?(?:步驟"
    "|步|理由|原因|特色|優點|優勢|賣點|重點|亮點|關鍵|秘密|秘訣|訣竅|招|問題|面向|堅持|承諾|願望|字)"
)
_MARKER = re.compile(r"(?:^|[\n ，。!?;:])[(\[【]?$")
_HEADING = re.compile("(?:重點|步驟|特色|優點|理由|方法|亮點|賣點|階段)$")
_AFTER_MARKER = re.compile(r"[.、):】\]](?!\d)")
_CHAIN = re.compile(r" ?[-~×x/至到] ?(?=\d)")

_LINK = re.compile(r"(?:https?://|www\.)[^\s，。]{1,500}")


def amounts(shadow: str, taken: bytearray, *, strict: bool = False) -> Iterator[Item]:
    """Amounts and names with a number, where nothing is `taken`. `strict`: also plain 一, as in facts (保固一年)."""
    for match in _LINK.finditer(shadow):
        mark(taken, *match.span())
    yield from dates(shadow, taken)
    yield from labels(shadow, taken)
    waiting: list[Item] = []  # of a chain, whose unit comes with its last number
    place = 0
    while number := number_from(shadow, place):
        place = number.end
        if 1 in taken[number.start : number.end]:
            continue
        item = _item(shadow, number, strict)
        if item is None:
            continue
        place = max(place, item.end)
        if item.kind is Kind.NUMBER and _CHAIN.match(shadow, number.end):
            waiting.append(item)
            continue
        for early in waiting:
            near = item.kind is not Kind.NUMBER and item.start - early.end < _WINDOW
            yield _scaled(item, early) if near else early
        waiting.clear()
        yield item
    yield from waiting


def _scaled(last: Item, early: Item) -> Item:
    """`early` in the unit of `last`: the 10 of 10×15cm."""
    if not last.value or early.value is None:
        return early
    size = early.value * last.size / last.value
    return replace(last, start=early.start, end=early.end, value=early.value, size=size, low=size, high=size)


def _item(shadow: str, number: Number, strict: bool) -> Item | None:
    """What one number is; None for one that says nothing: of a list, a step, plain 一."""
    window = shadow[max(0, number.start - _WINDOW) : number.start]
    if cut := _CLAUSE.search(window):
        window = window[cut.end() :]
    if number.value is None:
        return None if number.chinese else Item(Kind.NUMBER, "", number.start, number.end)
    low, high, end = _bounds(shadow, number, window if window[-1:] in _HEDGES else "")
    found = unit_at(shadow, end)
    if _says_nothing(shadow, number, window, end, found is not None, strict):
        return None
    plain = Item(Kind.NUMBER, "", number.start, end, number.value, number.value, low, high)
    if item := _money(shadow, number, window, plain, found is not None):
        return item
    if shadow.startswith("折", end) and 0 < number.value < 100 and not shadow.startswith(("折疊", "折傘", "折射"), end):
        return _discount(shadow, plain, window)
    if _PERCENT_OF.search(window) or shadow.startswith("%", end):
        return _percent(shadow, plain, window)
    if _STRUCTURE.match(shadow, end):
        return None
    if not found:
        return _unitless(shadow, window, plain, number.chinese)
    unit, end = found
    if (
        number.chinese
        and number.value == 1
        and not (strict or unit.name[0].isascii() or _promised(shadow, window, unit, end))
    ):
        return None
    return _measured(shadow, number, window, plain, unit, end)


def _promised(shadow: str, window: str, unit: Unit, end: int) -> bool:
    """Whether the words around say that an effect, a warranty or the goods last so long."""
    lasts = unit.dimension != "repeats" and _LASTS.search(window)  # not 用一次
    before = _WARRANTY.search(window) or _SHELF.search(window) or lasts
    return bool(before or _EFFECT.match(shadow, end))


def _unitless(shadow: str, window: str, plain: Item, chinese: bool) -> Item | None:
    """熱銷百萬, 百萬網友, or a number of which nothing says what it is."""
    year = not chinese and 1900 <= (plain.value or 0) < 2100
    if (plain.value or 0) >= 100 and not year and (_SOLD.search(window) or _CROWD.match(shadow, plain.end)):
        return replace(plain, kind=Kind.SALES, key="sold")
    if _RATED.search(window) or ((plain.value or 99) <= 10 and _OUT_OF.match(shadow, plain.end)):
        return replace(plain, kind=Kind.RATING, key="score")
    each = _EACH.search(window)
    return None if chinese else replace(plain, each=each[1] or "" if each else "")


def _says_nothing(shadow: str, number: Number, window: str, end: int, measured: bool, strict: bool) -> bool:
    """第3步, the 1 of `1. 清潔`, `01 清潔`, 重點1 and 充電線×1."""
    value = number.value or 0.0
    ordinal = window.endswith("第") and not shadow.startswith("代", end)
    marker = not number.chinese and value < 100 and _MARKER.search(window) and _AFTER_MARKER.match(shadow, end)
    heading = value < 20 and (
        (not measured and _HEADING.search(window) and shadow[end : end + 1] not in {"%", "折", "元"})
        or (window[-1:] in {"(", "【"} and shadow[end : end + 1] in {")", "】"})
        or (shadow[number.start] == "0" and value >= 1 and not measured)
    )
    return bool(ordinal or marker or heading or (value == 1 and window.endswith("×") and not strict))


def _bounds(shadow: str, number: Number, window: str) -> tuple[float, float, int]:
    """Which facts make it true, after words such as 不到, 超過, 約, 多; and the end of number with such a word."""
    value, end = number.value or 0.0, number.end
    if _UNDER.search(window):
        return 0.0, value if _AT_MOST.search(window) else value - 1e-3, end
    if number.chinese and shadow[number.start] in "十百千萬億" and _SEVERAL.search(window):
        return 2 * value, 10 * value, end
    if shadow.startswith(("出頭", "元出頭"), end):
        return value, 1.3 * value, end
    if (number.chinese or value >= 10) and _MORE.match(shadow, end) and value % 10 == 0 and value:
        step = 10 ** int(math.log10(value))
        while value % step:
            step //= 10
        return value, value + step - 1e-3, end + 1
    if _OVER.search(window):
        return value, math.inf, end
    if _NEAR.search(window):
        return 0.8 * value, 1.02 * value, end
    if _ABOUT.search(window):
        return 0.9 * value, 1.1 * value, end
    if shadow.startswith("+", end) and not shadow[end + 1 : end + 2].isdigit():
        return value, math.inf, end
    return value, value, end


def _money(shadow: str, number: Number, window: str, plain: Item, measured: bool) -> Item | None:
    """The number as an amount of money, if its sign, its unit or the words around make it one."""
    value, end = number.value or 0.0, plain.end
    sign, yuan = _CURRENCY.search(window), YUAN.match(shadow, end)
    follows = measured or shadow[end : end + 1] in {"%", "折"} or _STRUCTURE.match(shadow, end)
    reduced = value >= 50 and shadow.startswith("折", end)  # 滿3000折300
    if follows and not (sign or yuan or reduced):
        return None
    bare = window[: sign.start()] if sign else window
    roles = list(_ROLES.finditer(bare))
    last = roles[-1] if roles and not _SPENT.search(bare, roles[-1].end()) else None
    direct = bool(last and _DIRECTLY.fullmatch(bare[last.end() :]))
    role = Money(last.lastgroup) if last and last.lastgroup else Money.ANY
    if role is Money.THRESHOLD and not direct:
        role = Money.ANY
    if direct and role is Money.THRESHOLD and reduced:
        follows = None
    change = _CHANGE.match(shadow, end)
    under = bool(value >= 50 and (_TAKE.match(shadow, end) or (number.chinese and _HEDGED.search(window))))
    if not (sign or yuan):
        bought = not number.chinese and value >= 50 and _BOUGHT.search(bare)
        said = change or under
        grouped = "," in shadow[number.start : number.end] and not re.match("[a-z]", shadow[end : end + 1])
        # 限時19,900帶回家; not 32,000Pa
        if follows or not (grouped or (value >= 10 and (direct or said or bought))):
            return None
        if (not change and _SOLD.search(window)) or (number.chinese and role is Money.ANY and not said):
            return None
    elif yuan and number.chinese and value == 1:
        return None  # 一塊一塊
    return _priced(shadow, plain, role, (sign, yuan, change), bare)


def _priced(shadow: str, plain: Item, role: Money, marks: tuple[re.Match[str] | None, ...], bare: str) -> Item:
    """An amount of money with its role; `marks` are its sign, its unit and words of change (有找)."""
    sign, yuan, change = marks
    stop = yuan.end() if yuan else plain.end
    shares = list(_EACH.finditer(bare))
    per = _PER.match(shadow, stop)
    unit = per[1] if per else (shares[-1][1] or "平均") if shares else ""
    if unit and role in {Money.ANY, Money.PRICE}:
        role = Money.UNIT
    kind = Kind.SAVING if role is Money.SAVING else Kind.PRICE
    low, high = (0.0, (plain.value or 0.0) - 1e-3) if change else (plain.low, plain.high)
    if shadow[plain.start : plain.end] in {"百", "千", "萬"} and low == high and role in {Money.ANY, Money.PRICE}:
        high *= 10  # 千元價
    start = plain.start - (len(sign[0]) if sign else 0)
    if yuan and shadow.startswith("起", stop - 1):
        stop -= 1
    return replace(plain, kind=kind, key="money", start=start, end=stop, low=low, high=high, role=role, each=unit)


def _discount(shadow: str, plain: Item, window: str) -> Item:
    value = plain.value or 0.0
    scale = 0.1 if value < 10 else 0.01
    if shadow.startswith("多", plain.end + 1):  # 7折多
        plain = replace(plain, high=value + 0.09 / scale)
    elif 0 < plain.low < plain.high < math.inf or shadow.startswith(("左右", "上下"), plain.end + 1):  # 約8折
        plain = replace(plain, low=value - 0.03 / scale, high=value + 0.03 / scale)
    end = plain.end + 1
    return replace(
        plain, kind=Kind.DISCOUNT, key="left", end=end, size=value * scale, low=plain.low * scale,
        high=plain.high * scale,
        role="nth" if re.search(r"第.{1,3}[件瓶盒入組包罐支條片個雙箱袋杯]", window) else "",
    )  # fmt: skip


def _percent(shadow: str, plain: Item, window: str) -> Item:
    off = _OFF.search(window) or _OFF_AFTER.match(shadow, plain.end + 1)
    sign = shadow.startswith("%", plain.end)
    start = plain.start - (0 if sign else 3)
    item = replace(plain, kind=Kind.PERCENT, key="percent", start=start, end=plain.end + sign)
    if off:
        left = 1 - (plain.value or 0) / 100
        return replace(
            item,
            kind=Kind.DISCOUNT,
            key="left",
            size=left,
            low=1 - plain.high / 100,
            high=1 - plain.low / 100,
            role="%",
        )
    return item


_KINDS = dict.fromkeys([*COUNTING, "count", "repeats", "in one"], Kind.COUNT) | {
    "hours": Kind.DURATION, "months": Kind.DURATION, "percent": Kind.PERCENT, "倍": Kind.PERCENT, "people": Kind.SALES,
    "score": Kind.RATING, "reviews": Kind.RATING, "代": Kind.MODEL,
}  # fmt: skip
# 三個角落 counts something else, 三個一組 the goods.
_GOODS = re.compile(r"[^，。!?;\n裝入一組/)]")
# 養了兩隻貓, 三房兩廳: counts of the reader's house.
_BUYS = re.compile("買了?$")
_HOUSEHOLD = re.compile("貓|狗|毛孩|寵物|小孩|孩子|小朋友|寶貝|大人|人[都一住]|房|廳|衛")
_RATED = re.compile("(?:評價|評分|評比|星等)[:為達高]{0,3}$")
_OUT_OF = re.compile(r"/(?:5|10)(?![\d.])(?=分|顆?星|高分|好評|評|的評)")
_SCORE = re.compile("評|分數|滿意")
# 我從25歲開始用: the age of a user.
_AGED = re.compile("(?:從|我|今年|媽媽?|爸爸?|阿嬤|她|他|了|快|年過)$")
# 40ml×2, 40ml/條: the content of one piece.
_PIECE_AFTER = re.compile(rf" ?[×x/] ?(\d|[{_PIECES}])")
_EVERY = re.compile(rf"(?:每|單|(?<![十百千萬])一|(?<!\d)1)([{_PIECES}])[^，。!?;\n\d元]{{0,8}}$")


def _measured(shadow: str, number: Number, window: str, plain: Item, unit: Unit, end: int) -> Item | None:
    kind, value = _KINDS.get(unit.dimension, Kind.CONTENT), number.value or 0.0
    every = _EVERY.search(window) or _PIECE_AFTER.match(shadow, end)
    size, low, high = value * unit.factor, plain.low * unit.factor, plain.high * unit.factor
    if number.chinese and shadow[number.start] in "百千萬億" and low == high:
        high *= 10  # 千片: some thousand
    item = Item(
        kind, unit.dimension, number.start, end, value, size, low, high, unit.group, each=every[1] if every else ""
    )
    sold = _SOLD.search(window)
    if window.endswith("每") and unit.dimension in {"volume", "mass"}:
        return None  # 每100ml約93元
    if kind is Kind.DURATION:
        return _lasting(shadow, window, unit, item)
    if kind is Kind.SALES:
        return replace(item, key="sold") if value >= 10 or sold else None
    if unit.dimension == "count":
        if sold and value >= 100:
            return replace(item, kind=Kind.SALES, key="sold")
        vague = number.chinese and unit.name == "個" and _GOODS.match(shadow, end)
        vague = vague or _HOUSEHOLD.match(shadow, end) or (value <= 10 and _BUYS.search(window))
        return None if value == 1 or vague else item
    if unit.name == "歲" and _AGED.search(window) and not shadow.startswith(("以上", "以下"), end):
        return None
    if unit.dimension in _SOFT and value <= (
        5 if number.chinese or unit.name in {"滴", "匙"} else 3 if unit.dimension == "repeats" else 0
    ):
        return replace(item, role="soft")
    if unit.name == "分" and number.chinese and not _SCORE.search(window):
        return None
    return item


# 年半, 小時半: what half of it is, in months or hours.
_HALVED = {"年": 6.0, "個月": 0.5, "小時": 0.5, "個小時": 0.5, "鐘頭": 0.5, "個鐘頭": 0.5, "天": 12.0}


def _lasting(shadow: str, window: str, unit: Unit, item: Item) -> Item | None:
    """How long something lasts, in hours: a warranty, a shelf life, or anything else."""
    end, kind, role = item.end, item.kind, ""
    hours = 720 if unit.dimension == "months" else 1
    more = 0.0
    if unit.name in _HALVED and shadow.startswith("半", end):
        more, end = _HALVED[unit.name], end + 1
    if (_WARRANTY.search(window) and not _WARRANTED.search(window)) or _PERIOD.match(shadow, end):
        kind = Kind.WARRANTY
    elif _SHELF.search(window):
        kind = Kind.SHELF_LIFE
    elif _READER.search(window) or (item.value == 1 and unit.name in {"天", "日"} and not _EFFECT.match(shadow, end)):
        return None
    elif _SINCE.search(window):
        role = "since"
    size, low, high = ((amount + more) * hours for amount in (item.size, item.low, item.high))
    return replace(item, kind=kind, key="hours", end=end, size=size, low=low, high=high, role=role)
