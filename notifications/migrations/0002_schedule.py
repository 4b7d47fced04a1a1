"""The first schedule. Written once: what staff change or remove afterwards stays as they left it."""

from django.db import migrations


def write(apps, schema_editor):
    interval = apps.get_model("django_celery_beat", "IntervalSchedule").objects
    task = apps.get_model("django_celery_beat", "PeriodicTask").objects
    seconds, _ = interval.get_or_create(every=30, period="seconds")
    task.get_or_create(
        name="看顧訊息",
        defaults={
            "task": "notifications.watch",
            "interval": seconds,
            "description": "寄出到期的郵件與 Telegram 訊息，處理中斷的寄送",
        },
    )


class Migration(migrations.Migration):
    dependencies = [("notifications", "0001_initial"), ("django_celery_beat", "0019_alter_periodictasks_options")]

    operations = [migrations.RunPython(write, migrations.RunPython.noop)]
