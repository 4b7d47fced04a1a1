"""Demo data of `make run`: prices of two weeks, one real crawl, subscriptions, two months of sales, targets, stockouts.

The past is stored and applied by `apply_run` like a crawl, without the walk over HTTP: the shop serves only today.
Reports are imported by the same engine as any other file.
"""

from __future__ import annotations

import random
from calendar import monthrange
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import transaction
from django.utils import timezone

from momo.jobs.models import Job
from momo.jobs.services import create_job, run_job
from momo.local.services import DEMO_PAST_DAYS, DEMO_SIZE
from momo.local.shop import Catalogue, Product, State
from momo.local.shop.pages import image_path
from momo.sheets.write import Column, as_records, xlsx_file
from notifications.events import event_kinds
from notifications.models import Channel, Subscription
from products.models import Category, CategoryResult, CrawlRun, CrawlShard
from products.models import Product as KnownProduct
from products.services.apply import apply_run
from products.services.observations import ObservationRow, copy_observations
from products.services.runs import start_run
from sales.models import DayOwner, Target
from sales.selectors.lines import sums_by_key
from sales.services.campaigns import save_campaign
from sales.services.targets import save_target
from vendors.models import StockoutBatch, Vendor, VendorAddress

ADDRESS = "demo@example.com"
EVENTS = ("price_digest", "crawl_suspect", "import_finished", "import_failed")

SALES_DAYS = 60
SALES_FILES = 2  # over which the days are spread
SALES_LINES = (90, 160)  # a day
CAMPAIGN, CAMPAIGN_DAYS = "會員感謝祭", (12, 8)  # from and to, so many days ago
PMS = ("王小美", "陳志明", "林怡君", "張家豪")
AIMS = (1.12, 0.95, 1.06, 0.9)  # the target of each PM, as a multiple of what the PM sells
VENDORS = (("V0123", "永昌貿易"), ("V0456", "日盛國際"), ("V0789", "康達生活"), ("V0911", "春風企業"))
SALES_COLUMNS = (
    Column("日期", "date"),
    *map(Column, ("品號", "品名", "品牌", "館別", "負責PM", "廠商代號", "廠商名稱")),
    *(Column(heading, "integer") for heading in ("數量", "業績", "成本")),
)


STOCKOUT_ROWS = 40
SILENT_VENDOR = ("V0999", "新禾企業")  # without an address
STOCKOUT_COLUMNS = (
    *map(Column, ("部門", "科別/處別", "PM 姓名", "品號", "品名", "廠商代號", "廠商名稱")),
    *(Column(heading, "integer") for heading in ("月銷量", "目前庫存")),
)


def load_past(say: Callable[[str], None]) -> None:
    """Fill an empty database with categories and DEMO_PAST_DAYS days of prices, unless it has categories already."""
    if Category.objects.exists():
        return
    say("示範資料：分類與過去兩週的價格")
    catalogue = Catalogue(size=DEMO_SIZE)
    load_categories(catalogue)
    now = timezone.localtime().replace(hour=14, minute=0, second=0, microsecond=0)
    for day in range(DEMO_PAST_DAYS):
        load_day(catalogue, day, at=now - timedelta(days=DEMO_PAST_DAYS - day))


def load_categories(catalogue: Catalogue) -> None:
    """Store the categories of the shop."""
    Category.objects.bulk_create(
        Category(code=row.code, level=int(row.level), name=row.name, path=row.path) for row in catalogue.categories
    )


