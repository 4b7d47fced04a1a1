"""The demo shop: its day model is what it says, and its HTTP is what is known of momo's."""

from __future__ import annotations

import hashlib
import json
import re
import signal
import socket
import subprocess
import sys
import time
import unicodedata
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from parsel import Selector

from momo.local.shop import Catalogue, DemoShop, Product, State
from momo.local.shop.catalogue import IN_CATEGORY, OUT_OF_STOCK

ROOT = Path(__file__).parents[2]
API = "/api/moecapp/getCategoryGoodsV3"
ITEM_KEYS = {
    "goodsCode",
    "goodsName",
    "goodsSubName",
    "goodsPrice",
    "goodsPriceOri",
    "SALE_PRICE",
    "goodsPriceModel",
    "goodsStock",
    "goodsUrl",
    "imgUrl",
    "brandName",
    "icon",
    "totalSalesInfo",
    "rating",
    "onSaleDescription",
}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue(seed=1, size=2400)


@pytest.fixture
def shop(catalogue: Catalogue) -> Iterator[DemoShop]:
    with DemoShop(catalogue) as shop:
        yield shop


@pytest.fixture
def client(shop: DemoShop) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=shop.url, timeout=10, headers={"User-Agent": "tests"}) as client:
        yield client


def ask(client: httpx.Client, code: str, page: int = 1, **data: Any) -> httpx.Response:
    wish = {
        "cateCode": code,
        "cateLevel": "3",
        "curPage": str(page),
        "sortType": "",
        "dispCnt": "35",
        "brandCode": [],
        "brandName": [],
    }
    return client.post(API, json={"host": "momoshop", "data": wish | data})


def goods(response: httpx.Response) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = response.json()["rtnGoodsData"]["goodsInfoList"]
    return found


def crawl(client: httpx.Client, code: str) -> list[dict[str, Any]]:
    first = ask(client, code)
    items = goods(first)
    for page in range(2, first.json()["maxPage"] + 1):
        items += goods(ask(client, code, page))
    return items


def dollars(text: str | int) -> int:
    return int(re.sub(r"[^0-9]", "", unicodedata.normalize("NFKC", str(text))))


def first_in(catalogue: Catalogue, state: State, day: int, page: str | None = None) -> Product:
    return next(
        product for product in catalogue.products(day) if product.state(day) is state and page in (None, product.page)
    )


# The catalogue


def fingerprint(catalogue: Catalogue) -> str:
    return hashlib.sha256(repr((catalogue.categories, catalogue.products(40))).encode()).hexdigest()


def test_same_seed_same_shop_in_another_process() -> None:
    code = (
        "from tests.local.test_shop import fingerprint; from momo.local.shop import Catalogue;"
        "print(fingerprint(Catalogue(7, 400)))"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert other.stdout.strip() == fingerprint(Catalogue(7, 400))
    assert fingerprint(Catalogue(8, 400)) != fingerprint(Catalogue(7, 400))


def test_later_days_change_no_earlier_one() -> None:
    catalogue = Catalogue(7, 400)
    before = list(catalogue.products(3))
    catalogue.products(40)
    assert catalogue.products(3) == before == Catalogue(7, 400).products(3)


def test_needs_only_the_standard_library() -> None:
    # -S leaves out site-packages; the package is loaded by itself, since importing `momo` brings Celery along.
    code = "import sys; sys.path.insert(0, 'momo'); import local.shop.__main__"
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True, cwd=ROOT)


def test_identifiers(catalogue: Catalogue) -> None:
    ids = [product.id for product in catalogue.products(50)]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"\d{7,8}|TP\d{14}", i) for i in ids)
    assert [catalogue.product(i, 50).number for i in ids] == list(range(len(ids)))
    assert 0.12 < sum(i.startswith("TP") for i in ids) / len(ids) < 0.18
    for wrong, day in (("", 50), ("1", 50), ("0" + ids[0], 50), (ids[-1], 49)):
        with pytest.raises(KeyError):
            catalogue.product(wrong, day)


