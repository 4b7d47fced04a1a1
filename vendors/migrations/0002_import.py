"""What a batch covers, and the schedule of what closes rows.

Written once: what staff change or remove in the schedule afterwards stays as they left it.
"""

from django.db import migrations, models


def write(apps, schema_editor):
    interval = apps.get_model("django_celery_beat", "IntervalSchedule").objects
    minutes, _ = interval.get_or_create(every=10, period="minutes")
    apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(
        name="缺貨恢復後結案",
        defaults={
            "task": "vendors.close_restocked",
            "interval": minutes,
            "description": "價格更新看到商品恢復販售時，把它的缺貨結案",
        },
    )


class Migration(migrations.Migration):
    dependencies = [("vendors", "0001_initial"), ("django_celery_beat", "0019_alter_periodictasks_options")]

    operations = [
        migrations.RunPython(write, migrations.RunPython.noop),
    ]
