"""Demo sales: two months of daily reports as a team would bring them, imported by the same engine as any other file."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from momo.jobs.models import Job
from momo.jobs.services import create_job, run_job
from momo.sheets.write import Column, as_records, write_xlsx
from products.models import Product
from sales.models import DayOwner

DAYS = 60
FILES = 2  # the days are brought in so many files
LINES = (90, 160)  # a day
PMS = ("王小美", "陳志明", "林怡君", "張家豪")
VENDORS = (("V0123", "永昌貿易"), ("V0456", "日盛國際"), ("V0789", "康達生活"), ("V0911", "春風企業"))
COLUMNS = (
    Column("日期", "date", 12),
    Column("品號", width=18),
    Column("品名", width=50),
    Column("品牌", width=16),
    Column("館別", width=16),
    Column("負責PM", width=12),
    Column("廠商代號", width=12),
    Column("廠商名稱", width=20),
    Column("數量", "integer", 8),
    Column("業績", "integer", 12),
    Column("成本", "integer", 12),
)


def load(say: Callable[[str], None], *, days: int = DAYS) -> None:
    """Import reports of the last `days` days, unless there are sales already or no products to sell."""
    if DayOwner.objects.exists():
        return
    goods = list(Product.objects.order_by("id").values_list("product_id", "name", "brand", "category__name", "price"))
    if not goods:
        return
    say("示範資料：近兩個月的每日銷售")
    today = timezone.localdate()
    span = [today - timedelta(days=back) for back in range(days, 0, -1)]
    size = -(-len(span) // FILES)
    for part in range(0, len(span), size):
        some = span[part : part + size]
        name = f"每日銷售_{some[0]:%Y%m%d}-{some[-1]:%Y%m%d}.xlsx"
        job = create_job(
            job_type="daily_sales",
            source=Job.Source.COMMAND,
            file_name=name,
            content=workbook(goods, some),
            user=None,
            dispatch=False,
        )
        run_job(job.pk)


def workbook(goods: list[tuple[str, str, str, str, int]], days: list[date]) -> io.BytesIO:
    """A report of `days` as a file: more is sold at weekends, and of a few products most."""
    made = io.BytesIO()
    write_xlsx(made, sheet="每日銷售", columns=COLUMNS, records=as_records(COLUMNS, _rows(goods, days)))
    made.seek(0)
    return made


def _rows(goods: list[tuple[str, str, str, str, int]], days: list[date]) -> Iterator[tuple[Any, ...]]:
    for day in days:
        dice = random.Random(day.toordinal())
        busy = 1.4 if day.weekday() >= 5 else 1.0
        for _ in range(int(dice.randint(*LINES) * busy)):
            place = int(len(goods) * dice.random() ** 2)
            code, name, brand, category, price = goods[place]
            quantity = dice.choice((1, 1, 1, 2, 2, 3, 5)) * (-1 if dice.random() < 0.01 else 1)
            cost = round(price * (0.62 + 0.2 * (place % 7) / 7))
            vendor, vendor_name = VENDORS[place % len(VENDORS)]
            pm = PMS[place % len(PMS)]
            yield (
                day,
                code,
                name,
                brand,
                category,
                pm,
                vendor,
                vendor_name,
                quantity,
                price * quantity,
                cost * quantity,
            )
