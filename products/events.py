"""Events of products and crawls that users can subscribe to; registered when the app is ready."""

from __future__ import annotations

from collections.abc import Sequence

from notifications.events import EventKind, FilterField, register
from products.selectors.alerts import recent_alerts
from products.selectors.digest import DEFAULT_KINDS, recent_digests
from products.selectors.news import GROUPS, Kind
from products.selectors.products import category_choices
from products.selectors.watches import recent_crossings, watcher_choices

DIGEST_EVENT = "price_digest"
SUSPECT_EVENT = "crawl_suspect"
WATCH_EVENT = "price_watch"
DEFAULT_LABELS = "、".join(str(kind.label) for kind in GROUPS if kind in DEFAULT_KINDS)


def _direction_choices() -> Sequence[tuple[str, str]]:
    ordered = (
        Kind.INCREASE,
        Kind.DECREASE,
        Kind.DELISTED,
        Kind.NEW,
        Kind.OUT_OF_STOCK,
        Kind.BACK_IN_STOCK,
        Kind.RELISTED,
    )
    return [(str(kind.value), str(kind.label)) for kind in ordered]


DIGEST_FILTERS = (
    FilterField("categories", "分類", "choices", "不選就是全部分類", category_choices),
    FilterField("brands", "品牌", "texts", "每行一個，不分大小寫與全半形；不填就是全部品牌"),
    FilterField("directions", "事件", "choices", f"不選就是{DEFAULT_LABELS}", _direction_choices, empty=DEFAULT_LABELS),
    FilterField("min_percent", "最小幅度", "number", "漲價與降價至少這麼多 %；其他事件不受影響"),
)
WATCH_FILTERS = (FilterField("watchers", "關注的人", "choices", "不選就是每個人的關注清單", watcher_choices),)


def register_events() -> None:
    """Register the events; called once by the app's `ready`."""
    register(
        EventKind(
            DIGEST_EVENT,
            "價格通知",
            template=DIGEST_EVENT,
            mail_template=f"{DIGEST_EVENT}_mail",
            filters=DIGEST_FILTERS,
            recent=recent_digests,
        )
    )
    register(EventKind(SUSPECT_EVENT, "可疑的價格更新", template=SUSPECT_EVENT, recent=recent_alerts))
    register(
        EventKind(
            WATCH_EVENT,
            "關注商品到價",
            template=WATCH_EVENT,
            filters=WATCH_FILTERS,
            recent=recent_crossings,
            reason="您收到這封信，是因為信中的商品在您的關注清單上，價格符合您設的條件。",
            own_filters=lambda user: {"watchers": [user.username]},
        )
    )
