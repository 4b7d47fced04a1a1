"""Rows for admin pages, many at once."""

from __future__ import annotations

import io
import uuid
from datetime import date, timedelta
from decimal import Decimal
from itertools import cycle
from typing import Any

from auditlog.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from accounts.models import ApiToken, LoginAttempt, User
from ai.models import Phrase, TrendCategory, TrendList
from momo.jobs.models import ColumnAlias, Job, JobError
from momo.jobs.services import create_job, run_job
from momo.saved_views.models import SavedView
from momo.system.models import Cleanup, Rollout, Setting
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
    Watch,
)
from sales.models import Alarm, Campaign, DayClaim, DayNote, DayOwner, DayTotal, SalesLine, Target
from tests.kit.workbooks import xlsx


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


def events(number: int) -> list[PriceEvent]:
    walk = run()
    return PriceEvent.objects.bulk_create(
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


def watches(number: int) -> list[Watch]:
    """Conditions of each admin on as many products."""
    made = products(number)
    return Watch.objects.bulk_create(
        Watch(user=user, product=one, kind="absolute", value=950, seen_price=one.price, base_price=one.price)
        for user in User.objects.filter(role="admin")
        for one in made
    )


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


def saved_views(number: int) -> None:
    SavedView.objects.bulk_create(
        SavedView(user=one, model="jobs.job", name="失敗的匯入", query="status__exact=failed", shared=True)
        for one in users(number)
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


def cleanups(number: int) -> None:
    """Of which the last one is still at work."""
    now = timezone.now()
    lines = [
        {"name": name, "table": table, "rows": 1204, "bytes": 154_112, "left_rows": left, "left_bytes": 0, "over": True}
        for name, table, left in (("登入紀錄", "accounts.LoginAttempt", 3), ("匯入的檔案", "jobs.Job.file", 0))
    ]
    lines[0]["problem"] = "仍在使用，下次再刪"
    for one in users(number):
        Cleanup.objects.update(status="done", message="刪除 2,405 筆", finished_at=now)
        Cleanup.objects.create(trigger="admin", requested_by=one, started_at=now, report=lines)


def rollouts(number: int) -> None:
    values = {"namespace": "momo", "deployment": "momo-app", "started_at": timezone.now()}
    for one in users(number):
        Rollout.objects.update(status="done", message="3 個 pod，3 個已更新，3 個可用", finished_at=timezone.now())
        Rollout.objects.create(**values, requested_by=one)


def tasks(number: int) -> None:
    start = PeriodicTask.objects.count()
    every = IntervalSchedule.objects.bulk_create(
        IntervalSchedule(every=n + 100, period="minutes") for n in range(start, start + number)
    )
    PeriodicTask.objects.bulk_create(
        PeriodicTask(name=f"工作 {one.every}", task="products.start_crawl", interval=one) for one in every
    )


def settings(number: int) -> None:
    """Settings that are not used any more, beside those that are."""
    Setting.objects.bulk_create(Setting(name=f"GONE_{n}", value=n) for n in range(number))


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


HEADERS = ("訂單日期", "品號", "品名", "品牌", "分類", "PM", "數量", "業績", "成本")


def sold(day: str, code: str = "12345678", quantity: Any = 1, amount: Any = 990, **values: Any) -> tuple[Any, ...]:
    """A row of a report."""
    given = {"name": "玻尿酸精華液", "brand": "水潤", "category": "美妝", "pm": "王小明", "cost": 600} | values
    return (day, code, given["name"], given["brand"], given["category"], given["pm"], quantity, amount, given["cost"])


def workbook(*rows: tuple[Any, ...], headers: tuple[str, ...] = HEADERS) -> bytes:
    """A report of daily sales as the seller sends it."""
    return xlsx((headers, *rows))


def waiting(content: bytes, *, name: str = "每日銷售.xlsx", user: User | None = None, **values: Any) -> Job:
    """An import that has not started."""
    return create_job(
        job_type="daily_sales",
        source=Job.Source.UPLOAD,
        file_name=name,
        content=io.BytesIO(content),
        user=user,
        dispatch=False,
        **values,
    )


def ended(job: Job) -> Job:
    """As a worker leaves it."""
    done = run_job(job.pk)
    assert done is not None
    return done


def brought(*rows: tuple[Any, ...], **values: Any) -> Job:
    """An import of these rows, as it ended."""
    return ended(waiting(workbook(*rows), **values))


def jobs(number: int) -> list[Job]:
    """Half of them running, each of another user."""
    now = timezone.now()
    made = Job.objects.bulk_create(
        Job(
            token=uuid.uuid4(),
            job_type="daily_sales",
            source="upload",
            file_name=f"每日銷售{n}.xlsx",
            created_by=one,
            status="running" if n % 2 else "failed",
            error_count=n % 3,
            total_rows=1000,
            started_at=now,
            heartbeat_at=now,
        )
        for n, one in enumerate(users(number))
    )
    JobError.objects.bulk_create(
        JobError(job=job, row=2, column="數量", value="三", message="不是整數") for job in made
    )
    return made


def aliases(number: int) -> None:
    start = ColumnAlias.objects.count()
    ColumnAlias.objects.bulk_create(
        ColumnAlias(job_type="daily_sales", field="amount", alias=f"金額{n}") for n in range(start, start + number)
    )


def sales_alarms(number: int) -> list[Alarm]:
    """One of each kind in turn, of a day each."""
    first = date(2024, 1, 1) + timedelta(days=Alarm.objects.count())
    return Alarm.objects.bulk_create(
        Alarm(
            kind=kind,
            date=first + timedelta(days=n),
            dimension=Alarm.Dimension.PRODUCT,
            key=f"{10_000_000 + n}",
            name=f"保濕精華液 {n}",
            value=Decimal(12),
            expected=Decimal(30),
        )
        for n, kind in zip(range(number), cycle(Alarm.Kind.values), strict=False)
    )


def sales_days(number: int) -> list[DayClaim]:
    """Each day of an import of its own, with its lines and total."""
    first = date(2024, 1, 1) + timedelta(days=DayOwner.objects.count())
    figures = {
        "lines": 2,
        "quantity": 3,
        "amount": Decimal("990.50"),
        "cost": Decimal(600),
        "gross_profit": Decimal(90),
    }
    claims = DayClaim.objects.bulk_create(
        DayClaim(job=job, lines_job=job, source="daily_sales", date=first + timedelta(days=n), digest=f"{n}", **figures)
        for n, job in enumerate(jobs(number))
    )
    DayOwner.objects.bulk_create(DayOwner(source=one.source, date=one.date, claim=one) for one in claims)
    keys = (("all", ""), ("brand", "水潤"), ("pm", "王小明"), ("category", "美妝"))
    DayTotal.objects.bulk_create(
        DayTotal(date=one.date, dimension=dimension, key=key, **figures) for one in claims for dimension, key in keys
    )
    SalesLine.objects.bulk_create(
        SalesLine(
            job_id=one.job_id,
            date=one.date,
            row=row,
            product_code="12345678",
            product_name="玻尿酸精華液",
            brand="水潤",
            category="美妝",
            pm="王小明",
            quantity=1,
            amount=Decimal(495),
        )
        for one in claims
        for row in (2, 3)
    )
    return claims


def targets(number: int) -> None:
    start = Target.objects.count()
    month = timezone.localdate().replace(day=1)
    Target.objects.bulk_create(
        Target(month=month, dimension="pm", key=f"同事{start + n}", amount=Decimal(100_000 + n)) for n in range(number)
    )


def campaigns(number: int) -> list[Campaign]:
    first = date(2026, 1, 28) + timedelta(days=Campaign.objects.count())
    made = [
        Campaign(name=f"檔期{n}", first=first + timedelta(days=n), last=first + timedelta(days=n + 2), warm_up_days=2)
        for n in range(number)
    ]
    return Campaign.objects.bulk_create(made)


def notes(number: int) -> None:
    first = date(2026, 1, 28) + timedelta(days=DayNote.objects.count())
    DayNote.objects.bulk_create(
        DayNote(date=first + timedelta(days=n), text="直播加碼", author=one) for n, one in enumerate(users(number))
    )


def phrases(number: int) -> list[Phrase]:
    start = Phrase.objects.count()
    made = [Phrase(text=f"詞句{start + n}", category="醫療效能", reason="不得宣稱") for n in range(number)]
    return Phrase.objects.bulk_create(made)


def trend_lists(number: int) -> None:
    """Lists of trends, and their categories."""
    trends = [TrendCategory(source="mybest", key=f"9{one:05}", category=f"分類{one}") for one in range(number)]
    TrendList.objects.bulk_create(
        TrendList(trend=trend, items=[{"rank": 1, "name": "甲"}], fetched_at=timezone.now())
        for trend in TrendCategory.objects.bulk_create(trends)
    )