def test_categories(catalogue: Catalogue) -> None:
    rows = catalogue.categories
    assert len(rows) == 24
    assert len(Catalogue(1, 5600).categories) == 56
    assert len({row.code for row in rows}) == len(rows)
    assert len({row.path for row in Catalogue(1, 100_000).categories}) == 512
    for code, level, name, path in Catalogue(1, 100_000).categories:
        assert re.fullmatch(r"\d{10}", code)
        assert path.split(" > ")[-1] == name
        assert level == str(path.count(" > ") + 1)
    assert 0.02 < sum(len(product.categories) == 2 for product in catalogue.products()) / 2400 < 0.04
    listed = Counter(product.id for row in rows for product in catalogue.listed(row.code, 3))
    for product in catalogue.products(3):
        assert listed[product.id] == (len(product.categories) if product.state(3) in IN_CATEGORY else 0)


def test_names_hold_what_breaks_readers(catalogue: Catalogue) -> None:
    names = "".join(product.name for product in catalogue.products())
    assert set("&<>\"'🔥（【") <= set(names)


def test_day_model_proportions() -> None:
    catalogue = Catalogue(seed=3, size=5600)
    for day in (0, 1, 17, 60):
        found: Counter[str] = Counter()
        for product in catalogue.products(day + 1):
            state, then = product.state(day), product.state(day + 1)
            price, later = product.price(day), product.price(day + 1)
            if price is None or later is None:
                found["missing"] += price is not None
                found["new"] += product.birth > day
            else:
                found["increase"] += later > price
                found["decrease"] += later < price
                found["sold_out"] += state not in OUT_OF_STOCK and then in OUT_OF_STOCK
            found["listed"] += state in IN_CATEGORY
        share = {name: count / found["listed"] for name, count in found.items()}
        assert 0.04 < share["increase"] + share["decrease"] < 0.065
        assert min(share["increase"], share["decrease"]) > 0.015
        assert 0.005 < share["missing"] < 0.016
        assert 0.005 < share["sold_out"] < 0.016
        assert 0.003 < share["new"] < 0.008
    assert {product.state(0) for product in catalogue.products()} == IN_CATEGORY


def test_price_steps_are_ordinary(catalogue: Catalogue) -> None:
    for product in catalogue.products():
        history = [price for price in map(product.price, range(61)) if price is not None]
        assert all(0.05 * product.list_price < price <= product.list_price for price in history)
        for before, after in pairwise(history):
            assert before == after or 0.03 <= abs(after - before) / before <= 0.30


def test_the_vanished_stay_away_and_some_come_back(catalogue: Catalogue) -> None:
    runs: Counter[bool] = Counter()
    for product in catalogue.products():
        gone = "".join("x" if product.state(day) is State.MISSING else "." for day in range(90))
        for found in re.finditer("x+", gone):
            back = found.end() < len(gone)
            runs[back] += 1
            assert not back or len(found[0]) >= 4
    assert runs[True] > 100
    assert runs[False] > 100


@pytest.mark.parametrize("size", [600, 5600])
def test_no_category_loses_many_in_a_day(size: int) -> None:
    catalogue = Catalogue(seed=5, size=size)
    for code, *_ in catalogue.categories:
        days = [{product.id for product in catalogue.listed(code, day)} for day in range(30)]
        for before, after in pairwise(days):
            assert len(before - after) <= 0.15 * len(before)


# The category JSON


