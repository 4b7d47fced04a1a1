"""品名 and AI 使用紀錄, as the glossary calls them; also in the name of a schedule, unless staff changed it."""

from django.db import migrations, models

OLD, NEW = "結束中斷的 AI 呼叫", "結束中斷的 AI 工作"


def name_schedule(apps, schema_editor):
    tasks = apps.get_model("django_celery_beat", "PeriodicTask").objects
    if not tasks.filter(name=NEW).exists():
        tasks.filter(name=OLD).update(name=NEW, description="結束中斷的 AI 工作，放開它們保留的預算")


class Migration(migrations.Migration):
    dependencies = [("ai", "0005_fact_sheets_and_day_usage"), ("system", "0003_setting")]

    operations = [
        migrations.AlterModelOptions(
            name="call",
            options={"ordering": ("-id",), "verbose_name": "AI 使用紀錄", "verbose_name_plural": "AI 使用紀錄"},
        ),
        migrations.AlterField("dayusage", "calls", models.PositiveIntegerField("次數")),
        migrations.AlterField("generation", "product_name", models.CharField("品名", max_length=500, blank=True)),
        migrations.RunPython(name_schedule, migrations.RunPython.noop),
    ]
