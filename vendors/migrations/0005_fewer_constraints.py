"""No look-up of mail and batch for each row of an import: neither is ever deleted."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("vendors", "0004_schedule")]

    operations = [
        migrations.AlterField(
            model_name="stockout",
            name="mail",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="current_lines",
                to="vendors.vendormail",
                verbose_name="郵件",
            ),
        ),
        migrations.AlterField(
            model_name="stockout",
            name="resolved_batch",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="recovered_lines",
                to="vendors.stockoutbatch",
                verbose_name="結案的批次",
            ),
        ),
    ]
