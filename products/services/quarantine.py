"""Decisions of users about held prices."""

from __future__ import annotations

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import User
from momo.core.errors import Conflict
from products.models import CrawlRun, PriceEvent, Product, QuarantinedPrice
from products.selectors.counts import forget_counts
from products.services.notify import DECIDING, notify_soon
from products.services.runs import count_decided
from products.services.statements import OPEN_SPANS

OPEN_DECIDED_SPAN = OPEN_SPANS.format(
    source="SELECT %(product)s::bigint, %(price)s::integer, %(begun)s::timestamptz, NULL::timestamptz, %(unbroken)s"
)


class AlreadyDecided(Conflict):
    """The price was decided before, by a user or by a later run."""


def _decide(held: QuarantinedPrice, status: QuarantinedPrice.Status, user: User | None) -> None:
    # A run that is being applied right now has already read the held prices, and keeps this lock to its end. Without
    # waiting for it, both would move the price, and the change would be notified twice.
    list(CrawlRun.objects.select_for_update().filter(status=CrawlRun.Status.RUNNING).values_list("pk"))
    changed = QuarantinedPrice.objects.filter(pk=held.pk, status=QuarantinedPrice.Status.HELD).update(
        status=status, decided_at=timezone.now(), decided_by=user
    )
    if not changed:
        raise AlreadyDecided(f"{held.code} 的價格 {held.price} 已經處理過了")
    held.refresh_from_db()
    transaction.on_commit(forget_counts)


def accept_price(*, held: QuarantinedPrice, user: User | None) -> None:
    """Accept a held price: it takes effect from when it was seen, with its event. Raises AlreadyDecided.

    The first price of a product that does not exist yet takes effect with the next run that sees it.
    """
    with transaction.atomic():
        _decide(held, QuarantinedPrice.Status.ACCEPTED, user)
        product = Product.objects.select_for_update().filter(product_id=held.code).first()
        if product is None or product.price == held.price:
            return
        old_price = product.price
        # The same rule as for a price that a run confirms. Something else was seen since: the price is known for the
        # moment of its sight only.
        unbroken = not held.interrupted
        with connection.cursor() as cursor:
            cursor.execute(
                OPEN_DECIDED_SPAN,
                {"product": product.pk, "price": held.price, "begun": held.observed_at, "unbroken": unbroken},
            )
        Product.objects.filter(pk=product.pk).update(
            previous_price=F("price"),
            price=held.price,
            price_shown=unbroken,
            price_changed_at=held.observed_at,
            lowest_price_until=None,
        )
        kind = PriceEvent.Kind.INCREASE if held.price > old_price else PriceEvent.Kind.DECREASE
        PriceEvent.objects.get_or_create(
            product=product,
            run_id=held.run_id,
            kind=kind,
            defaults={"old_price": old_price, "new_price": held.price, "created_at": timezone.now()},
        )
        count_decided(run_id=held.run_id, kind=kind)
        notify_soon(seconds=DECIDING)


def reject_price(*, held: QuarantinedPrice, user: User | None) -> None:
    """Refuse a held price, now and whenever this product shows it again. Raises AlreadyDecided."""
    with transaction.atomic():
        _decide(held, QuarantinedPrice.Status.REJECTED, user)
