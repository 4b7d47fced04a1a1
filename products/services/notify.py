"""Notifications of what crawls found: each event once, in one digest for each selection, and each alert once.

Claim and messages commit together: a process that is killed has claimed nothing and written nothing, and the sweep
notifies half a minute later.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models.functions import Coalesce
from django.utils import timezone

from momo.core.thresholds import thresholds
from momo.core.work import start_task_on_commit
from notifications.models import Subscription
from notifications.services.notify import deliver, subscriptions_of
from products.events import DIGEST_EVENT, SUSPECT_EVENT
from products.exports import digest_files
from products.models import Alert, PriceEvent
from products.selectors.alerts import alert_variables, category_names, reminder_variables
from products.selectors.digest import Digest, Selection, event_news
from products.selectors.news import STOCK, News, all_news
from products.services.watches import notify_watches

NOTIFY_TASK = "products.tell"
# A person who decides several held prices gets one digest of them: decided events wait until nothing was decided for
# DECIDING seconds, though never longer than DECIDING_AT_MOST.
DECIDING = 60
DECIDING_AT_MOST = 900
EXPIRE_AT_ONCE = 20_000  # events; the remaining ones expire the next time

# Old events are no news; those that another process has locked are left to it. Materialized, since a plan may run a
# subquery with a limit once for each row, and then there is no limit.
EXPIRE = """
WITH old AS MATERIALIZED (
    SELECT id FROM products_priceevent
    WHERE told_at IS NULL AND created_at < %(oldest)s
    ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE products_priceevent e SET told_at = %(now)s, silence = 'expired' FROM old WHERE e.id = old.id
"""

# The rows of the runs stay locked until the commit, and other processes skip them: no process waits, and the events of
# a run are claimed together.
LOCK_RUNS = """
SELECT r.id FROM products_crawlrun r
WHERE r.status = 'applied'
  AND r.id IN (SELECT run_id FROM products_priceevent WHERE told_at IS NULL AND created_at >= %(oldest)s)
ORDER BY r.id
FOR NO KEY UPDATE SKIP LOCKED
"""

# A run's own events are never later than its end, so a later event was decided by a person.
DECIDED_EVENTS = """
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

# Claimed, so that no later digest contains them, but in no message: pages must not call them notified.
MARK_SILENT = """
UPDATE products_priceevent e SET silence = silent.why
FROM unnest(%(ids)s::bigint[], %(whys)s::text[]) AS silent (id, why) WHERE e.id = silent.id
"""


@dataclass(frozen=True)
class Notified:
    """How many events were claimed, how many messages written, and how many subscriptions exist.

    Events that no subscription selects are in no message, and are marked so.
    """

    events: int = 0
    messages: int = 0
    subscriptions: int = 0

    def description(self) -> str:
        """The outcome in one sentence for users."""
        if not self.subscriptions:
            return "沒有人訂閱價格通知，所以沒有寄出；請先在後台「訂閱」新增"
        if not self.events:
            return "沒有新的事件，沒有寄出通知"
        if not self.messages:
            return f"{self.events} 個新事件都不在訂閱的條件內，沒有寄出通知"
        return f"{self.events} 個新事件已寫成 {self.messages} 則訊息，正在寄送"


def notify_price_events(*, wait_for_decisions: bool = False, now: datetime | None = None) -> Notified:
    """Write the digests of all events that were not notified yet, for every subscription to them.

    With `wait_for_decisions`, events of held prices stay unclaimed while a user still decides others. Of two calls at
    once each claims what the other does not; neither waits for the other. Without a subscription events stay unclaimed
    until they are DIGEST_MAX_AGE_HOURS old.
    """
    now = now or timezone.now()
    values: dict[str, Any] = {"now": now, "oldest": now - timedelta(hours=thresholds.DIGEST_MAX_AGE_HOURS)}
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(EXPIRE, values | {"limit": EXPIRE_AT_ONCE})
        subscriptions = subscriptions_of(DIGEST_EVENT)
        if not subscriptions:
            return Notified()
        claimed = _claim(values, wait_for_decisions=wait_for_decisions)
        if not claimed:
            return Notified(subscriptions=len(subscriptions))
        key = f"{DIGEST_EVENT}:{min(claimed)}-{max(claimed)}"
        news = all_news(claimed.values())
        written, selected = _write(news, subscriptions, key=key, now=now)
        _mark_silent(claimed, news, selected)
        return Notified(len(claimed), written, len(subscriptions))


# A product's code, and whether it is about its stock: the parts of its news that are selected separately.
_Side = tuple[str, bool]


def _claim(values: dict[str, Any], *, wait_for_decisions: bool) -> dict[int, News]:
    """Claim events; returns them by their key, in the order of the keys."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK_RUNS, values)
        runs = [pk for (pk,) in cursor.fetchall()]
        if not runs:
            return {}
        waiting: list[int] = []
        if wait_for_decisions:
            cursor.execute(DECIDED_EVENTS, values)
            waiting = _being_decided(cursor.fetchall(), values["now"])
        cursor.execute(CLAIM, values | {"runs": runs, "waiting": waiting})
        return {pk: event_news(*row) for pk, *row in cursor.fetchall()}


def _being_decided(rows: Sequence[tuple[int, datetime]], now: datetime) -> list[int]:
    """Products of a series of decisions that is not over yet; none if it is over."""
    times = [at for _, at in rows]
    over = not times or now - max(times) >= timedelta(seconds=DECIDING)
    if over or now - min(times) >= timedelta(seconds=DECIDING_AT_MOST):
        return []
    return sorted({pk for pk, _ in rows})


def _write(
    news: Sequence[News], subscriptions: Sequence[Subscription], *, key: str, now: datetime
) -> tuple[int, set[_Side]]:
    """One digest for each selection, however many share it. Returns the messages written, and the sides in them."""
    readers: dict[Selection, list[Subscription]] = defaultdict(list)
    for subscription in subscriptions:
        readers[Selection.of(subscription.filters)].append(subscription)
    written = 0
    selected: set[_Side] = set()
    for selection, those in readers.items():
        chosen = [one for one in news if selection.matches(one)]
        if chosen:
            selected.update(map(_side, chosen))
            digest = Digest(chosen, now)
            written += deliver(
                DIGEST_EVENT, key=key, variables=digest.variables(), files=digest_files(digest), to=those, at=now
            )
    return written, selected


def _mark_silent(claimed: Mapping[int, News], news: Sequence[News], selected: Collection[_Side]) -> None:
    """Mark the events that are in no message, one statement for all.

    An event belongs to its product's news of its side, stock or all else; if that side amounts to nothing, to the
    other side. If both do, the product is as it was before.
    """
    sides = set(map(_side, news))
    ids, whys = [], []
    for pk, event in claimed.items():
        code, is_stock = _side(event)
        found = [side for side in ((code, is_stock), (code, not is_stock)) if side in sides]
        if not found or found[0] not in selected:
            ids.append(pk)
            whys.append((PriceEvent.Silence.UNWANTED if found else PriceEvent.Silence.UNDONE).value)
    if ids:
        with connection.cursor() as cursor:
            cursor.execute(MARK_SILENT, {"ids": ids, "whys": whys})


def _side(news: News) -> _Side:
    return news.goods.product_id, news.kind in STOCK


def notify_alerts(*, now: datetime | None = None) -> int:
    """Write the messages of alerts that were not notified yet, or are due to be again. Returns how many alerts.

    Without a subscription alerts wait for one; those older than DIGEST_MAX_AGE_HOURS are no news any more. An
    alert that is still open is notified again every CRAWL_REMIND_DAYS days.
    """
    now = now or timezone.now()
    with transaction.atomic():
        to = subscriptions_of(SUSPECT_EVENT)
        if not to:
            return 0
        return _notify_new_alerts(to, now) + _remind(to, now)


def _notify_new_alerts(to: Sequence[Subscription], now: datetime) -> int:
    waiting = Alert.objects.filter(sent_at=None).select_for_update(skip_locked=True)
    alerts = list(waiting.order_by("pk"))
    old = now - timedelta(hours=thresholds.DIGEST_MAX_AGE_HOURS)
    names = category_names(alerts)
    for alert in alerts:
        if alert.created_at >= old:
            variables = alert_variables(alert, names)
            deliver(SUSPECT_EVENT, key=f"alert:{alert.pk}", variables=variables, to=to, at=now)
    Alert.objects.filter(pk__in=[alert.pk for alert in alerts]).update(sent_at=now)
    return len(alerts)


def _remind(to: Sequence[Subscription], now: datetime) -> int:
    if not thresholds.CRAWL_REMIND_DAYS:
        return 0
    due = now - timedelta(days=thresholds.CRAWL_REMIND_DAYS)
    waiting = Alert.objects.annotate(last=Coalesce("reminded_at", "sent_at")).filter(resolved_at=None, last__lte=due)
    alerts = list(waiting.select_for_update(skip_locked=True).order_by("pk"))
    names = category_names(alerts)
    for alert in alerts:
        alert.reminders, alert.reminded_at = alert.reminders + 1, now
        key = f"alert:{alert.pk}:reminder:{alert.reminders}"
        deliver(SUSPECT_EVENT, key=key, variables=reminder_variables(alert, names), to=to, at=now)
        alert.save(update_fields=["reminders", "reminded_at"])
    return len(alerts)


def notify_pending() -> Notified:
    """Notify of alerts and watched prices, and of events except those of an unfinished series of decisions.

    For the task and the sweep. A fault in one does not keep the others from subscribers.
    """
    try:
        return notify_price_events(wait_for_decisions=True)
    finally:
        try:
            notify_alerts()
        finally:
            notify_watches()


def notify_soon(*, seconds: float = 0) -> None:
    """Start the notify task after the commit and `seconds`. If the broker is down, the periodic sweep notifies."""
    start_task_on_commit(NOTIFY_TASK, **({"countdown": seconds} if seconds else {}))
