"""The first schedule. Written once: what staff change or remove afterwards stays as they left it."""

from django.conf import settings
from django.db import migrations


def write(apps, schema_editor):
    interval = apps.get_model("django_celery_beat", "IntervalSchedule").objects
    task = apps.get_model("django_celery_beat", "PeriodicTask").objects
    hours, _ = interval.get_or_create(every=settings.CRAWL_INTERVAL_HOURS, period="hours")
    seconds, _ = interval.get_or_create(every=30, period="seconds")
    task.get_or_create(
        name="爬取全部分類",
        defaults={"task": "products.start_crawl", "interval": hours, "description": "預設每 2 小時一次"},
    )
    task.get_or_create(
        name="看顧進行中的爬取",
        defaults={"task": "products.crawl_watch", "interval": seconds, "description": "接手中斷的分片、套用完成的爬取"},
    )


class Migration(migrations.Migration):
    dependencies = [("products", "0002_search_and_storage"), ("django_celery_beat", "0019_alter_periodictasks_options")]

    operations = [migrations.RunPython(write, migrations.RunPython.noop)]