def test_category_page(client: httpx.Client, shop: DemoShop, catalogue: Catalogue) -> None:
    code = catalogue.categories[0].code
    answer = ask(client, code)
    body, listed = answer.json(), [product.id for product in catalogue.listed(code, 0)]
    assert answer.headers["content-type"].startswith("application/json")
    assert body["success"] is True
    assert body["maxPage"] == -(-len(listed) // 35)
    assert body["rtnGoodsData"]["totalCount"] == str(len(listed))
    assert len(goods(answer)) == 35
    assert [item["goodsCode"] for item in crawl(client, code)] == listed
    assert len(goods(ask(client, code, dispCnt="100"))) == min(100, len(listed))
    assert len(goods(ask(client, code, dispCnt="500"))) == min(100, len(listed))
    last = ask(client, code, body["maxPage"])
    assert goods(ask(client, code, 999)) == goods(last)


def test_every_item_is_that_of_the_catalogue(client: httpx.Client, shop: DemoShop, catalogue: Catalogue) -> None:
    forms: Counter[str] = Counter()
    for row in catalogue.categories[:8]:
        for item in crawl(client, row.code):
            code = item["goodsCode"]
            product = catalogue.product(code)
            state = product.state(0)
            assert item.keys() == ITEM_KEYS
            assert row.code in product.categories
            assert (item["goodsName"], item["brandName"]) == (product.name, product.brand)
            model = item["goodsPriceModel"]
            for price in (item["goodsPrice"], item["SALE_PRICE"], model["basePrice"]["price"]):
                assert dollars(price) == product.price(0)
            assert dollars(item["goodsPriceOri"]) == dollars(model["marketPrice"]["price"]) == product.list_price
            assert isinstance(item["goodsStock"], str)
            assert (item["goodsStock"] == "0") is (state is State.OUT_OF_STOCK_LISTED)
            assert bool(item["onSaleDescription"]) is (state is State.UPCOMING)
            assert item["goodsUrl"] == f"{shop.url}/product/{code}"
            if code.isdigit():
                folders = re.sub(r"(\d{4})(\d{3})(\d{3})", r"\1/\2/\3", code.zfill(10))
                assert re.fullmatch(rf"{shop.url}/i[1-8]/\d+/goodsimg/{folders}/{code}_OR_m.webp", item["imgUrl"])
            forms[re.sub(r"[\d,]+", "9", str(item["goodsPrice"])) + type(item["goodsPrice"]).__name__] += 1
    assert {"$9str", "$$9str", "NT$9str", "9 元str", "9str", "9int"} <= forms.keys()


def test_unknown_category_and_bad_requests(client: httpx.Client) -> None:
    answer = ask(client, "9999999999")
    assert answer.status_code == 200
    assert answer.json()["success"] is False
    assert answer.json()["resultCode"] == "40006"
    assert client.post(API, content=b"{").status_code == 400
    assert client.post(API, json={"host": "momoshop"}).status_code == 400
    assert client.get(API).status_code == 405
    assert client.post("/").status_code == 405


def test_days_pass(client: httpx.Client, shop: DemoShop, catalogue: Catalogue) -> None:
    code = catalogue.categories[2].code
    for day in (0, 1, 9, 0):
        assert client.post("/_control/day", json={"day": day}).json() == {"day": day}
        items = crawl(client, code)
        listed = [(product.id, product.price(day)) for product in catalogue.listed(code, day)]
        assert [(item["goodsCode"], dollars(item["goodsPrice"])) for item in items] == listed


# Pages


def test_next_page(client: httpx.Client, shop: DemoShop, catalogue: Catalogue) -> None:
    for state, day in ((State.LISTED, 0), (State.OUT_OF_STOCK_LISTED, 0), (State.OUT_OF_STOCK_UNLISTED, 9)):
        shop.set_day(day)
        product = first_in(catalogue, state, day, "next")
        answer = client.get(f"/product/{product.id}")
        page = Selector(answer.text)
        meta = {m.attrib["property"]: m.attrib["content"] for m in page.css("meta[property]")}
        assert meta["og:title"].startswith(f"{product.name} - momo購物網 - ")
        assert meta["product:price:amount"] == f"{product.price(day):,}"
        assert meta["product:availability"] == ("in stock" if state is State.LISTED else "out of stock")
        assert (meta["product:brand"], meta["product:retailer_item_id"]) == (product.brand, product.id)
        assert ("可訂購時通知我" in answer.text) is (state is not State.LISTED)
        pushed = [s for s in page.css("script::text").getall() if "goodsCode" in s]
        decoder = json.JSONDecoder()
        text, _ = decoder.raw_decode(pushed[0], pushed[0].index('"', len("self.__next_f.push([1")))
        record, _ = decoder.raw_decode(text, text.index('{"goodsCode"'))
        assert record.keys() == ITEM_KEYS
        assert record["goodsName"] == product.name
        assert not set("<>&") & set(pushed[0])


@pytest.mark.parametrize("generation", ["css", "jsonld"])
def test_older_pages(client: httpx.Client, shop: DemoShop, catalogue: Catalogue, generation: str) -> None:
    for state in (State.LISTED, State.OUT_OF_STOCK_LISTED):
        product = first_in(catalogue, state, 0, generation)
        page = Selector(client.get(f"/product/{product.id}").text)
        assert page.css("#osmGoodsName::text").get() == product.name
        assert dollars(page.css("ul.prdPrice li.special .seoPrice::text").get("")) == product.price(0)
        assert page.css("a.webBrandLink::text").get() == product.brand
        assert len(page.css("#bt_2_layout_NAV ul li")) >= 2
        assert page.css("img.jqzoom")
        out = re.search("補貨通知|補貨中|缺貨中|熱銷一空|已售完", page.css(".prdnoteArea::text").get(""))
        assert bool(out) is (state is not State.LISTED)
        linked = page.css('script[type="application/ld+json"]::text').get()
        assert bool(linked) is (generation == "jsonld")
        if linked:
            record = json.loads(linked)
            assert record["@type"] == "Product"
            assert record["name"] == product.name
            assert int(record["offers"]["price"]) == product.price(0)


def test_page_generations(catalogue: Catalogue) -> None:
    pages = Counter(product.page for product in catalogue.products())
    assert 0.75 < pages["next"] / pages.total() < 0.85
    assert min(pages.values()) > 0.05 * pages.total()


def test_missing_is_the_same_page_as_blocked(client: httpx.Client, shop: DemoShop, catalogue: Catalogue) -> None:
    shop.set_day(9)
    gone, here = first_in(catalogue, State.MISSING, 9).id, first_in(catalogue, State.LISTED, 9).id
    missing = client.get(f"/product/{gone}")
    shop.fault("blocked", {"product": here})
    blocked = client.get(f"/product/{here}")
    assert missing.status_code == blocked.status_code == 200
    assert missing.content == blocked.content == client.get("/product/1").content
    assert "og:title" not in missing.text
    assert "<title>momo購物網 -- Mobile管理訊息</title>" in missing.text
    assert "此商品目前無展售" in missing.text


def test_old_addresses_move(client: httpx.Client, catalogue: Catalogue) -> None:
    code = first_in(catalogue, State.LISTED, 0).id
    category = catalogue.categories[0].code
    for path, to in (
        (f"/goods/GoodsDetail.jsp?i_code={code}", f"/product/{code}"),
        (f"/goods.momo?i_code={code}", f"/product/{code}"),
        (f"/category/DgrpCategory.jsp?d_code={category}&p_pageNum=1", f"/categories/{category}"),
    ):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["location"]) == (301, to)
    hostile = client.get("/goods.momo?i_code=x%0d%0aSet-Cookie:%20a")
    assert "set-cookie" not in hostile.headers


