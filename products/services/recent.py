"""The last real digests and alerts, for previews of their templates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Exists, OuterRef
from django.utils import timezone

from products.models import Alert, CrawlRun, PriceEvent
from products.services.digest import USUAL, Digest, Goods, Happened, Selection, all_news
from products.services.tell import alert_variables, category_names

EVENTS_A_RUN = 2_000  # of a preview
FIELDS = tuple(
    f"product__{name}" for name in ("product_id", "name", "brand", "category__name", "category__code", "url")
)


def recent_digests(limit: int) -> Sequence[Mapping[str, Any]]:
    """What the usual digest of each of the last `limit` runs with news would say, the newest first; in two queries.

    Previews and tests carry no files, so their text must promise none.
    """
    news_of_run = PriceEvent.objects.filter(run=OuterRef("pk"), kind__in=USUAL)
    runs = CrawlRun.objects.filter(Exists(news_of_run), status=CrawlRun.Status.APPLIED)
    found = list(runs.order_by("-pk")[:limit])
    pairs: dict[int, list[tuple[Goods, Happened]]] = defaultdict(list)
    if found:
        events = PriceEvent.objects.filter(run__in=found).order_by("-pk")[: EVENTS_A_RUN * len(found)]
        for run, kind, old, new, at, *goods in events.values_list(
            "run_id", "kind", "old_price", "new_price", "created_at", *FIELDS
        ):
            pairs[run].append((Goods(*goods), Happened(kind, old, new, at, run)))
    shown = []
    for run in found:
        news = [one for one in all_news(reversed(pairs[run.pk])) if Selection().takes(one)]
        if news:
            at = run.finished_at or run.started_at
            label = f"爬取 #{run.pk}（{timezone.localtime(at):%m-%d %H:%M}，{len(news)} 件）"
            shown.append({"label": label, "variables": {**Digest(news, at).variables(), "workbook": False}})
    return shown


def recent_alerts(limit: int) -> Sequence[Mapping[str, Any]]:
    """The last `limit` alerts, the newest first; in two queries."""
    alerts = list(Alert.objects.order_by("-pk")[:limit])
    names = category_names(alerts)
    return [
        {"label": f"{alert.get_kind_display()} #{alert.run_id}", "variables": alert_variables(alert, names)}
        for alert in alerts
    ]
