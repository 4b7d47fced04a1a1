"""/price and /changes: one product with its chart, and what went up, down or away."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from django.utils import timezone

from bot.commands.lists import LABEL, PagedText, moment, numbered, page_of, pager, short, since
from bot.registry import Button, Call, Picture, Reply, command
from bot.texts import PAGE_LINES, bold, change, escape, lines, link, whole
from momo.charts import FontMissing, Point, price_chart
from momo.core.errors import NotFound, ValidationFailed
from momo.core.formats import money
from momo.core.thresholds import thresholds
from products.models import Product, QuarantinedPrice
from products.selectors.listing import Listing
from products.selectors.lowest import lowest_price_of
from products.selectors.pages import Span, chart_points, held_price_of, last_spans
from products.selectors.products import MAX_QUERY_LENGTH, NOT_UPDATED, product_by_code, search_words

BIGGEST = 5  # of each direction, in the overview
TITLES = {"up": "漲價", "down": "降價", "gone": "已下架"}
# The list of GET /api/products that each word stands for, the largest change first.
LISTINGS = {
    "up": Listing(kind="increase", sort_by="change_percent", descending=True),
    "down": Listing(kind="decrease", sort_by="change_percent", descending=False),
    "gone": Listing(kind="delisted", sort_by="last_seen_at", nulls_last=False),
}
WORDS = {"漲": "up", "漲價": "up", "降": "down", "跌": "down", "降價": "down", "下架": "gone", "已下架": "gone"}


@command(
    "price",
    summary="商品的售價、漲跌與價格走勢",
    usage="品號或品名",
    examples=("/price 10012345", "/price 蘭蔻 精華"),
    order=40,
)
def price(call: Call) -> Reply:
    """The product with this goods code, or the products whose name holds all words."""
    asked = PagedText.of(call)
    product, choices = choose_product(asked, "price")
    if product is None:
        return choices
    return _page(product, call)


def choose_product(asked: PagedText, name: str) -> tuple[Product | None, Reply]:
    """The one product that fits, or a reply that offers those that do; a button runs the command `name`.

    Raises ValidationFailed without words, NotFound when no product fits.
    """
    words = search_words(asked.text)
    if not words:
        raise ValidationFailed(f"請輸入品號或品名，例如 /{name} 精華液")
    if len(asked.text) > MAX_QUERY_LENGTH:
        raise ValidationFailed(f"品號或品名最多 {MAX_QUERY_LENGTH} 個字")
    if len(words) == 1 and (product := product_by_code(words[0])):
        return product, Reply("")
    start, total, items = _read(Listing(words=tuple(words)), asked)
    if not total:
        raise NotFound(f"找不到「{short(asked.text)}」：品名、品牌和品號裡都沒有")
    if total == 1:
        return product_by_code(items[0]["product_id"]), Reply("")
    text = lines(
        f"{bold(f'「{short(asked.text)}」有 {total:,} 件商品')}，要看哪一件？",
        "",
        _rows(items, start),
        "",
        page_of(start, total),
    )
    data = {"total": total, "page": start // PAGE_LINES + 1, "items": items}
    codes = [item["product_id"] for item in items]
    buttons = [*numbered(name, codes, first=start + 1), pager(name, asked.text, start=start, total=total)]
    return None, Reply(text, data, buttons)


def _page(product: Product, call: Call) -> Reply:
    lowest, held, spans = lowest_price_of(product, now=call.now), held_price_of(product), last_spans(product)
    percent = None if product.change_percent is None else float(product.change_percent)
    stock = product.get_status_display()
    if product.status != Product.Status.DELISTED and not product.category.enabled:
        stock = NOT_UPDATED
    before = "沒有變過價"
    if product.previous_price is not None:
        before = f"前次 {money(product.previous_price)}，{moment(product.price_changed_at, call.now)} 變價"
    unread = product.price_unread_since
    picture, note = _picture(product, spans, lowest) if call.pictures else (None, "")
    text = lines(
        f"<b>{link(short(product.name, 200), product.url)}</b>",
        escape(" · ".join(filter(None, [product.brand, product.category.name, f"品號 {product.product_id}"]))),
        "",
        f"{'最後讀到的售價' if unread else '售價'} {bold(money(product.price))}　{change(percent)}（{escape(before)}）",
        f"30 天最低 {'—' if lowest is None else money(lowest)}",
        [f"原價 {money(product.list_price)}"] if product.list_price else [],
        f"{escape(stock)}，{moment(product.last_seen_at, call.now)} 看到",
        [f"⚠️ momo 現在顯示的售價讀不到，從 {moment(unread, call.now)}（{since(unread, call.now)}）起"]
        if unread
        else [],
        [_held(held, call.now)] if held else [],
        [f"ℹ️ {escape(note)}"] if note else [],
    )
    buttons = [
        [
            Button("🔄 重新整理", "price", (product.product_id, "#1")),
            Button("✍️ 寫文案", "copy", (product.product_id, "#1"), replaces=False),
        ]
    ]
    return Reply(text, _as_dict(product, percent, lowest, held), buttons, picture)


def _held(held: QuarantinedPrice, now: dt.datetime) -> str:
    seen = f"{moment(held.observed_at, now)} 看到，{held.get_reason_display()}"
    return f"⚠️ 待確認價格 {money(held.price)}（{escape(seen)}）"


def _picture(product: Product, spans: Sequence[Span], lowest: int | None) -> tuple[Picture | None, str]:
    """The chart of the spans; without one, why."""
    if not spans:
        return None, ""
    points: list[Point] = [
        (dt.datetime.fromtimestamp((point["x"] or 0) / 1000, dt.UTC), point["y"]) for point in chart_points(spans)
    ]
    try:
        png = price_chart(points, title=product.name, lowest=lowest, list_price=product.list_price)
    except FontMissing as missing:
        return None, missing.message
    first, last = timezone.localdate(spans[-1].begun), timezone.localdate(spans[0].until)
    low, high = min(span.price for span in spans), max(span.price for span in spans)
    alt = f"{short(product.name)} 從 {first} 到 {last} 的售價：{money(low)}{f' 至 {money(high)}' if high > low else ''}"
    return Picture(png, f"price-{product.product_id}.png", alt), ""


def _as_dict(
    product: Product, percent: float | None, lowest: int | None, held: QuarantinedPrice | None
) -> dict[str, Any]:
    """The product as an item of GET /api/products."""
    stamps = ("price_changed_at", "first_seen_at", "last_seen_at", "price_unread_since")
    moments = {name: getattr(product, name) for name in stamps}
    return {
        "id": product.pk,
        "product_id": product.product_id,
        "name": product.name,
        "brand": product.brand,
        "category": product.category.name,
        "price": product.price,
        "previous_price": product.previous_price,
        "change": product.change,
        "change_percent": percent,
        "status": product.status,
        "url": product.url,
        "image_url": product.image_url,
        **{name: at and timezone.localtime(at).isoformat() for name, at in moments.items()},
        "held_price": held and {"price": held.price, "since": timezone.localtime(held.observed_at).isoformat()},
        "lowest_price_30d": lowest,
    }


# --- Changes ----------------------------------------------------------------------------------------------------------


@command(
    "changes",
    summary="漲價、降價與下架的商品",
    usage="[up|down|gone]",
    examples=("/changes", "/changes down"),
    order=45,
)
def changes(call: Call) -> Reply:
    """How many products went up, down or away, and the largest changes; with a word, the pages of that list."""
    asked = PagedText.of(call)
    way = WORDS.get(asked.text, asked.text.lower())
    if not way:
        return _overview()
    if way not in LISTINGS:
        raise ValidationFailed(f"沒有「{short(asked.text, LABEL)}」這種變動；可用 up（漲）、down（降）、gone（下架）")
    start, total, items = _read(LISTINGS[way], asked)
    text = lines(
        f"{bold(f'{TITLES[way]} {total:,} 件')}{'' if way == 'gone' else f'（{_window()}）'}",
        "",
        _rows(items, start) or "沒有商品",
        "",
        page_of(start, total),
    )
    data = {"filter": LISTINGS[way].kind, "total": total, "page": start // PAGE_LINES + 1, "items": items}
    codes = [item["product_id"] for item in items]
    others = [Button(TITLES[other], "changes", (other,)) for other in LISTINGS if other != way]
    return Reply(
        text,
        data,
        [*numbered("price", codes, first=start + 1), pager("changes", way, start=start, total=total), others],
    )


def _overview() -> Reply:
    found = {way: _page_of(listing, 0, BIGGEST) for way, listing in LISTINGS.items()}
    counts = {way: total for way, (total, _) in found.items()}
    parts: list[str | list[str]] = [
        f"{bold('價格變動')}（{_window()}）",
        f"▲ 漲價 {whole(counts['up'])} 件　▼ 降價 {whole(counts['down'])} 件",
        f"已下架的商品共 {whole(counts['gone'])} 件",
    ]
    for way, title in (("down", "降最多"), ("up", "漲最多")):
        if counts[way]:
            parts += ["", bold(title), _rows(found[way][1], 0)]
    buttons = [Button(f"{TITLES[way]} {counts[way]:,}", "changes", (way,), replaces=False) for way in LISTINGS]
    data = {LISTINGS[way].kind: {"total": total, "items": items} for way, (total, items) in found.items()}
    return Reply(lines(*parts), data, [buttons, [Button("🔄 重新整理", "changes")]])


def _window() -> str:
    return f"{thresholds.PRICE_CHANGE_WINDOW_HOURS} 小時內"


def _read(listing: Listing, asked: PagedText) -> tuple[int, int, list[dict[str, Any]]]:
    """Offset, total and items of the page that is asked for; of the last page if there are fewer."""
    start = (asked.page - 1) * PAGE_LINES
    total, items = _page_of(listing, start, PAGE_LINES)
    if not items and total:
        start = asked.start(total)
        total, items = _page_of(listing, start, PAGE_LINES)
    return (start if items else 0), total, items


def _page_of(listing: Listing, start: int, size: int) -> tuple[int, list[dict[str, Any]]]:
    written, total = listing.page(start=start, size=size)
    items: list[dict[str, Any]] = orjson.loads(orjson.dumps(written))
    return total, items


def _rows(items: Sequence[Mapping[str, Any]], start: int) -> list[str]:
    """Two lines for each item: its name, and what its price did."""
    return [
        line
        for place, item in enumerate(items, start=start + 1)
        for line in (f"{place}. {link(short(item['name']), item['url'])}", f"　{_moved(item)}")
    ]


def _moved(item: Mapping[str, Any]) -> str:
    """The price with its last change, and what keeps it from being certain."""
    text = money(item["price"])
    if item["previous_price"] is not None:
        text = f"{money(item['previous_price'])} → {text}　{change(item['change_percent'])}"
    marks = [
        "已下架" if item["status"] == Product.Status.DELISTED else "",
        "缺貨" if item["status"] == Product.Status.OUT_OF_STOCK else "",
        "售價讀不到" if item["price_unread_since"] else "",
        f"待確認 {money(item['held_price']['price'])}" if item["held_price"] else "",
    ]
    return "　".join([text, *filter(None, marks)])
