"""Celery tasks of sales. Each may run twice, and only calls services."""

from __future__ import annotations

from celery import shared_task

from sales.services.alarms import check_days
from sales.services.campaigns import write_campaigns
from sales.services.product_months import sum_product_months


@shared_task(name="sales.write_campaigns")
def write_default_campaigns() -> None:
    """Write the campaigns of years that have none yet; called by the schedule."""
    write_campaigns()


# The stored schedule has this name.
@shared_task(name="sales.sum_products", time_limit=600)
def sum_products() -> None:
    """Every minute: sum the months whose days were imported or undone since, by product and by combination."""
    sum_product_months()


@shared_task(name="sales.check_days", time_limit=600)
def check_sales_days() -> None:
    """Every five minutes: check days whose imports changed, and days without a report, for alarms."""
    check_days()
