"""The demo shop as a running server: its routes, the faults it makes on demand, and its log of requests."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from ..http import Answer, HttpStandIn, Request, json_answer
from . import pages
from .catalogue import Catalogue, Product, State

API = "/api/moecapp/getCategoryGoodsV3"
#: How benchmarks in another process steer the shop: GET log; POST day, clear.
CONTROL = "/_control/"
COUNT, MAX_COUNT = 35, 100
KINDS = {"blocked", "403", "429", "500", "503", "empty", "truncated", "40006", "repeat_last", "slow", "drop"}

_JSON = "application/json;charset=UTF-8"
# Old addresses: the parameter that names a product or category, and where that is now.
_MOVED = {
    "/goods/GoodsDetail.jsp": ("i_code", "/product/"),
    "/goods.momo": ("i_code", "/product/"),
    "/category/DgrpCategory.jsp": ("d_code", "/categories/"),
    "/category.momo": ("cn", "/categories/"),
}


class Asked(NamedTuple):
    """What a request asks for; category and product are empty and page is 0 where there is none."""

    path: str
    product: str = ""
    category: str = ""
    page: int = 0
    size: int = COUNT  # goods on a page


@dataclass
class Rule:
    """A fault that the shop makes. All that is given must hold; `times` is the most faults in all, None for ever."""

    kind: str
    match: dict[str, str] = field(default_factory=dict)  # any of path (shell pattern), category, product
    pages: list[int] | None = None
    times: int | None = None
    retry_after: int | None = None  # seconds, for the header Retry-After
    delay: float = 0  # seconds to wait before answering

    def __post_init__(self) -> None:
        """Refuse what would never strike: a test that makes no fault proves nothing."""
        if self.kind not in KINDS or self.match.keys() - {"path", "category", "product"}:
            raise ValueError(f"no such fault: {self}")

    def strikes(self, asked: Asked) -> bool:
        """Whether this request is to fail; counts it."""
        match = self.match
        if (
            self.times == 0
            or (self.pages is not None and asked.page not in self.pages)
            or not fnmatchcase(asked.path, match.get("path", "*"))
            or match.get("category", asked.category) != asked.category
            or match.get("product", asked.product) != asked.product
        ):
            return False
        if self.times is not None:
            self.times -= 1
        return True


class DemoShop(HttpStandIn):
    """momo's shop on loopback. Use it as a context manager, or call start() and stop()."""

    def __init__(self, catalogue: Catalogue | None = None, day: int = 0, *, port: int = 0) -> None:
        super().__init__(port=port)
        self.catalogue = catalogue if catalogue is not None else Catalogue()
        self.day = day
        self._prices: dict[str, int | str] = {}
        self._rules: list[Rule] = []
        self._made: Counter[str] = Counter()
        self._pages: dict[Asked, bytes] = {}

    # What tests change

    def set_day(self, day: int) -> None:
        """Make it that day, and begin its log."""
        with self.lock:
            self.day = day
            self._pages.clear()
            self.clear_log()

    def override(self, product_id: str, *, price: int | str) -> None:
        """Show this price for a product on every day; text is shown exactly so. KeyError if there is none today."""
        with self.lock:
            self._prices[self.catalogue.product(product_id, self.day).id] = price
            self._pages.clear()

    def fault(self, kind: str, match: dict[str, str] | None = None, **rule: Any) -> None:
        """Add one fault rule, see `Rule`. ValueError for an unknown kind or match."""
        with self.lock:
            self._rules.append(Rule(kind, match or {}, **rule))

    def faults(self, rules: Iterable[dict[str, Any]]) -> None:
        """Replace all fault rules; an empty list ends all faults."""
        with self.lock:
            self._rules = [Rule(**rule) for rule in rules]

    def log(self) -> dict[str, Any]:
        """Counts of requests since the day began or `clear_log`; `categories` by page. The control's are not in it."""
        with self.lock:
            requests = [request for request in self.requests if not request.path.startswith(CONTROL)]
            categories: defaultdict[str, Counter[int]] = defaultdict(Counter)
            asked = [_asked(request) for request in requests]
            for one in asked:
                if one.category:
                    categories[one.category][one.page] += 1
            return {
                "requests": len(requests),
                "paths": dict(Counter("/product/" if one.product else one.path for one in asked)),
                "categories": {code: dict(counts) for code, counts in categories.items()},
                "products": dict(Counter(one.product for one in asked if one.product)),
                "faults": dict(self._made),
                "user_agents": dict(Counter(request.headers.get("user-agent", "") for request in requests)),
                "in_flight_max": self.in_flight_max,
            }

    def clear_log(self) -> None:
        """Count requests anew."""
        with self.lock:
            self.requests.clear()
            self._made.clear()
            self.in_flight_max = self.in_flight

    def prepare(self) -> None:
        """Build today's category pages ahead, so that a measurement of a crawler holds none of that work."""
        with self.lock:
            for category in self.catalogue.categories:
                shown = len(self.catalogue.listed(category.code, self.day))
                for page in range(1, -(-shown // COUNT) + 1):
                    self._goods(Asked(API, category=category.code, page=page))

    # What it answers

    def respond(self, request: Request) -> Answer:
        """Answer as momo does, or as a fault rule says."""
        with self.lock:
            if request.path.startswith(CONTROL):
                return self._control(request)
            asked = _asked(request)
            rule = next((rule for rule in self._rules if rule.strikes(asked)), None)
            if rule is None:
                return self._answer(asked, request)
            self._made[rule.kind] += 1
            return self._fault(rule, asked, request)

    def _control(self, request: Request) -> Answer:
        match request.path.removeprefix(CONTROL):
            case "log":
                return json_answer(self.log())
            case "day":
                self.set_day(int(request.json["day"]))
                self.prepare()
            case "clear":
                self.clear_log()
            case _:
                return Answer(status=404)
        return json_answer({"day": self.day})

    def _answer(self, asked: Asked, request: Request) -> Answer:
        path = asked.path
        if request.method not in (("POST",) if path == API else ("GET", "HEAD")):
            return Answer(status=405)
        if path == API:
            return _answer(self._goods(asked), _JSON) if asked.category else Answer(status=400)
        if asked.product:
            return _answer(self._product(asked.product))
        if "/goodsimg/" in path:
            return _answer(pages.picture(path.rpartition("/")[2].partition("_")[0]), "image/svg+xml")
        if path == "/robots.txt":
            return _answer(pages.ROBOTS, "text/plain;charset=UTF-8")
        if path == "/":
            return _answer(pages.front_page(self.catalogue.categories, self.day))
        for category in self.catalogue.categories:
            if path == f"/categories/{category.code}":
                listed = self.catalogue.listed(category.code, self.day)
                return _answer(pages.category_page(category, [self._view(product) for product in listed]))
        name, new = _MOVED.get(path, ("", ""))
        if name in request.params:
            # Quoted, so that nothing in an old address can end the header line.
            return Answer(status=301, headers={"Location": new + quote(request.params[name], safe="")})
        return _answer(pages.MESSAGE_PAGE, status=404)

    def _view(self, product: Product) -> pages.View:
        price = self._prices.get(product.id, product.price(self.day) or 0)
        return pages.View(product, product.state(self.day), price, self.url)

    def _goods(self, asked: Asked) -> bytes:
        if asked not in self._pages:
            listed = self.catalogue.listed(asked.category, self.day)
            if not listed:
                return pages.no_category_json()
            last = -(-len(listed) // asked.size)
            page = min(asked.page, last)
            views = [self._view(product) for product in listed[(page - 1) * asked.size : page * asked.size]]
            self._pages[asked] = pages.category_json(views, page, last, len(listed))
        return self._pages[asked]

    def _product(self, product_id: str) -> str:
        try:
            view = self._view(self.catalogue.product(product_id, self.day))
        except KeyError:
            return pages.MESSAGE_PAGE
        if view.state is State.MISSING:
            return pages.MESSAGE_PAGE
        home = next(row for row in self.catalogue.categories if row.code == view.product.categories[0])
        return pages.product_page(view, home.path.split(" > "))

    def _fault(self, rule: Rule, asked: Asked, request: Request) -> Answer:
        is_list = asked.path == API
        match rule.kind:
            case "drop":
                answer = Answer(drop=True)
            case "blocked":
                answer = _answer(pages.MESSAGE_PAGE)
            case "403" | "429" | "500" | "503" as status:
                answer = _answer(f"<h1>{status}</h1>", status=int(status))
            case "40006":
                answer = _answer(pages.no_category_json(), _JSON)
            case "empty":
                answer = _answer(pages.category_json([], 1, 0, 0) if is_list else "", _JSON)
            case "repeat_last" if is_list:
                answer = self._answer(asked._replace(page=1_000_000), request)
            case _:
                answer = self._answer(asked, request)
        if rule.kind == "truncated":
            answer.body = answer.body[: len(answer.body) // 2]
        if rule.retry_after is not None:
            answer.headers["Retry-After"] = str(rule.retry_after)
        answer.delay = rule.delay
        return answer


def _asked(request: Request) -> Asked:
    """What a request asks for; a body that is none of a category request asks for no category."""
    path = unquote(request.path)
    if path != API:
        return Asked(path, product=path[9:].rstrip("/") if path.startswith("/product/") else "")
    try:
        data = request.json["data"]
        page, size = int(data.get("curPage") or 1), int(data.get("dispCnt") or COUNT)
        return Asked(path, category=str(data["cateCode"]), page=max(1, page), size=min(max(1, size), MAX_COUNT))
    except (ValueError, KeyError, TypeError, AttributeError):
        return Asked(path)


def _answer(body: bytes | str, kind: str = "text/html;charset=UTF-8", *, status: int = 200) -> Answer:
    return Answer(body if isinstance(body, bytes) else body.encode(), status, {"Content-Type": kind})
