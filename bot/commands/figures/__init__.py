"""Commands on sales: /sales, /month, /top, /report. They read the totals, as the API does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import wraps

from django.utils import timezone

from bot.commands.figures.rankings import line, movers, ranked, rankings, sums
from bot.commands.figures.scope import Scope, amounts_of, daily, figures_of, month_to_date, picture_of
from bot.registry import Button, Call, Handler, Reply, command
from bot.texts import PAGE_LINES, bold, escape, lines
from bot.words.names import RANKINGS
from bot.words.reading import RANKING_OF_ALL, REPORT_OF_ALL, Unclear, Wish, read_arguments, refuse_name
from momo.core.periods import Period, day_label, day_of, month_of, week_of
from sales.selectors.lines import latest_date

SHORT, LONG = 3, 5  # keys of each dimension below figures, and in a report
RANKED_DAYS = 92  # a quarter: a ranking adds up all keys of these days
LISTED_DAYS = 7  # a longer period has no line for each day, only a bar in the chart


def _answers(handler: Callable[[Call, date, date], Reply]) -> Handler:
    """Give a handler today and the latest day with data. Unclear arguments become a reply that offers clear ones."""

    @wraps(handler)
    def answer(call: Call) -> Reply:
        latest = latest_date()
        if latest is None:
            return Reply("還沒有銷售資料；匯入銷售日報之後就能查詢。", buttons=[[_refresh(call)]])
        try:
            return handler(call, timezone.localdate(call.now), latest)
        except Unclear as unclear:
            return unclear.reply

    return answer


@command(
    "sales",
    summary="業績：某天、一週或一段期間，可加品牌、PM 或分類",
    usage="[today|yesterday|日期|week] [品牌、PM 或分類]",
    examples=("/sales", "/sales yesterday", "/sales 11/3 蘭蔻", "/sales week pm 王小明", "/sales 11/1~11/7"),
    order=10,
)
@_answers
def sales(call: Call, today: date, latest: date) -> Reply:
    """Figures of a period, by default the latest day with data."""
    wish = read_arguments(call.args, today, "sales")
    if wish.dimension and not wish.name:
        return _ranking(call, wish, latest)
    return _figures(call, wish, Scope(wish.period or day_of(latest), latest, wish.name))


@command(
    "month",
    summary="一個月的業績，與上個月、去年同月比較",
    usage="[yyyy-mm] [品牌、PM 或分類]",
    examples=("/month", "/month 2026-10", "/month 10月 蘭蔻"),
    order=20,
)
@_answers
def month(call: Call, today: date, latest: date) -> Reply:
    """Figures of a month, by default that of the latest day with data."""
    wish = read_arguments(call.args, today, "month")
    period = month_of(wish.period.first if wish.period else latest)
    if wish.dimension and not wish.name:
        return _ranking(call, replace(wish, period=period), latest)
    return _figures(call, replace(wish, period=period), Scope(period, latest, wish.name))


@command(
    "top",
    summary="業績排行：品牌、PM 或分類",
    usage="[n] [brand|pm|category] [期間]",
    examples=("/top", "/top 5 pm", "/top 20 brand 本月"),
    order=30,
)
@_answers
def top(call: Call, today: date, latest: date) -> Reply:
    """The keys with the largest amounts, by default ten brands of the latest day with data."""
    wish = read_arguments(call.args, today, "top")
    refuse_name(wish, RANKING_OF_ALL)
    return _ranking(call, wish, latest)


@command(
    "report",
    summary="日報、週報、月報：數字、排行與變化最大的品牌",
    usage="[day|week|month]",
    examples=("/report", "/report week", "/report 10月"),
    order=40,
)
@_answers
def report(call: Call, today: date, latest: date) -> Reply:
    """A report of the latest day with data, of the last whole week or month, or of a period that is named."""
    spans = {
        "day": day_of(latest),
        "week": week_of(today - timedelta(days=7)),
        "month": month_of(today.replace(day=1) - timedelta(days=1)),
    }
    period = spans.get(call.text.strip().lower() or "day")
    if period is None:
        wish = read_arguments(call.args, today, "report")
        refuse_name(wish, REPORT_OF_ALL)
        if wish.dimension:
            raise Unclear(f"{REPORT_OF_ALL}。", [Button("看業績", "sales", wish.args, replaces=False)])
        period = wish.period or spans["day"]
    scope = Scope(period, latest)
    _check_length(scope)
    if missing := _missing(call, scope):
        return missing
    then = scope.compared[0][1]
    now, before = sums(scope.period.until(scope.last)), sums(then)
    block, data = figures_of(scope)
    parts = [block]
    if period.kind == "day":
        parts.append(month_to_date(scope))
    tops, data["top"] = rankings(scope, now, before, LONG)
    parts += [*tops, movers(scope, now, before)]
    buttons = [
        [Button(label, "report", (name,)) for name, label in (("day", "日報"), ("week", "週報"), ("month", "月報"))],
        [_refresh(call)],
    ]
    picture, why = picture_of(scope, amounts_of(scope)) if call.pictures and scope.days > 1 else (None, "")
    text = _text([_title(period), *parts, escape(why)], scope)
    return Reply(text, data, buttons, picture)


def _figures(call: Call, wish: Wish, scope: Scope) -> Reply:
    if missing := _missing(call, scope):
        return missing
    parts, data = figures_of(scope)
    sections = [parts]
    amounts = amounts_of(scope) if 1 < scope.days <= RANKED_DAYS else {}
    if amounts and scope.days <= LISTED_DAYS:
        sections.append(daily(scope, amounts))
    picture, why = picture_of(scope, amounts) if call.pictures else (None, "")
    if scope.name is None and scope.days <= RANKED_DAYS:
        now, before = sums(scope.period.until(scope.last)), sums(scope.compared[0][1])
        tops, data["top"] = rankings(scope, now, before, SHORT)
        sections += tops
    return Reply(_text([*sections, escape(why)], scope), data, _buttons(call, wish, scope), picture)


def _ranking(call: Call, wish: Wish, latest: date) -> Reply:
    """A page of the ranking of one dimension."""
    scope = Scope(wish.period or day_of(latest), latest)
    dimension, number = wish.dimension or "brand", wish.number or PAGE_LINES
    _check_length(scope)
    if missing := _missing(call, scope):
        return missing
    now, before = sums(scope.period.until(scope.last)), sums(scope.compared[0][1])
    total, items = len(now.get(dimension, {})), ranked(dimension, now, before, number)
    pages = max(1, -(-len(items) // PAGE_LINES))
    page = min(wish.page, pages)
    shown = items[(page - 1) * PAGE_LINES : page * PAGE_LINES]
    wish = replace(wish, dimension=dimension, number=number, period=scope.period, page=page)
    text = [
        bold(f"{RANKINGS[dimension]}，業績前 {len(items)} 名（共 {total:,}）"),
        *scope.heading,
        f"占比；與{scope.compared[0][0]}比",
        *map(line, shown),
        *([f"第 {page} / {pages} 頁"] if pages > 1 else []),
    ]
    steps = [
        Button(label, "top", replace(wish, page=to).args)
        for label, to in (("◀ 上一頁", page - 1), ("下一頁 ▶", page + 1))
        if 1 <= to <= pages
    ]
    others = [
        Button(label, "top", replace(wish, dimension=name, page=1).args)
        for name, label in RANKINGS.items()
        if name != dimension
    ]
    periods = (("最新一天", day_of(latest)), ("當週", week_of(latest)), ("當月", month_of(latest)))
    spans = [Button(label, "top", replace(wish, period=one, page=1).args) for label, one in periods]
    data = {**scope.data, "dimension": dimension, "page": page, "pages": pages, "total": total, "items": shown}
    return Reply(_text([text], scope), data, [row for row in (steps, others, spans, [_refresh(call)]) if row])


def _missing(call: Call, scope: Scope) -> Reply | None:
    """The reply where the period has no data at all."""
    days = Scope(scope.period, scope.latest).totals(scope.period)
    if scope.period.first <= scope.latest and days.exists():
        return None
    yet = "還沒有資料" if scope.period.last >= scope.latest else "沒有資料（沒有匯入日報）"
    text = lines(bold(scope.period.label), f"{yet}；最新資料是 {day_label(scope.latest)}。")
    newest = {"week": week_of, "month": month_of}.get(scope.period.kind, day_of)(scope.latest)
    button = Button(f"看 {newest.label}"[:40], call.command, Wish(newest, scope.name).args)
    return Reply(text, {**scope.data, "summary": None}, [[button], [_refresh(call)]])


def _check_length(scope: Scope) -> None:
    if scope.days <= RANKED_DAYS:
        return
    raise Unclear(
        f"排行與報表最長 {RANKED_DAYS} 天，請縮短期間。",
        [Button("看這段期間的業績", "sales", Wish(scope.period).args, replaces=False)],
    )


def _title(period: Period) -> str:
    return bold({"day": "銷售日報", "week": "銷售週報", "month": "銷售月報"}.get(period.kind, "銷售報表"))


def _text(sections: Sequence[str | Sequence[str]], scope: Scope) -> str:
    """Sections with a blank line between them, and the date of the latest data."""
    made = [one if isinstance(one, str) else lines(one) for one in sections]
    return "\n\n".join([*(one for one in made if one), f"最新資料：{day_label(scope.latest)}"])


def _refresh(call: Call) -> Button:
    return Button("🔄 重新整理", call.command, call.args)


def _buttons(call: Call, wish: Wish, scope: Scope) -> list[list[Button]]:
    """The periods before and after, longer ones around, rankings of the same days, and refresh."""
    period = scope.period
    after = {"day": day_of, "week": week_of, "month": month_of}.get(period.kind)
    steps = [("◀ 前一期", period.compared(period.last)[0][1])]
    if after and period.last < scope.latest:
        steps.append(("後一期 ▶", after(period.last + timedelta(days=1))))
    around = [("當週", week_of(period.first)), ("當月", month_of(period.first))] if period.kind != "month" else []
    rows = [
        [Button(label, "sales", replace(wish, period=one, dimension="").args) for label, one in row]
        for row in (steps, around)
    ]
    if scope.name is None and scope.days <= RANKED_DAYS:
        rows.append([Button(label, "top", Wish(period, dimension=name).args) for name, label in RANKINGS.items()])
    return [row for row in (*rows, [_refresh(call)]) if row]
