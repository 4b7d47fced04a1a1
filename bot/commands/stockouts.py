"""/stockout: what is out of stock, by age and vendor as the board counts it; with a vendor, its rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from django.db.models import F

from bot.commands.lists import NAME, PagedText, numbered, page_of, pager, short
from bot.registry import Button, Call, Reply, command
from bot.texts import PAGE_LINES, bold, escape, lines
from momo.core.errors import NotFound
from momo.core.formats import money
from vendors.models import Stockout, Vendor
from vendors.selectors.answers import Answer
from vendors.selectors.board import OPEN_ROWS, WAITS, Group, board
from vendors.selectors.stockouts import UNNAMED, stockouts
from vendors.selectors.vendors import search_vendors, vendor_by_code, vendors

MAX_NAME = 100  # characters of a vendor's name that is looked for


@command(
    "stockout",
    summary="未結案的缺貨，依廠商與天數",
    usage="[廠商代號或名稱]",
    examples=("/stockout", "/stockout 012345"),
    order=50,
)
def stockout(call: Call) -> Reply:
    """The board, or the open rows of one vendor, the oldest first."""
    asked = PagedText.of(call)
    if not asked.text:
        return _board(call, asked)
    text = asked.text[:MAX_NAME]
    vendor = vendor_by_code(text)
    if vendor is None:
        found = list(search_vendors(vendors(), text=text).order_by(F("open_rows").desc(), "code")[: PAGE_LINES + 1])
        if not found:
            raise NotFound(f"找不到廠商「{short(text)}」，請輸入代號或名稱的一部分")
        if len(found) > 1:
            return _choices(text, found)
        vendor = found[0]
    return _vendor(vendor, call, asked)


def _board(call: Call, asked: PagedText) -> Reply:
    found = board(now=call.now)
    groups = found.groups["vendor"]
    start = asked.start(len(groups))
    shown = groups[start : start + PAGE_LINES]
    text = lines(
        f"{bold(f'缺貨 {found.total.rows:,} 筆')}（未結案，不含重複）",
        _waits(found.total),
        _lost(found.total),
        "",
        bold("依缺貨天數"),
        [f"{escape(group.label)}：{group.rows:,} 筆" for group in found.groups["age"]],
        "",
        bold("依廠商"),
        [
            f"{place}. {escape(short(group.label or UNNAMED, NAME))}　{group.rows:,} 筆（{_counts(group)}）"
            for place, group in enumerate(shown, start=start + 1)
        ]
        or "沒有缺貨",
        "",
        page_of(start, len(groups)),
    )
    data = {
        "total": _as_dict(found.total),
        "ages": [_as_dict(group) for group in found.groups["age"]],
        "vendors": [_as_dict(group) for group in shown],
        "vendor_count": len(groups),
        "page": start // PAGE_LINES + 1,
    }
    buttons = [
        *numbered("stockout", [group.key for group in shown], first=start + 1),
        pager("stockout", start=start, total=len(groups)),
    ]
    return Reply(text, data, buttons)


def _vendor(vendor: Vendor, call: Call, asked: PagedText) -> Reply:
    groups = board(now=call.now).groups["vendor"]
    group = next((group for group in groups if group.key == vendor.code), Group(vendor.code, vendor.name))
    start = asked.start(group.rows)
    rows = list(stockouts().filter(OPEN_ROWS, vendor=vendor).order_by("created_at", "pk")[start : start + PAGE_LINES])
    text = lines(
        f"{bold(short(vendor.name))}　{escape(vendor.code)}",
        f"缺貨 {group.rows:,} 筆（未結案，不含重複）",
        _waits(group),
        _lost(group),
        "",
        [
            line
            for place, row in enumerate(rows, start=start + 1)
            for line in (f"{place}. {escape(short(row.product_name or row.product_code))}", f"　{_row(row, call)}")
        ]
        or "這家廠商沒有缺貨",
        "",
        page_of(start, group.rows),
    )
    items = [
        {
            "id": row.pk,
            "product_code": row.product_code,
            "product_name": row.product_name,
            "status": row.status,
            "pm": row.pm,
            "days": _days(row, call),
            "answer": str(Answer.of(row)) if row.answer else "",
        }
        for row in rows
    ]
    data = {"vendor": _as_dict(group), "page": start // PAGE_LINES + 1, "items": items}
    buttons = [pager("stockout", vendor.code, start=start, total=group.rows), [Button("全部廠商", "stockout")]]
    return Reply(text, data, buttons)


def _choices(text: str, found: list[Any]) -> Reply:
    shown = found[:PAGE_LINES]
    rows = [
        f"{place}. {escape(short(vendor.name))}　{escape(vendor.code)}　{vendor.open_rows:,} 筆"
        for place, vendor in enumerate(shown, start=1)
    ]
    more = "還有其他廠商，請輸入更完整的名稱或代號" if len(found) > PAGE_LINES else ""
    data = {
        "vendors": [{"code": vendor.code, "name": vendor.name, "open_rows": vendor.open_rows} for vendor in shown],
    }
    title = f"{bold(f'「{short(text)}」有多家廠商')}，要看哪一家？"
    return Reply(lines(title, "", rows, "", more), data, numbered("stockout", [vendor.code for vendor in shown]))


def _waits(group: Group) -> str:
    return "　".join(f"{label} {group.counts[who]:,}" for who, (label, _) in WAITS.items())


def _counts(group: Group) -> str:
    names = {"us": "待寄", "vendor": "待回", "answered": "待到貨"}
    return "、".join(f"{name} {group.counts[who]:,}" for who, name in names.items() if group.counts[who])


def _lost(group: Group) -> str:
    left = f"（另有 {group.unknown:,} 筆沒有月銷量或售價，無法估計）" if group.unknown else ""
    return f"損失估計 {money(group.lost)}{left}"


def _days(row: Stockout, call: Call) -> int:
    return max(0, (call.now - row.created_at).days)


def _row(row: Stockout, call: Call) -> str:
    parts = [row.product_code, f"{_days(row, call)} 天", row.get_status_display(), row.pm]
    if row.answer:
        parts.append(str(Answer.of(row)))
    return escape(" · ".join(filter(None, parts)))


def _as_dict(group: Group) -> Mapping[str, Any]:
    return asdict(group) | {"rows": group.rows}
