"""The first schedule. Written once: what staff change or remove afterwards stays as they left it."""

from django.db import migrations


def write(apps, schema_editor):
    interval = apps.get_model("django_celery_beat", "IntervalSchedule").objects
    crontab = apps.get_model("django_celery_beat", "CrontabSchedule").objects
    task = apps.get_model("django_celery_beat", "PeriodicTask").objects
    seconds, _ = interval.get_or_create(every=30, period="seconds")
    morning, _ = crontab.get_or_create(
        minute="30", hour="9", day_of_week="*", day_of_month="*", month_of_year="*", timezone="Asia/Taipei"
    )
    task.get_or_create(
        name="看顧廠商通知",
        defaults={
            "task": "vendors.sweep",
            "interval": seconds,
            "description": "準備等待中的廠商郵件、接手中斷的寄送",
        },
    )
    task.get_or_create(
        name="提醒未回覆的廠商",
        defaults={
            "task": "vendors.remind",
            "crontab": morning,
            "description": "每天 09:30：提醒超過期限沒有回覆的廠商，再久則通知主管",
        },
    )


class Migration(migrations.Migration):
    dependencies = [("vendors", "0003_outcomes"), ("django_celery_beat", "0019_alter_periodictasks_options")]

    operations = [migrations.RunPython(write, migrations.RunPython.noop)]
