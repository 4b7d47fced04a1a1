"""A small stand-in for the shop over real HTTP: scripted answers, a log of what was asked and when.

A script is keyed by what is asked: ("list", category, page), ("product", id) or ("robots",). Its value is one answer
or a list of answers, given in turn, the last one for ever.
"""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LIST_PATH = "/api/moecapp/getCategoryGoodsV3"
Key = tuple[Any, ...]


@dataclass(slots=True, frozen=True)
class Answer:
    """One scripted answer; `delay` seconds before it, `drop` closes the connection without a word.

    `until`: a Retry-After date this many seconds (to one more, as dates hold whole seconds) from when it is given.
    """

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    drop: bool = False
    until: int = 0


@dataclass(slots=True, frozen=True)
class Asked:
    """One request as it came; `at` is monotonic seconds."""

    at: float
    key: Key
    headers: dict[str, str]
    body: Any


class Shop:
    """The scripts and the log of one stand-in."""

    def __init__(self) -> None:
        self.url = ""
        self.scripts: dict[Key, list[Answer]] = {("robots",): [Answer(b"", 404)]}
        self.log: list[Asked] = []
        self._lock = threading.Lock()

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
        with self._lock:
            return [each for each in self.log if each.key[: len(key)] == key]

    def take(self, asked: Asked) -> Answer:
        """Log a request and return its answer."""
        with self._lock:
            self.log.append(asked)
            script = self.scripts.get(asked.key)
            if not script:
                return Answer(b"not scripted", 404)
            return script.pop(0) if len(script) > 1 else script[0]


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


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body in one packet: two would wait 40 ms for each other (Nagle, delayed acknowledgement).
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        part = self.path.split("?")[0].strip("/").split("/")
        key: Key = ("robots",) if part == ["robots.txt"] else ("product", part[-1])
        self._reply(key, None)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        data = body["data"]
        self._reply(("list", data["cateCode"], int(data["curPage"])), body)

    def _reply(self, key: Key, body: Any) -> None:
        answer = self.server.shop.take(Asked(time.monotonic(), key, dict(self.headers), body))
        if answer.delay:
            time.sleep(answer.delay)
        if answer.drop:
            self.close_connection = True
            return
        content, headers = answer.body, dict(answer.headers)
        if answer.until:
            when = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=answer.until + 1)
            headers["Retry-After"] = format_datetime(when, usegmt=True)
        if "gzip" in self.headers.get("Accept-Encoding", "") and len(content) > 1000:
            content, headers["Content-Encoding"] = gzip.compress(content), "gzip"
        self.send_response(answer.status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        try:
            self.wfile.write(content)
        except OSError:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    shop: Shop

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are part of these tests."""


@contextmanager
def running_shop() -> Iterator[Shop]:
    """Run a stand-in on a free port of loopback."""
    shop = Shop()
    server = _Server(("127.0.0.1", 0), _Handler)
    server.shop = shop
    shop.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield shop
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