def test_pages_for_people_and_robots(client: httpx.Client, catalogue: Catalogue) -> None:
    category = catalogue.categories[0]
    assert category.code in client.get("/").text
    assert catalogue.listed(category.code, 0)[0].id in client.get(f"/categories/{category.code}").text
    robots = client.get("/robots.txt")
    assert robots.headers["content-type"].startswith("text/plain")
    assert "Disallow: /cart/" in robots.text
    item = goods(ask(client, category.code))[0]
    image = client.get(item["imgUrl"])
    assert image.headers["content-type"] == "image/svg+xml"
    assert client.get("/nothing").status_code == 404
    head = client.head("/")
    assert int(head.headers["content-length"]) > 0
    assert head.content == b""


# What tests change


def test_overrides(client: httpx.Client, shop: DemoShop, catalogue: Catalogue) -> None:
    code = catalogue.categories[0].code
    first, second = [product.id for product in catalogue.listed(code, 0)][:2]
    shop.override(first, price="599~899")
    shop.override(second, price=1)
    items = {item["goodsCode"]: item for item in goods(ask(client, code))}
    assert items[first]["goodsPrice"] == items[first]["SALE_PRICE"] == "599~899"
    assert dollars(items[second]["goodsPrice"]) == 1
    assert "599~899" in client.get(f"/product/{first}").text
    with pytest.raises(KeyError):
        shop.override("1", price=3)


def test_log_and_control(client: httpx.Client, shop: DemoShop, catalogue: Catalogue) -> None:
    one, two = (row.code for row in catalogue.categories[:2])
    for page in (1, 2, 2):
        ask(client, one, page)
    ask(client, two)
    product = catalogue.listed(one, 0)[0]
    client.get(f"/product/{product.id}")
    client.get("/nothing")
    log = client.get("/_control/log").json()
    assert log["requests"] == 6
    assert log["categories"] == {one: {"1": 1, "2": 2}, two: {"1": 1}}
    assert log["products"] == {product.id: 1}
    assert log["paths"] == {API: 4, "/product/": 1, "/nothing": 1}
    assert log["user_agents"] == {"tests": 6}
    assert log["in_flight_max"] == 1
    client.post("/_control/clear")
    assert shop.log()["requests"] == 0
    assert client.post("/_control/day", json={"day": 9}).json() == {"day": 9}
    assert [item["goodsCode"] for item in crawl(client, one)] == [row.id for row in catalogue.listed(one, 9)]
    assert client.post("/_control/nothing").status_code == 404


# Faults


