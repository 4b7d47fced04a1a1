"""The shop's pages, from bytes to values: pure functions, no network, no Scrapy.

The formats were gathered from public crawlers up to August 2026 (see the project's notes on momo購物網).
"""

from __future__ import annotations

import json

from products.spiders.decoding import decode_big5, decode_page
from products.spiders.pages import (
    BLOCKED_TEXTS,
    MAX_NAME,
    PRODUCT_ID,
    CategoryPage,
    ListedItem,
    PageError,
    Problem,
    ProductPage,
    brand_of,
    clean_text,
    is_sold_out,
    item_prices,
    product_id_from_url,
    product_url,
    quote_value,
    web_url,
)
from products.spiders.product_page import parse_product_page

__all__ = [
    "CategoryPage",
    "ListedItem",
    "PageError",
    "Problem",
    "ProductPage",
    "parse_category_page",
    "parse_product_page",
    "product_id_from_url",
]

EMPTY_CODE = "40006"
"""resultCode of a category that has no goods."""
MAX_BROKEN_BYTES = 100
"""Bytes of a list's answer that may be no UTF-8; more of them are another encoding."""
# Bytes of an HTML page that are searched for the texts of a block.
_HTML_LOOK = 200_000


def parse_category_page(body: bytes, base_url: str) -> CategoryPage:
    """Read one answer of POST /api/moecapp/getCategoryGoodsV3.

    `base_url` is the shop's address, from which product links are built where the answer has none of its own.
    Raises `PageError`: "truncated" (JSON that breaks off), "not_json", "shape" (JSON of another kind), "blocked" (the
    missing-or-blocked page, or an access-denied page, in place of JSON), "refused" (success:false, other than 40006).
    """
    data = _load(body)
    if data.get("success") not in (True, "true"):
        code = data.get("resultCode")
        if str(code) == EMPTY_CODE:
            return CategoryPage(items=[], max_page=0, total=0, empty=True, problems=[])
        raise PageError("refused", f"網站回覆失敗（代碼 {quote_value(code) or '無'}）")
    goods = data.get("rtnGoodsData")
    if not isinstance(goods, dict) or "goodsInfoList" not in goods:
        raise PageError("shape", "回覆裡沒有商品清單（goodsInfoList）")
    entries = goods["goodsInfoList"]
    if entries is None:
        entries = []
    if not isinstance(entries, list):
        raise PageError("shape", "商品清單（goodsInfoList）不是清單")

    problems: list[Problem] = []
    max_page = _count(data.get("maxPage", goods.get("maxPage")), "maxPage", problems)
    total = _count(goods.get("totalCount", data.get("totalCount")), "totalCount", problems)
    base = base_url.rstrip("/")
    items = [item for entry in entries if (item := _item(entry, base, problems)) is not None]
    nothing = not entries and total == 0
    return CategoryPage(items, max_page, total, nothing and not problems, problems)


def _load(body: bytes) -> dict[str, object]:
    start = body[:64].lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start == b"<":
        head = decode_page(body[:_HTML_LOOK])
        if any(marker in head for marker in BLOCKED_TEXTS):
            raise PageError("blocked", "網站以「查無商品或拒絕存取」的網頁代替資料")
        lowered = head[:4_000].lower()
        if "access denied" in lowered or "forbidden" in lowered:
            raise PageError("blocked", "網站以拒絕存取的網頁代替資料")
        raise PageError("not_json", "網站回覆的是網頁，不是 JSON")
    if not start:
        raise PageError("truncated", "網站回覆是空的")
    try:
        data = json.loads(_json_text(body))
    except PageError:
        raise
    except RecursionError:
        raise PageError("shape", "JSON 的層次太深") from None
    except ValueError as error:
        # A break inside a character fails in the decoder, a break between characters in the parser: both land here.
        if start in b"{[":
            raise PageError("truncated", f"JSON 不完整（共 {len(body):,} 位元組）") from error
        raise PageError("not_json", "網站回覆的不是 JSON") from error
    if not isinstance(data, dict):
        raise PageError("shape", "JSON 的最外層不是物件")
    return data


def _json_text(body: bytes) -> str:
    """The text of a JSON answer: UTF-8, as its standard demands, or Big5. Raises `ValueError` where it breaks off."""
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data":
            raise
    text = decode_big5(body)
    if text:
        return text
    # A name that was cut within a character must not lose its page: the bytes in question are dropped with it.
    text = body.decode("utf-8-sig", errors="surrogateescape")
    broken = sum("\ud800" <= character <= "\udfff" for character in text)
    if broken > MAX_BROKEN_BYTES:
        raise PageError("not_json", "網站回覆的文字編碼無法辨識")
    return text


def _count(value: object, name: str, problems: list[Problem]) -> int:
    text = str(value).replace(",", "").strip() if isinstance(value, (int, str)) else ""
    if text.isascii() and text.isdigit() and len(text) <= 9:
        return int(text)
    problems.append(Problem("count", f"回覆裡沒有可讀的 {name}", value=quote_value(value)))
    return 0


def _item(entry: object, base: str, problems: list[Problem]) -> ListedItem | None:
    if not isinstance(entry, dict):
        problems.append(Problem("item", "清單裡有一筆不是商品", value=quote_value(entry)))
        return None
    raw_code = entry.get("goodsCode")
    code = str(raw_code).strip() if isinstance(raw_code, (str, int)) and not isinstance(raw_code, bool) else ""
    if not PRODUCT_ID.fullmatch(code):
        problems.append(Problem("item", "商品沒有正確的品號", value=quote_value(raw_code)))
        return None
    name = clean_text(entry.get("goodsName"), MAX_NAME)
    if not name:
        problems.append(Problem("item", "商品沒有品名", code, quote_value(entry.get("goodsName"))))
        return None
    price, list_price, refusal = item_prices(entry)
    if price is None:
        reason = refusal.reason if refusal else "沒有價格"
        problems.append(Problem("price", f"價格無法確定：{reason}", code, quote_value(refusal.raw) if refusal else ""))
    upcoming = entry.get("onSaleDescription")
    return ListedItem(
        product_id=code,
        name=name,
        brand=brand_of(entry, name),
        price=price,
        list_price=list_price,
        url=product_url(entry.get("goodsUrl"), code, base),
        image_url=web_url(entry.get("imgUrl")),
        in_stock=not is_sold_out(entry.get("goodsStock")),
        upcoming=isinstance(upcoming, str) and bool(upcoming.strip()),
    )