def load_day(catalogue: Catalogue, day: int, *, at: datetime) -> None:
    """Store and apply what a crawl at `at` would have seen on the shop's day `day`."""
    run = start_run(trigger=CrawlRun.Trigger.COMMAND, dispatch=False, at=at).run
    shard = run.shards.earliest("pk")
    rows: list[ObservationRow] = []
    results = []
    for category in Category.objects.filter(enabled=True):
        listed = catalogue.listed(category.code, day)
        rows += [_row(product, day, shard, category.pk, at) for product in listed]
        size = len(listed)
        results.append(
            CategoryResult(run=run, category=category, outcome="complete", pages=1, max_page=1, total=size, seen=size)
        )
    on_sale = KnownProduct.objects.exclude(status=KnownProduct.Status.DELISTED)
    unlisted = on_sale.exclude(product_id__in={row.code for row in rows}).values_list("product_id", "category_id")
    rows += [_row(catalogue.product(code, day), day, shard, category_id, at) for code, category_id in unlisted]
    with transaction.atomic():
        copy_observations(rows)
        CategoryResult.objects.bulk_create(results)
        run.shards.update(status=CrawlShard.Status.DONE, pages=1, pages_expected=1, heartbeat_at=at)
    apply_run(run.pk, now=at)


def _row(product: Product, day: int, shard: CrawlShard, category_id: int, at: datetime) -> ObservationRow:
    state = product.state(day)
    return ObservationRow(
        run_id=shard.run_id,
        shard_id=shard.pk,
        category_id=category_id,
        code=product.id,
        observed_at=at,
        name=product.name,
        brand=product.brand,
        url=f"{settings.MOMO_SHOP_URL}/product/{product.id}",
        image_url=f"{settings.MOMO_SHOP_URL}{image_path(product.id)}",
        price=product.price(day),
        list_price=product.list_price,
        in_stock=state is State.LISTED,
        absent=state is State.MISSING,
        source="page" if state is State.MISSING else "list",
    )


def crawl_once(say: Callable[[str], None]) -> None:
    """Run the first crawl over HTTP, in the foreground; the schedule starts the later ones."""
    if not Category.objects.filter(enabled=True).exists():
        say("還沒有分類：請在後台「分類」新增要監看的 momo 分類，或匯入分類表")
        return
    if CrawlRun.objects.filter(status=CrawlRun.Status.APPLIED, shards__requests__gt=0).exists():
        return
    say("第一次更新價格")
    try:
        call_command("crawl")
    except CommandError as error:
        say(f"這次價格更新沒有完成（{error}）；網站照常啟動，排程會再試")


def load_subscriptions(say: Callable[[str], None]) -> None:
    """Subscribe one address to the events of the first minutes, unless there are subscriptions already.

    Without a mail server its mails stay in the outbox as unsent, where the admin shows them.
    """
    if Subscription.objects.exists():
        return
    say(f"示範訂閱：{ADDRESS}（沒有郵件伺服器時，信件留在「訊息」，在後台看得到）")
    kinds = event_kinds()
    Subscription.objects.bulk_create(
        Subscription(name=f"示範：{kinds[code].label}", event=code, channel=Channel.EMAIL, address=ADDRESS)
        for code in EVENTS
    )