@pytest.mark.parametrize("status", [403, 429, 500, 503])
def test_fault_statuses(client: httpx.Client, shop: DemoShop, catalogue: Catalogue, status: int) -> None:
    code = catalogue.categories[0].code
    shop.fault(str(status), {"category": code}, times=2, retry_after=7)
    found = [ask(client, code) for _ in range(3)]
    assert [answer.status_code for answer in found] == [status, status, 200]
    assert found[0].headers["retry-after"] == "7"
    assert ask(client, catalogue.categories[1].code).status_code == 200
    assert shop.log()["faults"] == {str(status): 2}


def test_fault_bodies(client: httpx.Client, shop: DemoShop, catalogue: Catalogue) -> None:
    code = catalogue.categories[0].code
    whole, last = ask(client, code), ask(client, code, 99)

    def under(kind: str) -> httpx.Response:
        shop.faults([{"kind": kind, "match": {"path": "/api/*"}, "pages": [1]}])
        assert ask(client, code, 2).json()["success"] is True
        return ask(client, code)

    assert "管理訊息" in under("blocked").text
    empty = under("empty").json()
    assert (empty["success"], empty["rtnGoodsData"]["goodsInfoList"]) == (True, [])
    assert under("40006").json()["resultCode"] == "40006"
    assert under("repeat_last").content == last.content
    truncated = under("truncated")
    assert whole.content.startswith(truncated.content)
    with pytest.raises(json.JSONDecodeError):
        json.loads(truncated.content)
    shop.faults([])
    assert ask(client, code).content == whole.content


def test_fault_drop_and_slow(client: httpx.Client, shop: DemoShop, catalogue: Catalogue) -> None:
    code = catalogue.categories[0].code
    shop.fault("drop", {"category": code}, times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        ask(client, code)
    assert ask(client, code).status_code == 200
    shop.faults([{"kind": "slow", "delay": 0.5}])
    started = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        assert {r.status_code for r in pool.map(lambda row: ask(client, row.code), catalogue.categories[:4])} == {200}
    assert time.monotonic() - started >= 0.5
    assert shop.log()["in_flight_max"] == 4


def test_faults_that_would_never_strike_are_refused(shop: DemoShop) -> None:
    with pytest.raises(ValueError, match="nonsense"):
        shop.fault("nonsense")
    with pytest.raises(ValueError, match="brand"):
        shop.fault("403", {"brand": "x"})
    with pytest.raises(TypeError):
        shop.fault("403", when=1)


# The server


def test_a_thousand_requests(client: httpx.Client, shop: DemoShop, catalogue: Catalogue) -> None:
    shop.prepare()
    codes = [row.code for row in catalogue.categories]
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda n: ask(client, codes[n % len(codes)], 1 + n % 3).status_code, range(1000))
        assert Counter(answers) == {200: 1000}
    assert shop.log()["requests"] == 1000


def test_pipelined_and_split_requests(shop: DemoShop, catalogue: Catalogue) -> None:
    host, port = shop.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as plain:
        plain.sendall(b"GET /robots.txt HTTP/1.1\r\nHost: x\r\n\r\nGET /robots.txt HT")
        plain.sendall(b"TP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        received = b"".join(iter(lambda: plain.recv(65536), b""))
    assert received.count(b"HTTP/1.1 200 OK") == 2


def test_large_shop() -> None:
    with DemoShop(Catalogue(1, 100_000)) as shop, httpx.Client(base_url=shop.url, timeout=60) as client:
        body = ask(client, shop.catalogue.categories[-1].code).json()
        assert int(body["rtnGoodsData"]["totalCount"]) > 35


def test_process_opens_and_closes() -> None:
    command = [sys.executable, "-m", "momo.local.shop", "--size", "200", "--day", "3"]
    for number in (signal.SIGTERM, signal.SIGINT):
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            code = Catalogue(1, 200).categories[0].code
            try:
                with httpx.Client(base_url=url) as client:
                    items, front = crawl(client, code), client.get("/").text
            finally:
                process.send_signal(number)
            assert "第 3 天" in front
            assert [item["goodsCode"] for item in items] == [row.id for row in Catalogue(1, 200).listed(code, 3)]
            remaining, errors = process.communicate(timeout=10)
            assert (process.returncode, remaining, errors) == (0, "", "")


def test_a_taken_port_is_reported(shop: DemoShop) -> None:
    with pytest.raises(OSError, match="Address already in use"):
        DemoShop(port=shop.port)
