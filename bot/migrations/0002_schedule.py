"""The first schedule. Written once: what staff change or remove afterwards stays as they left it."""

from django.db import migrations


def write(apps, schema_editor):
    interval = apps.get_model("django_celery_beat", "IntervalSchedule").objects
    task = apps.get_model("django_celery_beat", "PeriodicTask").objects
    seconds, _ = interval.get_or_create(every=30, period="seconds")
    task.get_or_create(
        name="接手中斷的機器人更新",
        defaults={
            "task": "bot.sweep",
            "interval": seconds,
            "expire_seconds": 60,
            "description": "送出等待中的更新、接手中斷的更新、設定指令選單、解除停用者的連結",
        },
    )


class Migration(migrations.Migration):
    dependencies = [("bot", "0001_initial"), ("django_celery_beat", "0019_alter_periodictasks_options")]

    operations = [migrations.RunPython(write, migrations.RunPython.noop)]
