"""Name the schedule by what it does. What staff renamed stays."""

from django.db import migrations


def rename(apps, schema_editor):
    tasks = apps.get_model("django_celery_beat", "PeriodicTask").objects
    if not tasks.filter(name="接手中斷的匯入").exists():
        tasks.filter(name="看顧匯入").update(name="接手中斷的匯入")


class Migration(migrations.Migration):
    dependencies = [("jobs", "0004_losses_and_sheets")]

    operations = [migrations.RunPython(rename, migrations.RunPython.noop)]
