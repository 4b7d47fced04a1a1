"""The first schedule. Written once: what staff change or remove afterwards stays as they left it."""

from django.db import migrations


def write(apps, schema_editor):
    interval = apps.get_model("django_celery_beat", "IntervalSchedule").objects
    task = apps.get_model("django_celery_beat", "PeriodicTask").objects
    seconds, _ = interval.get_or_create(every=30, period="seconds")
    minutes, _ = interval.get_or_create(every=10, period="minutes")
    task.get_or_create(
        name="看顧匯入",
        defaults={"task": "jobs.watch", "interval": seconds, "description": "送出等待中的匯入、接手中斷的匯入"},
    )
    task.get_or_create(
        name="匯入雲端硬碟的新檔案",
        defaults={
            "task": "jobs.drive_sync",
            "interval": minutes,
            "description": "每個新檔案或新版本匯入一次；沒有設定 Google 雲端硬碟時不做任何事",
        },
    )


class Migration(migrations.Migration):
    dependencies = [("jobs", "0001_initial"), ("django_celery_beat", "0019_alter_periodictasks_options")]

    operations = [migrations.RunPython(write, migrations.RunPython.noop)]
