"""The first schedule. Written once: what staff change or remove afterwards stays as they left it."""

from django.db import migrations


def write(apps, schema_editor):
    interval = apps.get_model("django_celery_beat", "IntervalSchedule").objects
    crontab = apps.get_model("django_celery_beat", "CrontabSchedule").objects
    task = apps.get_model("django_celery_beat", "PeriodicTask").objects
    seconds, _ = interval.get_or_create(every=30, period="seconds")
    night, _ = crontab.get_or_create(
        minute="30", hour="3", day_of_week="*", day_of_month="*", month_of_year="*", timezone="Asia/Taipei"
    )
    task.get_or_create(
        name="清理過期的資料",
        defaults={
            "task": "system.clean_up",
            "crontab": night,
            "description": "每天 03:30：刪除超過保存期限的紀錄與檔案；價格紀錄不會刪除",
        },
    )
    task.get_or_create(
        name="接手中斷的清理與重新啟動",
        defaults={
            "task": "system.sweep",
            "interval": seconds,
            "expire_seconds": 60,
            "description": "接手中斷的資料清理，與部署重新啟動的查看",
        },
    )


class Migration(migrations.Migration):
    dependencies = [
        ("system", "0001_cleanups_and_rollouts"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [migrations.RunPython(write, migrations.RunPython.noop)]
