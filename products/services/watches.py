"""The watch list: conditions that users set, and the notification of each price that crosses one, exactly once.

A price is judged where it is believed: a run or a decision changes the product's price, and the next notification
compares it with the price that each watch was judged by. Judgement and messages commit together, so a process that is
killed has judged nothing; two at once skip each other's rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from momo.core.errors import Conflict, ValidationFailed
from notifications.models import Subscription
from notifications.services.notify import deliver, lets_through, subscriptions_of
from products.events import WATCH_EVENT
from products.models import Product, Watch
from products.selectors.watches import Crossing, alert_variables, watch_of

MAX_WATCHES = 500  # of one user
# Lowest and highest value of each kind.
BOUNDS = {Watch.Kind.ABSOLUTE: (1, 10_000_000), Watch.Kind.PERCENT: (1, 500), Watch.Kind.LOWEST: (2, 365)}
UNITS = {Watch.Kind.ABSOLUTE: "元", Watch.Kind.PERCENT: "%", Watch.Kind.LOWEST: "天"}
JUDGED_AT_ONCE = 5_000

# `fell` is when the present price began. It is a new low if every other price that was seen in the days before it is
# higher; without any there is nothing to compare with. Spans before the present one are closed.
JUDGE = """
WITH moved AS MATERIALIZED (
    SELECT w.id, CASE w.kind WHEN 'percent' THEN w.base_price ELSE w.seen_price END AS old_price, p.price AS new_price,
           CASE w.kind
               WHEN 'absolute' THEN p.price <= w.value AND w.seen_price > w.value
               WHEN 'percent' THEN abs(p.price - w.base_price)::bigint * 100 >= w.base_price::bigint * w.value
               ELSE p.price < (
                   SELECT min(span.price) FROM products_pricespan span
                   WHERE span.product_id = p.id AND span.observed_at < p.price_changed_at
                     AND span.last_seen_at >= p.price_changed_at - w.value * interval '1 day')
           END IS TRUE AS crossed
    FROM products_watch w
    JOIN products_product p ON p.id = w.product_id
    JOIN accounts_user u ON u.id = w.user_id AND u.is_active
    WHERE w.active AND p.price <> w.seen_price
    ORDER BY w.id LIMIT %(limit)s
    FOR UPDATE OF w SKIP LOCKED
)
UPDATE products_watch w
SET seen_price = m.new_price,
    base_price = CASE WHEN m.crossed AND w.kind = 'percent' THEN m.new_price ELSE w.base_price END,
    notified_price = CASE WHEN m.crossed THEN m.new_price ELSE w.notified_price END,
    notified_at = CASE WHEN m.crossed THEN %(now)s ELSE w.notified_at END
FROM moved m
WHERE w.id = m.id
RETURNING w.id, m.old_price, m.crossed, m.new_price
"""


@dataclass(frozen=True)
class SetWatch:
    """A condition that was set, and whether the user had none of its kind on the product before."""

    watch: Watch
    is_new: bool


def check_threshold(*, kind: str, value: int) -> None:
    """Raise ValidationFailed for a value that its kind cannot have."""
    if kind not in Watch.Kind.values:
        raise ValidationFailed(fields={"kind": ["沒有這種條件"]})
    least, most = BOUNDS[Watch.Kind(kind)]
    if not least <= value <= most:
        unit = UNITS[Watch.Kind(kind)]
        raise ValidationFailed(fields={"value": [f"請輸入 {least:,} 到 {most:,} {unit}之間的整數"]})


def set_watch(*, user: User, product: Product, kind: str, value: int, active: bool = True) -> SetWatch:
    """Set the user's condition of this kind on a product; one that is there gets the new value.

    From now on the present price is what later ones are compared with. Raises ValidationFailed, and Conflict beyond
    MAX_WATCHES.
    """
    return set_watches(user=user, products=[product], kind=kind, value=value, active=active)[0]


@transaction.atomic
def set_watches(
    *, user: User, products: Sequence[Product], kind: str, value: int, active: bool = True
) -> list[SetWatch]:
    """`set_watch` for several products, all or none."""
    check_threshold(kind=kind, value=value)
    # One at a time for a user: two requests at once make one row, and never more than the bound.
    User.objects.select_for_update(no_key=True).only("pk").get(pk=user.pk)
    mine = Watch.objects.filter(user=user)
    known = {watch.product_id: watch for watch in mine.filter(kind=kind, product__in=products).select_for_update()}
    if mine.count() + len({product.pk for product in products} - known.keys()) > MAX_WATCHES:
        raise Conflict(f"關注清單最多 {MAX_WATCHES} 筆，請先移除不再需要的")
    done = []
    for product in products:
        watch = known.get(product.pk) or Watch(user=user, product=product, kind=kind)
        watch.value, watch.active = value, active
        watch.seen_price = watch.base_price = product.price
        is_new = watch.pk is None
        watch.save()
        done.append(SetWatch(watch, is_new))
    return done


@transaction.atomic
def switch_watches(*, user: User, ids: Iterable[int], active: bool) -> int:
    """Switch some of the user's conditions on or off. Returns how many changed; what is on again compares anew."""
    chosen = Watch.objects.filter(user=user, pk__in=list(ids)).exclude(active=active)
    changed = list(chosen.select_related("product").select_for_update(of=("self",)).order_by("pk"))
    for watch in changed:
        # Saved one by one, since the audit trail records saves.
        watch.active = active
        watch.seen_price = watch.base_price = watch.product.price
        watch.save(update_fields=["active", "seen_price", "base_price"])
    return len(changed)


def delete_watch(*, user: User, watch_id: int) -> None:
    """Delete one of the user's conditions. Raises NotFound."""
    watch_of(user, watch_id).delete()


def notify_watches(*, now: datetime | None = None) -> int:
    """Judge the prices that changed, and write the messages of those that crossed a condition. Returns how many did.

    The user gets a mail if an address is known; subscriptions get what they select. At most JUDGED_AT_ONCE conditions
    are judged; the sweep judges the remaining ones.
    """
    now = now or timezone.now()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(JUDGE, {"now": now, "limit": JUDGED_AT_ONCE})
            crossed = {pk: (old, new) for pk, old, is_crossed, new in cursor.fetchall() if is_crossed}
        if not crossed:
            return 0
        watches = Watch.objects.filter(pk__in=crossed).select_related("product", "user").order_by("user_id", "pk")
        of_users: dict[User, list[Crossing]] = defaultdict(list)
        for watch in watches:
            old, new = crossed[watch.pk]
            if watch.kind == Watch.Kind.PERCENT:
                watch.base_price = old  # what the condition compared with, for the words of the message
            of_users[watch.user].append(Crossing(watch, old, new))
        subscriptions = subscriptions_of(WATCH_EVENT)
        for user, crossings in of_users.items():
            _deliver(user, crossings, subscriptions, now)
    return len(crossed)


def _deliver(user: User, crossings: Sequence[Crossing], subscriptions: Sequence[Subscription], now: datetime) -> None:
    to = [one for one in subscriptions if lets_through(one, watchers=user.username)]
    addressed = {one.address.casefold() for one in to}
    own = [user.email] if user.email and user.email.casefold() not in addressed else []
    # A condition crosses once at a time, so its number and the time make the key unique.
    key = f"{WATCH_EVENT}:{crossings[0].watch.pk}:{now.timestamp():.6f}"
    deliver(WATCH_EVENT, key=key, variables=alert_variables(user, crossings), to=to, also=own, at=now)