def load_sales(say: Callable[[str], None]) -> None:
    """Import reports of the last SALES_DAYS days, unless there are sales already, or no products to sell."""
    if DayOwner.objects.exists() or not KnownProduct.objects.exists():
        return
    say("示範資料：近兩個月的每日銷售")
    today = timezone.localdate()
    days = [today - timedelta(days=back) for back in range(SALES_DAYS, 0, -1)]
    for part in range(SALES_FILES):
        some = days[part * SALES_DAYS // SALES_FILES : (part + 1) * SALES_DAYS // SALES_FILES]
        with xlsx_file(
            sheet="每日銷售", columns=SALES_COLUMNS, records=as_records(SALES_COLUMNS, _sales(some))
        ) as file:
            job = create_job(
                job_type="daily_sales",
                source=Job.Source.COMMAND,
                file_name=f"每日銷售_{some[0]:%Y%m%d}-{some[-1]:%Y%m%d}.xlsx",
                content=file,
                user=None,
                dispatch=False,
            )
        run_job(job.pk)


def load_targets(say: Callable[[str], None]) -> None:
    """Store a campaign, and targets of yesterday's month and of this one, unless there are any, or no sales of PMS."""
    yesterday = timezone.localdate() - timedelta(days=1)
    sold = sums_by_key(first=yesterday - timedelta(days=SALES_DAYS - 1), last=yesterday, dimensions={"pm"})
    if Target.objects.exists() or not set(PMS) <= sold.get("pm", {}).keys():
        return
    say("示範資料：目標與檔期")
    first, last = (timezone.localdate() - timedelta(days=back) for back in CAMPAIGN_DAYS)
    save_campaign(name=CAMPAIGN, first=first, last=last, warm_up_days=0, note="會員全館 9 折")
    for month in sorted({day.replace(day=1) for day in (yesterday, timezone.localdate())}):
        days = monthrange(month.year, month.month)[1]
        aims = {
            pm: _rounded(sold["pm"][pm].amount * days * aim / SALES_DAYS) for pm, aim in zip(PMS, AIMS, strict=True)
        }
        for dimension, key, amount in (("all", "", sum(aims.values())), *(("pm", *aim) for aim in aims.items())):
            profit = amount * Decimal("0.3")
            save_target(month=month, dimension=dimension, key=key, amount=Decimal(amount), gross_profit=profit)


def _rounded(cents: float) -> int:
    """New Taiwan dollars, in ten thousands."""
    return round(cents / 1_000_000) * 10_000


def load_stockouts(say: Callable[[str], None]) -> None:
    """Store vendors with addresses and import one stockout report, unless there is one, or no products to be out of."""
    if StockoutBatch.objects.exists() or not KnownProduct.objects.exists():
        return
    say("示範資料：廠商與缺貨報表")
    for code, name in VENDORS:
        vendor, _ = Vendor.objects.get_or_create(code=code, defaults={"name": name, "contact": "業務窗口"})
        for kind, box in (("to", "sales"), ("cc", "lead")):
            email = f"{box}.{code.lower()}@example.com"
            VendorAddress.objects.get_or_create(vendor=vendor, mailbox=email, defaults={"email": email, "kind": kind})
    records = as_records(STOCKOUT_COLUMNS, _stockouts())
    with xlsx_file(sheet="廠商缺貨", columns=STOCKOUT_COLUMNS, records=records) as file:
        job = create_job(
            job_type="vendor_stockout",
            source=Job.Source.COMMAND,
            file_name=f"廠商缺貨_{timezone.localdate():%Y%m%d}.xlsx",
            content=file,
            user=None,
            dispatch=False,
        )
    run_job(job.pk)


def _stockouts() -> Iterator[tuple[Any, ...]]:
    """Rows of a report in the order of STOCKOUT_COLUMNS: products of the shop, and a vendor that nobody knows yet."""
    dice = random.Random(7)
    traders = (*VENDORS, SILENT_VENDOR)
    goods = KnownProduct.objects.order_by("id").values_list("product_id", "name", "category__name")
    for place, (code, name, category) in enumerate(goods[:STOCKOUT_ROWS]):
        people = (f"{category}部", "一科", PMS[place % len(PMS)])
        yield (*people, code, name, *traders[place % len(traders)], dice.randint(5, 900), dice.choice((0, 0, 0, 3, -2)))


def _sales(days: list[date]) -> Iterator[tuple[Any, ...]]:
    """Lines of a report in the order of SALES_COLUMNS: more at weekends and in the campaign, most of a few products."""
    fields = ("product_id", "name", "brand", "category__name", "price")
    today = timezone.localdate()
    goods = list(KnownProduct.objects.order_by("id").values_list(*fields))
    for day in days:
        dice = random.Random(day.toordinal())
        busy = 1.4 if day.weekday() >= 5 else 1.0
        busy *= 1.5 if CAMPAIGN_DAYS[1] <= (today - day).days <= CAMPAIGN_DAYS[0] else 1.0
        for _ in range(int(dice.randint(*SALES_LINES) * busy)):
            place = int(len(goods) * dice.random() ** 2)
            *known, price = goods[place]
            quantity = dice.choice((1, 1, 1, 2, 2, 3, 5)) * (-1 if dice.random() < 0.01 else 1)
            cost = round(price * (0.62 + 0.2 * (place % 7) / 7))
            traders = (PMS[place % len(PMS)], *VENDORS[place % len(VENDORS)])
            yield (day, *known, *traders, quantity, price * quantity, cost * quantity)
