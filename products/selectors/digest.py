"""Price digests: the news that a subscription selects, laid out for the template `price_digest`."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.utils import timezone

from momo.core.errors import ValidationFailed
from momo.core.texts import clean_text
from momo.core.thresholds import thresholds
from notifications.templating.variables import Variable, coerce
from products.models import CrawlRun, PriceEvent
from products.selectors.news import GROUPS, Goods, Kind, News, all_news

DEFAULT_KINDS = frozenset((Kind.INCREASE, Kind.DECREASE, Kind.DELISTED, Kind.NEW))
TITLE = "價格變動摘要"
# Variables of the template: each group's lines and number. It calls all other groups together "others".
NAMED = {
    Kind.INCREASE: ("rises", "rise_count"),
    Kind.DECREASE: ("drops", "drop_count"),
    Kind.DELISTED: ("delisted", "delisted_count"),
    Kind.NEW: ("new", "new_count"),
}
# Labels of the numbers in the summary; they add up to the total.
COUNT_LABELS = {
    "rise_count": "漲",
    "drop_count": "降",
    "delisted_count": "下架",
    "new_count": "新上架",
    "other_count": "供貨變化",
}
# Bounds that keep any digest within what a template renders, whatever the names are.
MAX_LINES = 50
MAX_TEXT = 500  # characters, as long as the longest name that is stored
EVENTS_PER_RUN = 2_000  # of a preview
EVENT_FIELDS = (
    "kind",
    "old_price",
    "new_price",
    "created_at",
    "run_id",
    *(f"product__{name}" for name in ("product_id", "name", "brand", "category__name", "category__code", "url")),
)


def event_news(kind: str, old: int | None, new: int | None, at: datetime, run_id: int, *goods: str) -> News:
    """One event from its values, in the order of EVENT_FIELDS."""
    return News(kind, Goods(*goods), old, new, at, run_id)


@dataclass(frozen=True)
class Selection:
    """What a subscription's filters let through; subscriptions with equal selections share a digest."""

    categories: frozenset[str] = frozenset()  # codes
    brands: frozenset[str] = frozenset()
    kinds: frozenset[str] = DEFAULT_KINDS
    min_percent: float = 0

    @classmethod
    def of(cls, filters: Any) -> Selection:
        """Read the stored filters of a subscription; a malformed filter lets everything through."""
        given: Mapping[str, Any] = filters if isinstance(filters, dict) else {}
        percent = given.get("min_percent")
        return cls(
            categories=_texts(given.get("categories")),
            brands=frozenset(map(_folded, _texts(given.get("brands")))),
            kinds=_texts(given.get("directions")) & frozenset(Kind.values) or DEFAULT_KINDS,
            min_percent=float(percent) if isinstance(percent, (int, float)) and not isinstance(percent, bool) else 0.0,
        )

    def matches(self, news: News) -> bool:
        """Whether a digest of this selection contains `news`; `min_percent` holds for price changes only."""
        moved = news.kind in (Kind.INCREASE, Kind.DECREASE)
        return (
            news.kind in self.kinds
            and (not self.categories or news.goods.category_code in self.categories)
            and (not self.brands or _folded(news.goods.brand) in self.brands)
            and (not moved or abs(news.percent or 0) >= self.min_percent)
        )


def _texts(value: Any) -> frozenset[str]:
    return frozenset(one for one in value if isinstance(one, str) and one) if isinstance(value, list) else frozenset()


