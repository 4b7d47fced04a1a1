"""Tells people what crawls found: each event once, in a digest for each selection, and each alert once.

Claim and messages commit together. So whoever is killed has told nothing and claimed nothing, and the watch tells it
half a minute later.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError

from notifications.models import Subscription
from notifications.services.notify import deliver, subscriptions_of
from products.models import Alert, Category, PriceEvent
from products.services.digest import STOCK, Digest, Goods, Happened, News, Selection, all_news

logger = logging.getLogger(__name__)

Silence = PriceEvent.Silence

TELL_TASK = "products.tell"
DIGEST_EVENT = "price_digest"
SUSPECT_EVENT = "crawl_suspect"
# A person who decides held prices one after the other gets one digest of them: it waits until nothing was decided for
# DECIDING seconds, though never longer than DECIDING_AT_MOST.
DECIDING = 60
DECIDING_AT_MOST = 900
CATEGORIES_TOLD = 20  # of an alert
MESSAGE_TOLD = 2_000  # characters of one
EXPIRE_AT_ONCE = 20_000  # events; the rest is for the next time

# Old events are no news; whoever holds one at this moment sees to it. Materialized, since a plan may ask a subquery
# with a limit once for each row, and then there is no limit.
EXPIRE = """
WITH old AS MATERIALIZED (
    SELECT id FROM products_priceevent
    WHERE told_at IS NULL AND created_at < %(oldest)s
    ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE products_priceevent e SET told_at = %(now)s, silence = 'expired' FROM old WHERE e.id = old.id
"""

# Whoever tells a run holds its row until the end, and others pass it over: nobody waits, and no run is torn in two.
HOLD_RUNS = """
SELECT r.id FROM products_crawlrun r
WHERE r.status = 'applied'
  AND r.id IN (SELECT run_id FROM products_priceevent WHERE told_at IS NULL AND created_at >= %(oldest)s)
ORDER BY r.id
FOR NO KEY UPDATE SKIP LOCKED
"""

# A run's own events are never later than its end, so what is later was decided by a person.
UNSETTLED = """
SELECT e.product_id, e.created_at
FROM products_priceevent e JOIN products_crawlrun r ON r.id = e.run_id
WHERE e.told_at IS NULL AND e.created_at >= %(oldest)s AND e.created_at > r.finished_at
"""

CLAIM = """
WITH claimed AS (
    UPDATE products_priceevent SET told_at = %(now)s
    WHERE told_at IS NULL AND created_at >= %(oldest)s AND run_id = ANY(%(runs)s) AND product_id <> ALL(%(waiting)s)
    RETURNING id, product_id, kind, old_price, new_price, created_at, run_id
)
SELECT claimed.id, claimed.kind, claimed.old_price, claimed.new_price, claimed.created_at, claimed.run_id,
       p.product_id, p.name, p.brand, c.name, c.code, p.url
FROM claimed
JOIN products_product p ON p.id = claimed.product_id
JOIN products_category c ON c.id = p.category_id
ORDER BY claimed.id
"""

# Claimed, so that nobody is told later, and in no message: a page that calls them told would be wrong.
LEAVE_OUT = """
UPDATE products_priceevent e SET silence = left_out.why
FROM unnest(%(ids)s::bigint[], %(whys)s::text[]) AS left_out (id, why) WHERE e.id = left_out.id
"""


@dataclass(frozen=True)
class Told:
    """How many events were told, in how many messages, and how many subscriptions there are to tell them to.

    Events that no subscription wants are told in no message, and are marked so.
    """

    events: int = 0
    messages: int = 0
    subscriptions: int = 0

    def in_words(self) -> str:
        """What became of it, for people."""
        if not self.subscriptions:
            return "沒有人訂閱價格通知，所以沒有寄出；請先在後台「訂閱」新增"
        if not self.events:
            return "沒有新的事件，沒有寄出通知"
        if not self.messages:
            return f"{self.events} 個新事件都不在訂閱的條件內，沒有寄出通知"
        return f"{self.events} 個新事件已寫成 {self.messages} 則訊息，正在寄送"


def tell_price_events(*, everything: bool = True, now: datetime | None = None) -> Told:
    """Write the digests of all events that nobody was told of, for everybody who subscribes to them.

    Without `everything` what a person is deciding right now waits. Of two at once each tells what the other does not;
    neither waits for the other. Without a subscription events stay untold until they are DIGEST_MAX_AGE_HOURS old.
    """
    now = now or timezone.now()
    values: dict[str, Any] = {"now": now, "oldest": now - timedelta(hours=settings.DIGEST_MAX_AGE_HOURS)}
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(EXPIRE, values | {"limit": EXPIRE_AT_ONCE})
        subscriptions = subscriptions_of(DIGEST_EVENT)
        if not subscriptions:
            return Told()
        claimed = _claim(values, everything=everything)
        if not claimed:
            return Told(subscriptions=len(subscriptions))
        key = f"{DIGEST_EVENT}:{claimed[0].id}-{claimed[-1].id}"
        news = all_news((one.goods, one.event) for one in claimed)
        written, taken = _write(news, subscriptions, key=key, now=now)
        _leave_out(claimed, news, taken)
        return Told(len(claimed), written, len(subscriptions))


# A product, and whether it is about its stock: what of it can be told apart from the rest.
_Side = tuple[str, bool]


@dataclass(frozen=True)
class _Claimed:
    id: int
    goods: Goods
    event: Happened


def _claim(values: dict[str, Any], *, everything: bool) -> list[_Claimed]:
    with connection.cursor() as cursor:
        cursor.execute(HOLD_RUNS, values)
        runs = [pk for (pk,) in cursor.fetchall()]
        waiting: list[int] = []
        if runs and not everything:
            cursor.execute(UNSETTLED, values)
            waiting = _being_decided(cursor.fetchall(), values["now"])
        if not runs:
            return []
        cursor.execute(CLAIM, values | {"runs": runs, "waiting": waiting})
        return [
            _Claimed(pk, Goods(*goods), Happened(kind, old, new, at, run_id))
            for pk, kind, old, new, at, run_id, *goods in cursor.fetchall()
        ]


def _being_decided(rows: Sequence[tuple[int, datetime]], now: datetime) -> list[int]:
    """Products of a series of decisions that goes on."""
    times = [at for _, at in rows]
    goes_on = times and now - max(times) < timedelta(seconds=DECIDING)
    return sorted({pk for pk, _ in rows}) if goes_on and now - min(times) < timedelta(seconds=DECIDING_AT_MOST) else []


def _write(
    news: Sequence[News], subscriptions: Sequence[Subscription], *, key: str, now: datetime
) -> tuple[int, set[_Side]]:
    """One digest for each selection, however many share it. Returns the messages written, and what they tell of."""
    readers: dict[Selection, list[Subscription]] = defaultdict(list)
    for subscription in subscriptions:
        readers[Selection.of(subscription.filters)].append(subscription)
    written = 0
    taken: set[_Side] = set()
    for selection, those in readers.items():
        chosen = [one for one in news if selection.takes(one)]
        if chosen:
            taken.update(_side(one.goods, one.kind) for one in chosen)
            digest = Digest(chosen, now)
            written += deliver(
                DIGEST_EVENT, key=key, variables=digest.variables(), files=digest.files(), to=those, at=now
            )
    return written, taken


def _leave_out(claimed: Sequence[_Claimed], news: Sequence[News], taken: Collection[_Side]) -> None:
    """Mark the events that are in no message, one statement for all.

    An event is told with its product's news of its side, stock or all else; where that side came to nothing, with the
    other's. Where both did, all is as it was before.
    """
    sides = {_side(one.goods, one.kind) for one in news}
    ids, whys = [], []
    for one in claimed:
        code, is_stock = _side(one.goods, one.event.kind)
        found = [side for side in ((code, is_stock), (code, not is_stock)) if side in sides]
        if not found or found[0] not in taken:
            ids.append(one.id)
            whys.append(Silence.UNWANTED.value if found else Silence.UNDONE.value)
    if ids:
        with connection.cursor() as cursor:
            cursor.execute(LEAVE_OUT, {"ids": ids, "whys": whys})


def _side(goods: Goods, kind: str) -> _Side:
    return goods.product_id, kind in STOCK


def tell_alerts(*, now: datetime | None = None) -> int:
    """Write the messages of alerts that nobody was told of. Returns how many alerts that were.

    Without a subscription they wait for one, until they are as old as events that are no news any more.
    """
    now = now or timezone.now()
    with transaction.atomic():
        to = subscriptions_of(SUSPECT_EVENT)
        if not to:
            return 0
        waiting = Alert.objects.filter(sent_at=None).select_for_update(skip_locked=True)
        alerts = list(waiting.order_by("pk"))
        if not alerts:
            return 0
        old = now - timedelta(hours=settings.DIGEST_MAX_AGE_HOURS)
        names = category_names(alerts)
        for alert in alerts:
            if alert.created_at >= old:
                variables = alert_variables(alert, names)
                deliver(SUSPECT_EVENT, key=f"alert:{alert.pk}", variables=variables, to=to, at=now)
        Alert.objects.filter(pk__in=[alert.pk for alert in alerts]).update(sent_at=now)
    return len(alerts)


def category_names(alerts: Sequence[Alert]) -> dict[str, str]:
    """Of all categories that the alerts are about, by code."""
    codes = {code for alert in alerts for code in alert.category_codes}
    return dict(Category.objects.filter(code__in=codes).values_list("code", "name"))


def alert_variables(alert: Alert, names: dict[str, str]) -> dict[str, Any]:
    """What the template `crawl_suspect` is given; `names` are those of the categories by their codes."""
    codes = alert.category_codes[:CATEGORIES_TOLD]
    return {
        "run_id": alert.run_id,
        "kind": alert.get_kind_display(),
        "message": alert.message[:MESSAGE_TOLD],
        "categories": [{"name": names.get(code, code), "code": code} for code in codes],
        "url": f"{settings.PUBLIC_URL}/admin/products/crawlrun/{alert.run_id}/change/",
    }


def tell() -> Told:
    """What the task and the watch do: alerts, and events but for what a person is deciding.

    A fault with the one does not keep the other from people.
    """
    try:
        return tell_price_events(everything=False)
    finally:
        tell_alerts()


def tell_soon(*, seconds: float = 0) -> None:
    """Have a worker tell, after the commit and `seconds`. A broker that is away is no failure: the watch tells."""
    transaction.on_commit(lambda: _send(seconds))


def _send(seconds: float) -> None:
    try:
        current_app.send_task(TELL_TASK, countdown=seconds or None)
    except (BrokerError, RedisError, OSError) as error:
        logger.warning("what the crawl found is told by the watch, the broker is away: %s", error)
