"""Vendors, batches and stockouts, written as the services would leave them."""

from __future__ import annotations

import itertools
import uuid
from typing import Any

from django.utils import timezone

from momo.jobs.models import Job
from vendors.models import Stockout, StockoutBatch, Vendor, VendorAddress

_numbers = itertools.count(1)


def make_vendor(code: str = "", *emails: str, **values: Any) -> Vendor:
    """A vendor with an address for each of `emails`, the first a recipient, the others in copy."""
    code = code or f"V{10_000 + next(_numbers)}"  # smaller ones are chosen by tests
    vendor = Vendor.objects.create(code=code, **{"name": f"廠商{code}", **values})
    for place, email in enumerate(emails):
        VendorAddress.objects.create(vendor=vendor, email=email, mailbox=email.lower(), kind="cc" if place else "to")
    return vendor


def make_batch(**values: Any) -> StockoutBatch:
    """A published batch."""
    job = Job.objects.create(
        token=uuid.uuid4(), job_type="vendor_stockout", source="upload", file_name="缺貨.xlsx", status="succeeded"
    )
    return StockoutBatch.objects.create(job=job, **{"published_at": timezone.now(), **values})


def make_stockout(vendor: Vendor, batch: StockoutBatch | None = None, **values: Any) -> Stockout:
    """A row of a report, pending."""
    number = next(_numbers)
    given = {
        "row": number + 1,
        "product_code": f"{10_000_000 + number}",
        "product_name": f"商品{number}",
        "pm": "王小明",
        "department": "美妝部",
        "vendor_name": vendor.name,
        "monthly_sales": 30,
        "stock": 0,
        **values,
    }
    return Stockout.objects.create(vendor=vendor, batch=batch or make_batch(), **given)
