"""The first reports and their schedule. Written once: what staff change or remove afterwards stays as they left it."""

import datetime as dt

from django.db import migrations

SALES = ["sales_summary", "sales_targets", "sales_by_pm", "sales_by_brand", "sales_by_category", "sales_movers"]
OTHERS = ["price_changes", "open_stockouts", "sales_missing_days"]


def write(apps, schema_editor):
    report = apps.get_model("reports", "Report").objects
    for name, kind in (("銷售日報", "daily"), ("銷售週報", "weekly"), ("銷售月報", "monthly")):
        # Switched off: nobody is named as a recipient yet.
        given = {"kind": kind, "sections": SALES + OTHERS, "at": dt.time(8, 30), "wait_until": dt.time(11)}
        report.get_or_create(name=name, defaults={**given, "is_active": False})
    interval = apps.get_model("django_celery_beat", "IntervalSchedule").objects
    task = apps.get_model("django_celery_beat", "PeriodicTask").objects
    minute, _ = interval.get_or_create(every=60, period="seconds")
    task.get_or_create(
        name="寄送定期報表",
        defaults={
            "task": "reports.sweep",
            "interval": minute,
            "expire_seconds": 120,
            "description": "時間到的報表在資料到齊時寄出，並接手中斷的寄送",
        },
    )


class Migration(migrations.Migration):
    dependencies = [
        ("reports", "0001_initial"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [migrations.RunPython(write, migrations.RunPython.noop)]
