"""Alarms, and the schedule that looks for them. What staff change of it stays as they left it."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


def write(apps, schema_editor):
    interval = apps.get_model("django_celery_beat", "IntervalSchedule").objects
    minutes, _ = interval.get_or_create(every=300, period="seconds")
    apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(
        name="檢查銷售異常",
        defaults={
            "task": "sales.check_days",
            "interval": minutes,
            "expire_seconds": 600,
            "description": "匯入之後，檢查業績、毛利、進價和平常差很多的品牌、PM、分類與商品，以及缺少的日報",
        },
    )


class Migration(migrations.Migration):

    dependencies = [
        ('django_celery_beat', '0019_alter_periodictasks_options'),
        ('sales', '0004_product_months'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='CheckedDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('date', models.DateField(unique=True, verbose_name='銷售日')),
                ('claims', models.CharField(blank=True, max_length=32, verbose_name='採用的版本')),
                ('checked_at', models.DateTimeField(verbose_name='檢查時間')),
            ],
            options={
                'verbose_name': '已檢查的銷售日',
                'verbose_name_plural': '已檢查的銷售日',
            },
        ),
        migrations.CreateModel(
            name='Alarm',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('amount', '業績異常'), ('silent', '暢銷品沒有賣出'), ('margin', '毛利率過低'), ('cost', '進價變動'), ('missing', '缺少日報')], max_length=8, verbose_name='種類')),
                ('date', models.DateField(verbose_name='銷售日')),
                ('dimension', models.CharField(choices=[('all', '全部'), ('brand', '品牌'), ('pm', 'PM'), ('category', '分類'), ('product', '商品')], max_length=8, verbose_name='維度')),
                ('key', models.CharField(blank=True, db_collation='C', max_length=200, verbose_name='名稱')),
                ('name', models.CharField(blank=True, max_length=500, verbose_name='顯示名稱')),
                ('value', models.DecimalField(decimal_places=2, max_digits=20, null=True, verbose_name='數值')),
                ('expected', models.DecimalField(decimal_places=2, max_digits=20, null=True, verbose_name='平常')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='發現時間')),
                ('closed_at', models.DateTimeField(blank=True, null=True, verbose_name='解除時間')),
                ('acknowledged_at', models.DateTimeField(blank=True, null=True, verbose_name='處理時間')),
                ('acknowledged_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='處理人')),
            ],
            options={
                'verbose_name': '銷售異常',
                'verbose_name_plural': '銷售異常',
                'ordering': ('-date', 'kind', 'pk'),
                'indexes': [models.Index(condition=models.Q(('acknowledged_at__isnull', True), ('closed_at__isnull', True)), fields=['date'], name='alarm_open')],
                'constraints': [models.UniqueConstraint(fields=('date', 'kind', 'dimension', 'key'), name='alarm_once')],
            },
        ),
        migrations.RunPython(write, migrations.RunPython.noop),
    ]
