import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0002_schedule"),
        ("sales", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="dayclaim",
            name="lines_job",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="jobs.job",
                verbose_name="明細來自的匯入",
            ),
        ),
        migrations.RunSQL("UPDATE sales_dayclaim SET lines_job_id = job_id", migrations.RunSQL.noop),
        # PostgreSQL alters no table whose constraints still wait to be checked.
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="dayclaim",
            name="lines_job",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="jobs.job",
                verbose_name="明細來自的匯入",
            ),
        ),
    ]
