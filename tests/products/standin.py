"""A small stand-in for the shop over real HTTP: scripted answers, a log of what was asked and when.

A script is keyed by what is asked: ("list", category, page), ("product", id) or ("robots",). Its value is one answer
or a list of answers, given in turn, the last one for ever.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from momo.local import http
from momo.local.http import HttpStandIn, Request
from tests.kit.http import date_after

LIST_PATH = "/api/moecapp/getCategoryGoodsV3"
Key = tuple[Any, ...]


@dataclass
class Answer(http.Answer):
    """One scripted answer; with `until` it has a Retry-After date, that many seconds from when it is given."""

    until: int = 0


@dataclass(frozen=True)
class Asked:
    """A request, and what of the shop it asks for."""

    request: Request
    key: Key

    @property
    def at(self) -> float:
        """When it came, in monotonic seconds."""
        return self.request.at

    @property
    def headers(self) -> dict[str, str]:
        """Its headers, names in lower case."""
        return self.request.headers

    @property
    def body(self) -> Any:
        """The value of its JSON."""
        return self.request.json


class Shop(HttpStandIn):
    """A shop that answers as scripted."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: dict[Key, list[Answer]] = {("robots",): [Answer(b"", 404)]}
        self.log: list[Asked] = []

    def answer(self, key: Key, *answers: Answer | bytes) -> None:
        """Script the answers to a key."""
        self.scripts[key] = [each if isinstance(each, Answer) else Answer(each) for each in answers]

    def category(self, code: str, pages: Sequence[Sequence[dict[str, Any]]], total: int | None = None) -> None:
        """Script a whole category."""
        count = sum(map(len, pages)) if total is None else total
        for number, goods in enumerate(pages, 1):
            self.answer(("list", code, number), listing(goods, max_page=len(pages), total=count))

    def asked(self, *key: Any) -> list[Asked]:
        """Return the requests whose key begins so."""
        with self.lock:
            return [each for each in self.log if each.key[: len(key)] == key]

    def respond(self, request: Request) -> http.Answer:
        """Give the next answer of the script."""
        asked = Asked(request, _key(request))
        with self.lock:
            self.log.append(asked)
            script = self.scripts.get(asked.key) or [Answer(b"not scripted", 404)]
            scripted = script.pop(0) if len(script) > 1 else script[0]
        headers = dict(scripted.headers)
        if scripted.until:
            headers["Retry-After"] = date_after(scripted.until)
        if "gzip" not in request.headers.get("accept-encoding", "") or len(scripted.body) <= 1000:
            return replace(scripted, headers=headers)
        return replace(scripted, headers=headers | {"Content-Encoding": "gzip"}, body=gzip.compress(scripted.body))


def _key(request: Request) -> Key:
    if request.method == "POST":
        data = request.json["data"]
        return "list", data["cateCode"], int(data["curPage"])
    return ("robots",) if request.path == "/robots.txt" else ("product", request.parts[-1])


def goods(code: str, **more: Any) -> dict[str, Any]:
    """Return one entry of a list, in the shape the shop sent in 2026."""
    return {
        "goodsCode": code,
        "goodsName": f"【測試牌】商品 {code}",
        "goodsSubName": "★限時折扣★",
        "goodsPrice": "$1,280",
        "goodsPriceOri": "$1,990",
        "SALE_PRICE": "1280",
        "goodsPriceModel": {
            "basePrice": {"price": "1,280", "goodsStatus": "促銷價"},
            "marketPrice": {"price": "1,990"},
        },
        "goodsStock": "12",
        "goodsUrl": f"https://www.momoshop.com.tw/product/{code}",
        "imgUrl": f"https://i1.momoshop.com.tw/goodsimg/{code}_OR_m.webp",
        "brandName": "測試牌",
        "icon": [{"iconContent": "速"}],
        "totalSalesInfo": {"text": "總銷量>1,000"},
        "rating": "4.8",
        "onSaleDescription": "",
    } | more


def listing(entries: Sequence[dict[str, Any]], max_page: int = 1, total: int | None = None) -> bytes:
    """Return the JSON of one page of a category."""
    count = len(entries) if total is None else total
    return json.dumps(
        {
            "success": True,
            "resultCode": "200",
            "maxPage": max_page,
            "rtnGoodsData": {"goodsInfoList": list(entries), "totalCount": str(count)},
        },
        ensure_ascii=False,
    ).encode()


EMPTY = json.dumps({"success": False, "resultCode": "40006", "resultMessage": "查無資料"}).encode()
BLOCKED_PAGE = (
    "<!DOCTYPE html><html><head><title>momo購物網 -- Mobile管理訊息</title></head>"
    "<body><p>此商品目前無展售</p></body></html>"
).encode()


def product_page(code: str, price: str = "1,299", availability: str = "in stock") -> bytes:
    """Return a product page in the layout of 2026."""
    embedded = json.dumps({"goodsCode": code, "goodsName": f"【測試牌】商品 {code}", "goodsPriceOri": "$1,990"})
    pushed = json.dumps([1, f'5:["$","div",null,{embedded}]'])
    return f"""<!DOCTYPE html><html><head><title>x</title>
<meta property="og:title" content="【測試牌】商品 {code} - momo購物網 - 好評推薦"/>
<meta property="product:price:amount" content="{price}"/>
<meta property="product:availability" content="{availability}"/>
<meta property="product:brand" content="測試牌"/>
<meta property="product:retailer_item_id" content="{code}"/>
</head><body><script>self.__next_f.push({pushed})</script></body></html>""".encode()
