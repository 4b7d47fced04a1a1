"""Searches as a model of their own; the first lists, and the schedule. Written once: what staff change or remove afterwards stays as they left it."""

from django.db import migrations

LISTS = [
    ("mybest", "70740", "化妝水"),
    ("mybest", "117104", "香水"),
    ("cosme", "newhot-0", "美妝新品"),
    ("youtube", "保養品 推薦", "保養"),
    ("youtube", "彩妝 開箱", "彩妝"),
    ("youtube", "保健食品 推薦", "保健食品"),
]


def write(apps, schema_editor):
    trends = apps.get_model("ai", "TrendCategory").objects
    for source, key, category in LISTS:
        trends.get_or_create(source=source, key=key, defaults={"category": category})
    crontabs = apps.get_model("django_celery_beat", "CrontabSchedule").objects
    daily, _ = crontabs.get_or_create(
        minute="30", hour="6", day_of_week="*", day_of_month="*", month_of_year="*", timezone="Asia/Taipei"
    )
    apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(
        name="更新趨勢清單",
        defaults={"task": "ai.refresh_trends", "crontab": daily, "description": "預設每天 06:30"},
    )


class Migration(migrations.Migration):
    dependencies = [("ai", "0003_generate"), ("django_celery_beat", "0019_alter_periodictasks_options")]

    operations = [
        migrations.CreateModel(
            name="Search",
            fields=[],
            options={
                "verbose_name": "上網搜尋",
                "verbose_name_plural": "上網搜尋",
                "proxy": True,
                "indexes": [],
                "constraints": [],
            },
            bases=("ai.generation",),
        ),
        migrations.RunPython(write, migrations.RunPython.noop),
    ]
