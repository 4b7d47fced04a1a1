"""What the shop answers, given its catalogue, day, overrides and fault rules; and a log of what was asked."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, quote, unquote

from . import pages
from .catalogue import Catalogue
from .days import IN_CATEGORY, State
from .faults import Asked, Rule
from .http import JSON, Gauge, Request, Response
from .items import View, goods_item

API = "/api/moecapp/getCategoryGoodsV3"
_DEFAULT_COUNT = 35
_MAX_COUNT = 100
_CACHED_BYTES = 96 * 1024 * 1024
_CACHED_LISTINGS = 4096

_MOVED = {"/goods/GoodsDetail.jsp": "i_code", "/goods.momo": "i_code"}
_MOVED_CATEGORIES = {"/category/DgrpCategory.jsp": "d_code", "/category.momo": "cn"}


@dataclass(frozen=True, slots=True)
class Override:
    """What a test has put in place of the day model for one product; None leaves the model's answer."""

    price: int | None = None
    raw: str | None = None
    state: State | None = None
    name: str | None = None


class Log:
    """What visitors asked for since the last clearing; control requests are not counted."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Start counting anew."""
        self.requests = 0
        self.paths: Counter[str] = Counter()
        self.categories: defaultdict[str, Counter[int]] = defaultdict(Counter)
        self.products: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.faults: Counter[str] = Counter()
        self.agents: Counter[str] = Counter()


