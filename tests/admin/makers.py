"""Rows for admin pages, many at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from auditlog.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from accounts.models import ApiToken, LoginAttempt, User
from products.models import (
    Alert,
    Category,
    CategoryResult,
    CrawlError,
    CrawlRun,
    CrawlShard,
    PriceEvent,
    PriceSpan,
    Product,
    ProductSearch,
    QuarantinedPrice,
)


def category(code: str = "1100100001", **values: Any) -> Category:
    return Category.objects.get_or_create(code=code, defaults={"name": f"分類{code[-3:]}", **values})[0]


def run(**values: Any) -> CrawlRun:
    now = timezone.now()
    values = {"status": "applied", "verdict": "ok", "trigger": "schedule", "finished_at": now} | values
    return CrawlRun.objects.create(started_at=now - timedelta(minutes=3), heartbeat_at=now, **values)


def _product(number: int, **values: Any) -> Product:
    now = timezone.now()
    values = {"price": 900, "list_price": 1500, "previous_price": 1000, "price_changed_at": now} | values
    return Product(
        product_id=f"{10_000_000 + number}",
        name=values.pop("name", f"保濕精華液 {number}"),
        brand=values.pop("brand", "山田"),
        category=values.pop("category", None) or category(),
        url=f"https://www.momoshop.com.tw/product/{10_000_000 + number}",
        first_seen_at=now - timedelta(days=9),
        last_seen_at=now,
        **values,
    )


def _save(made: list[Product]) -> list[Product]:
    Product.objects.bulk_create(made)
    found = []
    for one in made:
        text = f"{one.name} {one.brand} {one.product_id}".lower()
        grams = sorted({text[i : i + size] for size in (1, 2) for i in range(len(text) - size + 1)})
        found.append(ProductSearch(product=one, haystack=text, grams=grams))
    ProductSearch.objects.bulk_create(found)
    return made


def product(number: int = 1, **values: Any) -> Product:
    return _save([_product(number, **values)])[0]


def products(number: int) -> list[Product]:
    start = Product.objects.count()
    categories = [category(f"11001000{n:02}") for n in range(10)]
    return _save([_product(start + n, category=categories[n % 10]) for n in range(number)])


def categories(number: int) -> None:
    start = Category.objects.count()
    made = Category.objects.bulk_create(
        Category(code=f"12{n:08}", name=f"分類 {n}") for n in range(start, start + number)
    )
    _save([_product(50_000 + n, category=one) for n, one in enumerate(made)])


def runs(number: int) -> None:
    people_of = users(number)
    for n in range(number):
        run(requested_by=people_of[n])


def events(number: int) -> None:
    walk = run()
    PriceEvent.objects.bulk_create(
        PriceEvent(product=one, run=walk, kind="decrease", old_price=1000, new_price=900, created_at=timezone.now())
        for one in products(number)
    )


def held(number: int) -> list[QuarantinedPrice]:
    walk = run()
    return QuarantinedPrice.objects.bulk_create(
        QuarantinedPrice(
            code=one.product_id,
            name=one.name,
            product=one,
            price=90,
            known_price=one.price,
            list_price=1500,
            reason="jump",
            run=walk,
            observed_at=timezone.now(),
        )
        for one in products(number)
    )


def alerts(number: int) -> None:
    for _ in range(number):
        Alert.objects.create(kind="crawl_suspect", run=run(), message="少了很多商品", created_at=timezone.now())


def users(number: int) -> list[User]:
    start = User.objects.count()
    return User.objects.bulk_create(
        User(username=f"person{start + n}", display_name=f"同事{start + n}", password="!") for n in range(number)
    )


def tokens(number: int) -> None:
    start = ApiToken.objects.count()
    ApiToken.objects.bulk_create(
        ApiToken(user=one, created_by=one, name="匯出", prefix="momo_abc", digest=f"{start + n:064}")
        for n, one in enumerate(users(number))
    )


def logins(number: int) -> None:
    LoginAttempt.objects.bulk_create(
        LoginAttempt(username=one.username, user=one, address="203.0.113.7", success=False, reason="wrong_password")
        for one in users(number)
    )


def trail(number: int) -> None:
    kind = ContentType.objects.get_for_model(ApiToken)
    for one in users(number):
        LogEntry.objects.create(
            content_type=kind,
            object_pk="1",
            object_id=1,
            object_repr="匯出",
            action=LogEntry.Action.CREATE,
            actor=one,
            changes={"user": ["None", str(one.pk)], "revoked_at": ["None", "2026-03-02 06:00:00"]},
        )


def tasks(number: int) -> None:
    start = PeriodicTask.objects.count()
    every = IntervalSchedule.objects.bulk_create(
        IntervalSchedule(every=n + 100, period="minutes") for n in range(start, start + number)
    )
    PeriodicTask.objects.bulk_create(
        PeriodicTask(name=f"工作 {one.every}", task="products.start_crawl", interval=one) for one in every
    )


def full_run() -> CrawlRun:
    """A suspect run with everything that its page shows."""
    walk = run(verdict="suspect", message="有分類可疑", new=3, decreased=4, error_count=1)
    CrawlShard.objects.create(
        run=walk, number=1, category_codes=["1100100001"], status="done", pages=4, pages_expected=4
    )
    CategoryResult.objects.create(run=walk, category=category("1100100001"), outcome="complete", seen=9)
    CategoryResult.objects.create(
        run=walk,
        category=category("1100100002"),
        outcome="partial",
        seen=5,
        missing=40,
        suspect=True,
        message="少了 40 件",
    )
    CrawlError.objects.create(run=walk, kind="price", message="價格讀不出來", value="<b>abc</b>")
    Alert.objects.create(kind="crawl_suspect", run=walk, message="分類002 少了 40 件", created_at=timezone.now())
    return walk


def spans(of: Product, prices: list[int]) -> None:
    begun = timezone.now() - timedelta(days=len(prices))
    for number, price in enumerate(prices):
        start = begun + timedelta(days=number)
        last = number == len(prices) - 1
        PriceSpan.objects.create(
            product=of, price=price, observed_at=start, last_seen_at=None if last else start + timedelta(hours=22)
        )
