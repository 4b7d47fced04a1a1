"""What people can subscribe to of products and crawls."""

from __future__ import annotations

from collections.abc import Sequence

from notifications.events import EventKind, FilterField, register
from products.models import Category, PriceEvent
from products.services.digest import GROUPS, USUAL
from products.services.recent import recent_alerts, recent_digests
from products.services.tell import DIGEST_EVENT, SUSPECT_EVENT


def register_events() -> None:
    """Make them known; called once when the app is ready."""
    register(EventKind(DIGEST_EVENT, "價格通知", template=DIGEST_EVENT, filters=DIGEST_FILTERS, recent=recent_digests))
    register(EventKind(SUSPECT_EVENT, "可疑爬取", template=SUSPECT_EVENT, recent=recent_alerts))


def _categories() -> Sequence[tuple[str, str]]:
    rows = Category.objects.order_by("path", "code").values_list("code", "path", "name")
    return [(code, path or name) for code, path, name in rows]


def _directions() -> Sequence[tuple[str, str]]:
    kinds = PriceEvent.Kind
    ordered = (
        kinds.INCREASE,
        kinds.DECREASE,
        kinds.DELISTED,
        kinds.NEW,
        kinds.OUT_OF_STOCK,
        kinds.BACK_IN_STOCK,
        kinds.RELISTED,
    )
    return [(str(kind.value), str(kind.label)) for kind in ordered]


USUAL_WORDS = "、".join(str(kind.label) for kind in GROUPS if kind in USUAL)
DIGEST_FILTERS = (
    FilterField("categories", "分類", "choices", "不選就是全部分類", _categories),
    FilterField("brands", "品牌", "texts", "每行一個，不分大小寫與全半形；不填就是全部品牌"),
    FilterField("directions", "事件", "choices", f"不選就是{USUAL_WORDS}", _directions, empty=USUAL_WORDS),
    FilterField("min_percent", "最小幅度", "number", "漲價與降價至少這麼多 %；其他事件不受影響"),
)
