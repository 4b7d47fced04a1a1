"""A person's decision about a price that was held."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import User
from products.models import CrawlRun, PriceEvent, PriceSpan, Product, QuarantinedPrice
from products.selectors.counts import forget_counts
from products.services.tell import DECIDING, tell_soon


class AlreadyDecided(ValueError):
    """The price was decided before, by a person or by a later run."""


def _decide(held: QuarantinedPrice, status: QuarantinedPrice.Status, user: User | None) -> None:
    # A run that is just being applied has already read what is held: it holds this lock to its end, and we wait for it.
    # Otherwise both would move the price, and the change would be told twice.
    list(CrawlRun.objects.select_for_update().filter(status=CrawlRun.Status.RUNNING).values_list("pk"))
    changed = QuarantinedPrice.objects.filter(pk=held.pk, status=QuarantinedPrice.Status.HELD).update(
        status=status, decided_at=timezone.now(), decided_by=user
    )
    if not changed:
        raise AlreadyDecided(f"{held.code} 的價格 {held.price} 已經處理過了")
    held.refresh_from_db()


def accept_price(*, held: QuarantinedPrice, user: User | None) -> None:
    """Believe a held price: it takes effect as of when it was seen, with its event. Raises AlreadyDecided.

    The first price of goods that are no product yet takes effect with the next run that sees it.
    """
    with transaction.atomic():
        _decide(held, QuarantinedPrice.Status.ACCEPTED, user)
        product = Product.objects.select_for_update().filter(product_id=held.code).first()
        if product is None or product.price == held.price:
            return
        old_price = product.price
        PriceSpan.objects.filter(product=product, last_seen_at=None).update(last_seen_at=held.observed_at)
        # A product that is gone has no open span: it was last seen at this price.
        gone = product.status == Product.Status.DELISTED
        PriceSpan.objects.create(
            product=product,
            price=held.price,
            observed_at=held.observed_at,
            last_seen_at=max(product.last_seen_at, held.observed_at) if gone else None,
        )
        Product.objects.filter(pk=product.pk).update(
            previous_price=F("price"),
            price=held.price,
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
        transaction.on_commit(forget_counts)
        tell_soon(seconds=DECIDING)


def reject_price(*, held: QuarantinedPrice, user: User | None) -> None:
    """Refuse a held price, now and whenever this product shows it again. Raises AlreadyDecided."""
    with transaction.atomic():
        _decide(held, QuarantinedPrice.Status.REJECTED, user)
