"""The watch list of a user, and what a notification says of prices that crossed a condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from accounts.models import User
from momo.core.errors import NotFound
from momo.core.formats import change_percent
from momo.core.texts import clean_text
from products.models import Product, Watch

MAX_ITEMS = 30  # of a message
MAX_NAME = 200  # characters


@dataclass(frozen=True)
class Crossing:
    """A condition, and the prices between which it was crossed."""

    watch: Watch
    old_price: int | None
    new_price: int


def watches_of(user: Any) -> QuerySet[Watch]:
    """The user's conditions with their products, the newest first."""
    return Watch.objects.filter(user=user.pk).select_related("product__category").order_by("-pk")


def watch_of(user: Any, watch_id: int) -> Watch:
    """One of the user's conditions. Raises NotFound, also for somebody else's."""
    found = watches_of(user).filter(pk=watch_id).first() if watch_id < 2**63 else None
    if found is None:
        raise NotFound("關注清單裡沒有這一筆")
    return found


def conditions_on(user: Any, product: Product) -> list[str]:
    """The user's conditions on a product that are on, in words."""
    active = Watch.objects.filter(user=user.pk, product=product, active=True).order_by("kind")
    return [watch.condition for watch in active]


def products_by_ids(ids: Sequence[int]) -> list[Product]:
    """The products with these keys, in the order of their names."""
    return list(Product.objects.filter(pk__in=ids).order_by("name", "pk"))


def is_met(watch: Watch) -> bool | None:
    """Whether the present price is beyond an absolute condition; None for conditions on changes."""
    return watch.product.price <= watch.value if watch.kind == Watch.Kind.ABSOLUTE else None


def watcher_choices() -> list[tuple[str, str]]:
    """Active users, as (name, displayed name)."""
    users = User.objects.filter(is_active=True).order_by("username")
    return [(user.username, f"{user}（{user.username}）") for user in users]


def alert_variables(user: User, crossings: Sequence[Crossing]) -> dict[str, Any]:
    """Variables of the template `price_watch`: at most MAX_ITEMS products, the largest changes first."""
    ordered = sorted(crossings, key=lambda one: (-abs(_percent(one) or 0), one.watch.pk))
    return {
        "watcher": str(user),
        "total": len(crossings),
        "items": [_item(one) for one in ordered[:MAX_ITEMS]],
        "more": max(0, len(crossings) - MAX_ITEMS),
        "url": f"{settings.PUBLIC_URL}/admin/products/watch/",
    }


def recent_crossings(limit: int) -> Sequence[Mapping[str, Any]]:
    """What the notification of each of the last `limit` crossings says, the newest first; in one query.

    For previews of the template: the price before is no longer known.
    """
    watches = Watch.objects.filter(notified_at__isnull=False).select_related("product", "user")
    return [
        {
            "label": f"{watch.product.product_id} {watch.condition}",
            "variables": alert_variables(watch.user, [Crossing(watch, None, watch.notified_price or 0)]),
        }
        for watch in watches.order_by("-notified_at", "-pk")[:limit]
    ]


def _percent(crossing: Crossing) -> float | None:
    return change_percent(crossing.old_price, crossing.new_price)


def _item(crossing: Crossing) -> dict[str, Any]:
    product = crossing.watch.product
    name = product.name[:MAX_NAME]
    values = {
        "code": product.product_id,
        # A link needs a text: a name without any visible character is replaced.
        "name": name if clean_text(name).strip() else product.product_id,
        "condition": crossing.watch.condition,
        "old_price": crossing.old_price,
        "new_price": crossing.new_price,
        "percent": _percent(crossing),
        "url": f"{settings.PUBLIC_URL}/admin/products/product/{product.pk}/change/",
    }
    return {name: value for name, value in values.items() if value is not None}