def _folded(text: str) -> str:
    """Text for comparisons: full-width and half-width, upper and lower case are equal."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def spread(counts: Sequence[int], lines: int) -> list[int]:
    """How many of each group to show in `lines` lines: an even share each, unused lines going to the other groups.

    The first groups get the lines that cannot be shared evenly.
    """
    shown = [0] * len(counts)
    while lines > 0:
        waiting = [place for place, count in enumerate(counts) if shown[place] < count]
        if not waiting:
            break
        share = max(1, lines // len(waiting))
        for place in waiting:
            taken = min(share, counts[place] - shown[place], lines)
            shown[place] += taken
            lines -= taken
    return shown


@dataclass(frozen=True)
class Digest:
    """News for one selection, ordered as by `all_news`."""

    news: Sequence[News]
    at: datetime

    @property
    def is_cut(self) -> bool:
        """Whether the text has too few lines for all the news, so that a workbook goes with it."""
        return len(self.news) > _lines()

    def variables(self) -> dict[str, Any]:
        """Variables of the template `price_digest`: at most DIGEST_MAX_LINES products over all its groups.

        `run_id` is the newest crawl among the news.
        """
        groups = {kind: [one for one in self.news if one.kind == kind] for kind in GROUPS}
        spread_out = spread([len(group) for group in groups.values()], _lines())
        shown = {kind: groups[kind][:lines] for kind, lines in zip(groups, spread_out, strict=True)}
        others = [kind for kind in GROUPS if kind not in NAMED]
        numbers = {count: len(groups[kind]) for kind, (_, count) in NAMED.items()}
        numbers["other_count"] = sum(len(groups[kind]) for kind in others)
        return {
            "title": TITLE,
            "time": self.at,
            "total": len(self.news),
            "summary": "、".join(f"{label} {numbers[name]:,}" for name, label in COUNT_LABELS.items() if numbers[name]),
            "run_id": max((one.run_id for one in self.news if one.run_id is not None), default=None),
            **{names: [_line(one) for one in shown[kind]] for kind, (names, _) in NAMED.items()},
            **numbers,
            "others": [_other_line(one) for kind in others for one in shown[kind]],
            "more": len(self.news) - sum(spread_out),
            "workbook": self.is_cut,
            "dashboard_url": f"{settings.PUBLIC_URL}/admin/products/priceevent/",
        }


def _lines() -> int:
    lines: int = thresholds.DIGEST_MAX_LINES
    return min(lines, MAX_LINES)


def _line(news: News) -> dict[str, Any]:
    goods = news.goods
    name = goods.name[:MAX_TEXT]
    values = {
        "code": goods.product_id,
        # A link needs a text: a name without any visible character is replaced.
        "name": name if clean_text(name).strip() else goods.product_id,
        "brand": goods.brand[:MAX_TEXT],
        "category": goods.category[:MAX_TEXT],
        "old_price": news.old_price,
        "new_price": news.new_price,
        "change": news.change,
        "percent": news.percent,
        "url": _valid_url(goods.url),
    }
    return {name: value for name, value in values.items() if value is not None}


def _other_line(news: News) -> dict[str, Any]:
    line = _line(news)
    return {"kind": news.kind, **{name: line[name] for name in ("name", "code", "url") if name in line}}


def _valid_url(url: str) -> str | None:
    """The link, unless no message could contain it."""
    try:
        coerce([Variable("url", "url")], {"url": url})
    except ValidationFailed:
        return None
    return url


def recent_digests(limit: int) -> Sequence[Mapping[str, Any]]:
    """What the default digest of each of the last `limit` runs with news would say, newest first; in two queries.

    For previews and tests of the template: these carry no files, so `workbook` is false.
    """
    news_of_run = PriceEvent.objects.filter(run=OuterRef("pk"), kind__in=DEFAULT_KINDS)
    runs = CrawlRun.objects.filter(Exists(news_of_run), status=CrawlRun.Status.APPLIED)
    found = list(runs.order_by("-pk")[:limit])
    events: dict[int | None, list[News]] = defaultdict(list)
    if found:
        rows = PriceEvent.objects.filter(run__in=found).order_by("-pk")[: EVENTS_PER_RUN * len(found)]
        for row in rows.values_list(*EVENT_FIELDS):
            event = event_news(*row)
            events[event.run_id].append(event)
    shown = []
    for run in found:
        news = [one for one in all_news(reversed(events[run.pk])) if Selection().matches(one)]
        if news:
            at = run.finished_at or run.started_at
            label = f"價格更新 #{run.pk}（{timezone.localtime(at):%m-%d %H:%M}，{len(news)} 件）"
            shown.append({"label": label, "variables": {**Digest(news, at).variables(), "workbook": False}})
    return shown