class Shop:
    """The state of one demo shop and its routes. Only the server's thread calls `handle`."""

    def __init__(self, catalogue: Catalogue, day: int) -> None:
        self.catalogue = catalogue
        self.first_day = day
        self.day = day
        self.base = ""
        self.gauge = Gauge()
        self.seen = Log()
        self.rules: list[Rule] = []
        self._overrides: dict[int, Override] = {}
        # Raised with each override; a page built meanwhile for the old state is then never found again.
        self._version = 0
        self._pages: dict[tuple[str, int, int, int, int], bytes] = {}
        self._pages_bytes = 0
        self._listings: dict[tuple[str, int, int], list[tuple[int, State]]] = {}

    # What tests change

    def override(
        self,
        product_id: str,
        *,
        price: int | str | None = None,
        state: State | str | None = None,
        removed: bool = False,
        name: str | None = None,
    ) -> None:
        """Replace the model's answers for one product on every day from its birth on.

        A price given as text is shown exactly so; `removed` is the state MISSING. Nothing given takes the
        override away. KeyError for an identifier that is not this shop's, ValueError for an unknown state.
        """
        number = self.catalogue.product(product_id).number
        put = Override(
            price=price if isinstance(price, int) else None,
            raw=price if isinstance(price, str) else None,
            state=State.MISSING if removed else State(state) if state is not None else None,
            name=name,
        )
        overrides = dict(self._overrides)
        if put == Override():
            overrides.pop(number, None)
        else:
            overrides[number] = put
        self._overrides = overrides
        self._version += 1

    def reset(self, parts: Iterable[str] = ()) -> None:
        """Put back the named ones of day, overrides, faults, log; all of them if none is named."""
        wanted = set(parts) or {"day", "overrides", "faults", "log"}
        if wanted - {"day", "overrides", "faults", "log"}:
            raise ValueError(f"cannot reset {', '.join(sorted(wanted))}")
        if "day" in wanted:
            self.day = self.first_day
        if "overrides" in wanted:
            self._overrides = {}
            self._version += 1
        if "faults" in wanted:
            self.rules = []
        if "log" in wanted:
            self.seen.clear()
            self.gauge.clear()

    # What there is

    def state_of(self, number: int, day: int) -> State:
        """The state on `day`, overrides included."""
        state = self.catalogue.state_of(number, day)
        put = self._overrides.get(number)
        if put is None or put.state is None or day < self.catalogue.birth(number):
            return state
        return put.state

    def view_of(self, number: int, day: int, state: State | None = None) -> View:
        """The product as found on `day`, overrides included; `state` spares a caller that knows it the work."""
        product = self.catalogue.product_of(number)
        state = self.state_of(number, day) if state is None else state
        view = View(product, product.name, state, self.catalogue.price_of(number, day))
        put = self._overrides.get(number)
        if put is None:
            return view
        price = view.price if put.price is None else put.price
        return replace(view, name=put.name or view.name, price=price, raw=put.raw)

    def listing(self, code: str, day: int) -> list[tuple[int, State]]:
        """Number and state of the products that the category shows on `day`; none for an unknown category."""
        key = (code, day, self._version)
        found = self._listings.get(key)
        if found is None:
            if self.catalogue.category(code) is None:
                return []
            members = ((n, self.state_of(n, day)) for n in self.catalogue.members(code, day))
            found = [(n, state) for n, state in members if state in IN_CATEGORY]
            if len(self._listings) >= _CACHED_LISTINGS:
                self._listings.clear()
            self._listings[key] = found
        return found

    def prepare(self) -> None:
        """Build today's category pages ahead, so that a measurement of a crawler holds none of that work."""
        for category in self.catalogue.categories():
            shown = len(self.listing(category.code, self.day))
            for page in range(1, -(-shown // _DEFAULT_COUNT) + 1):
                self._goods(category.code, page, _DEFAULT_COUNT)

    # Requests

    def handle(self, request: Request) -> Response:
        """Answer one request that is not for the control plane."""
        path, _, query = request.target.partition("?")
        path = unquote(path)
        asked, count = Asked(path), _DEFAULT_COUNT
        if path == API:
            if request.method != "POST":
                return self._note(request, asked, Response(b"", 405))
            wish = _read_wish(request.body)
            if wish is None:
                return self._note(request, asked, Response(_failure("99999", "參數錯誤"), 400, JSON))
            code, page, count = wish
            asked = Asked(path, category=code, page=page)
        elif request.method not in ("GET", "HEAD"):
            return self._note(request, asked, Response(b"", 405))
        elif path.startswith("/product/"):
            asked = Asked(path, product=path[9:].rstrip("/"))
        rule = next((rule for rule in self.rules if rule.strikes(asked)), None)
        if rule is None:
            return self._note(request, asked, self._answer(asked, query, count))
        self.seen.faults[rule.kind] += 1
        return self._note(request, asked, self._trouble(rule, asked, query, count))

    def _note(self, request: Request, asked: Asked, response: Response) -> Response:
        seen = self.seen
        seen.requests += 1
        seen.statuses[0 if response.drop else response.status] += 1
        seen.agents[request.user_agent] += 1
        if asked.category:
            seen.categories[asked.category][asked.page] += 1
        if asked.product:
            seen.products[asked.product] += 1
        path = "/product/" if asked.product else "/goodsimg/" if "/goodsimg/" in asked.path else asked.path
        seen.paths[path] += 1
        return response

    def _answer(self, asked: Asked, query: str, count: int) -> Response:
        path = asked.path
        if path == API:
            return Response(self._goods(asked.category, asked.page, count), kind=JSON)
        if asked.product:
            return Response(self._product(asked.product))
        if "/goodsimg/" in path:
            name = path.rpartition("/")[2].partition("_")[0]
            return Response(pages.picture(name), kind="image/svg+xml", headers=(("Cache-Control", "max-age=86400"),))
        if path == "/robots.txt":
            return Response(pages.ROBOTS, kind="text/plain;charset=UTF-8")
        if path == "/":
            return Response(pages.front_page(self.catalogue.categories(), self.day))
        if path.startswith("/categories/"):
            return self._category(path[12:].rstrip("/"))
        if path.startswith("/goodsDetail/"):
            return _moved("/product/", path[13:])
        for old, name, new in (
            *((old, name, "/product/") for old, name in _MOVED.items()),
            *((old, name, "/categories/") for old, name in _MOVED_CATEGORIES.items()),
        ):
            if path == old and (value := parse_qs(query).get(name)):
                return _moved(new, value[0])
        return Response(pages.MESSAGE_PAGE, 404)

    def _goods(self, code: str, page: int, count: int) -> bytes:
        day = self.day
        shown = self.listing(code, day)
        if not shown:
            return _failure("40006", "查無商品資料")
        last = -(-len(shown) // count)
        page = min(page, last)
        key = (code, page, count, day, self._version)
        body = self._pages.get(key)
        if body is None:
            views = (self.view_of(n, day, state) for n, state in shown[(page - 1) * count : page * count])
            body = _success([goods_item(view, self.base) for view in views], page, last, len(shown))
            if self._pages_bytes > _CACHED_BYTES:
                self._pages.clear()
                self._pages_bytes = 0
            self._pages[key] = body
            self._pages_bytes += len(body)
        return body

    def _product(self, product_id: str) -> bytes:
        number, day = self.catalogue.number(product_id), self.day
        if number is None or number >= self.catalogue.born(day):
            return pages.MESSAGE_PAGE
        view = self.view_of(number, day)
        if view.state is State.MISSING:
            return pages.MESSAGE_PAGE
        category = self.catalogue.category(view.product.categories[0])
        return pages.product_page(view, category.path if category else "", self.base)

    def _category(self, code: str) -> Response:
        category = self.catalogue.category(code)
        if category is None:
            return Response(pages.MESSAGE_PAGE)
        shown = self.listing(code, self.day)
        views = [self.view_of(n, self.day) for n, _ in shown[:_DEFAULT_COUNT]]
        return Response(pages.category_page(category, views, len(shown)))

    def _trouble(self, rule: Rule, asked: Asked, query: str, count: int) -> Response:
        """The answer that `rule` wants, delayed as it says."""
        headers: tuple[tuple[str, str], ...] = ()
        if rule.retry_after is not None:
            headers = (("Retry-After", str(rule.retry_after)),)
        match rule.kind:
            case "drop":
                response = Response(drop=True)
            case "blocked":
                response = Response(pages.MESSAGE_PAGE)
            case "403" | "429" | "500" | "503" as status:
                response = Response(f"<h1>{status}</h1>".encode(), int(status), headers=headers)
            case "40006":
                response = Response(_failure("40006", "查無商品資料"), kind=JSON)
            case "empty" if asked.path == API:
                response = Response(_success([], 1, 0, 0), kind=JSON)
            case "empty":
                response = Response(b"")
            case "repeat_last" if asked.path == API:
                response = self._answer(asked._replace(page=1_000_000), query, count)
            case _:
                response = self._answer(asked, query, count)
                if rule.kind == "truncated":
                    response.body = response.body[: len(response.body) // 2]
        response.delay = rule.delay
        return response

    # The control plane's reading side

    def log(self) -> dict[str, Any]:
        """Counters since the last reset. A dropped connection has status 0; `categories` counts by page."""
        seen = self.seen
        return {
            "requests": seen.requests,
            "paths": dict(seen.paths),
            "categories": {code: dict(counts) for code, counts in list(seen.categories.items())},
            "products": dict(seen.products),
            "statuses": dict(seen.statuses),
            "faults": dict(seen.faults),
            "user_agents": dict(seen.agents),
            "in_flight_max": self.gauge.most_requests,
            "connections_max": self.gauge.most_connections,
        }

    def truth(self, day: int) -> dict[str, Any]:
        """Categories and every product born by `day` as they are then, overrides included.

        `price` is in New Taiwan dollars, null while missing; `price_raw` is the text in its place or null.
        """
        rows = []
        for number in range(self.catalogue.born(day)):
            view = self.view_of(number, day)
            product, gone = view.product, view.state is State.MISSING
            rows.append(
                {
                    "id": product.id,
                    "name": view.name,
                    "brand": product.brand,
                    "categories": list(product.categories),
                    "list_price": product.list_price,
                    "price": None if gone or view.raw is not None else view.price,
                    "price_raw": view.raw,
                    "state": view.state,
                }
            )
        categories = [row._asdict() for row in self.catalogue.categories()]
        return {"day": day, "categories": categories, "products": rows}


def _read_wish(body: bytes) -> tuple[str, int, int] | None:
    """(cateCode, page, goods on a page) of a category request, or None if it is not one."""
    try:
        data = json.loads(body)["data"]
        code = str(data["cateCode"])
        page = int(data.get("curPage") or 1)
        count = int(data.get("dispCnt") or _DEFAULT_COUNT)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return code, max(1, page), min(count, _MAX_COUNT) if count > 0 else _DEFAULT_COUNT


def _success(items: list[dict[str, Any]], page: int, last: int, total: int) -> bytes:
    answer = {
        "success": True,
        "resultCode": "200",
        "resultMessage": "",
        "curPage": str(page),
        "maxPage": last,
        "rtnGoodsData": {"goodsInfoList": items, "totalCount": str(total)},
    }
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()


def _failure(code: str, message: str) -> bytes:
    answer = {
        "success": False,
        "resultCode": code,
        "resultMessage": message,
        "maxPage": 0,
        "rtnGoodsData": None,
    }
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()


def _moved(to: str, name: str) -> Response:
    # Quoted, so that nothing in an old address can end the header line.
    return Response(b"", 301, headers=(("Location", to + quote(name, safe="")),))
