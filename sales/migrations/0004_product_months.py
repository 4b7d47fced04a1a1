"""Sums by product of each month, and the schedule that makes them. What staff change of it stays as they left it."""

import django.contrib.postgres.fields
from django.db import migrations, models


def write(apps, schema_editor):
    interval = apps.get_model("django_celery_beat", "IntervalSchedule").objects
    minute, _ = interval.get_or_create(every=60, period="seconds")
    apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(
        name="計算各商品的每日銷量",
        defaults={
            "task": "sales.sum_products",
            "interval": minute,
            "expire_seconds": 120,
            "description": "匯入或復原之後，重新計算那個月各商品的每日銷量，商品的頁面用得到",
        },
    )


class Migration(migrations.Migration):

    dependencies = [
        ('sales', '0003_targets_and_campaigns'),
        ('django_celery_beat', '0019_alter_periodictasks_options'),
    ]

    operations = [
        migrations.CreateModel(
            name='SummedMonth',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('month', models.DateField(unique=True, verbose_name='月份')),
                ('claims', models.CharField(max_length=32, verbose_name='採用的版本')),
                ('summed_at', models.DateTimeField(verbose_name='計算時間')),
            ],
            options={
                'verbose_name': '已計算的月份',
                'verbose_name_plural': '已計算的月份',
            },
        ),
        migrations.CreateModel(
            name='ProductMonth',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('month', models.DateField(verbose_name='月份')),
                ('product_code', models.CharField(db_collation='C', max_length=30, verbose_name='品號')),
                ('days', django.contrib.postgres.fields.ArrayField(base_field=models.PositiveSmallIntegerField(), size=None, verbose_name='日')),
                ('quantities', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None, verbose_name='數量')),
                ('amounts', django.contrib.postgres.fields.ArrayField(base_field=models.DecimalField(decimal_places=2, max_digits=20), size=None, verbose_name='業績')),
            ],
            options={
                'verbose_name': '商品每月銷售',
                'verbose_name_plural': '商品每月銷售',
                'indexes': [models.Index(fields=['month'], name='productmonth_month')],
                'constraints': [models.UniqueConstraint(fields=('product_code', 'month'), name='productmonth_once')],
            },
        ),
        migrations.RunPython(write, migrations.RunPython.noop),
    ]
