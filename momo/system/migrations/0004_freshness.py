"""The first schedule. Written once: what staff change or remove afterwards stays as they left it."""

from django.db import migrations


def write(apps, schema_editor):
    interval = apps.get_model("django_celery_beat", "IntervalSchedule").objects
    task = apps.get_model("django_celery_beat", "PeriodicTask").objects
    minutes, _ = interval.get_or_create(every=10, period="minutes")
    task.get_or_create(
        name="檢查資料新舊",
        defaults={
            "task": "system.check_freshness",
            "interval": minutes,
            "description": "價格或銷售日報超過期限沒有更新時通知一次",
        },
    )


class Migration(migrations.Migration):
    dependencies = [("system", "0003_setting"), ("django_celery_beat", "0019_alter_periodictasks_options")]

    operations = [migrations.RunPython(write, migrations.RunPython.noop)]
