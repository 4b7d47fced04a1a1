import datetime

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models
from django.utils import timezone


def write_schedule(apps, schema_editor):
    """Written once: what staff change or remove afterwards stays as they left it."""
    days, _ = apps.get_model("django_celery_beat", "IntervalSchedule").objects.get_or_create(every=1, period="days")
    apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(
        name="建立預設檔期",
        defaults={
            "task": "sales.write_campaigns",
            "interval": days,
            "last_run_at": timezone.now() - datetime.timedelta(days=1),  # due at once, so that a new system has its campaigns
            "description": "新的一年開始時，依規則建立各檔期；每個年份只建立一次，修改或刪除過的不再更動",
        },
    )


class Migration(migrations.Migration):

    dependencies = [
        ('sales', '0002_claim_of_every_day'),
        ('django_celery_beat', '0019_alter_periodictasks_options'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='CampaignYear',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('year', models.PositiveSmallIntegerField(unique=True, verbose_name='年份')),
                ('written_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='建立時間')),
            ],
            options={
                'verbose_name': '已建立檔期的年份',
                'verbose_name_plural': '已建立檔期的年份',
            },
        ),
        migrations.CreateModel(
            name='Campaign',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('new_year', '年貨節'), ('mothers_day', '母親節'), ('mid_year', '618'), ('fathers_day', '父親節'), ('ghost_festival', '中元'), ('mid_autumn', '中秋'), ('anniversary', '週年慶'), ('double_11', '雙11'), ('double_12', '雙12'), ('other', '其他')], default='other', max_length=20, verbose_name='種類')),
                ('name', models.CharField(max_length=60, verbose_name='名稱')),
                ('first', models.DateField(validators=[django.core.validators.MinValueValidator(datetime.date(2000, 1, 1), '日期要在 2000 年到 2099 年之間'), django.core.validators.MaxValueValidator(datetime.date(2099, 12, 31), '日期要在 2000 年到 2099 年之間')], verbose_name='首日')),
                ('last', models.DateField(validators=[django.core.validators.MinValueValidator(datetime.date(2000, 1, 1), '日期要在 2000 年到 2099 年之間'), django.core.validators.MaxValueValidator(datetime.date(2099, 12, 31), '日期要在 2000 年到 2099 年之間')], verbose_name='末日')),
                ('warm_up_days', models.PositiveSmallIntegerField(default=0, validators=[django.core.validators.MaxValueValidator(31, '預熱最多 31 天')], verbose_name='預熱天數')),
                ('brands', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=120), blank=True, default=list, size=100, verbose_name='限定品牌')),
                ('products', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=30), blank=True, default=list, size=500, verbose_name='限定品號')),
                ('note', models.TextField(blank=True, max_length=2000, verbose_name='備註')),
                ('from_rule', models.CharField(blank=True, editable=False, max_length=30, verbose_name='規則')),
            ],
            options={
                'verbose_name': '檔期',
                'verbose_name_plural': '檔期',
                'ordering': ('-first', 'name'),
                'indexes': [models.Index(fields=['last', 'first'], name='campaign_span')],
                'constraints': [models.UniqueConstraint(fields=('name', 'first'), name='campaign_once', violation_error_message='已有同名同首日的檔期'), models.CheckConstraint(condition=models.Q(('last__gte', models.F('first'))), name='campaign_days')],
            },
        ),
        migrations.CreateModel(
            name='Target',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('month', models.DateField(validators=[django.core.validators.MinValueValidator(datetime.date(2000, 1, 1), '日期要在 2000 年到 2099 年之間'), django.core.validators.MaxValueValidator(datetime.date(2099, 12, 31), '日期要在 2000 年到 2099 年之間')], verbose_name='月份')),
                ('dimension', models.CharField(choices=[('all', '合計'), ('brand', '品牌'), ('pm', 'PM'), ('category', '分類')], default='all', max_length=8, verbose_name='維度')),
                ('key', models.CharField(blank=True, db_collation='C', max_length=200, verbose_name='名稱')),
                ('amount', models.DecimalField(blank=True, decimal_places=2, max_digits=14, null=True, validators=[django.core.validators.MinValueValidator(0, '目標不可小於 0')], verbose_name='業績目標')),
                ('gross_profit', models.DecimalField(blank=True, decimal_places=2, max_digits=14, null=True, validators=[django.core.validators.MinValueValidator(0, '目標不可小於 0')], verbose_name='毛利目標')),
            ],
            options={
                'verbose_name': '目標',
                'verbose_name_plural': '目標',
                'ordering': ('-month', 'dimension', 'key'),
                'constraints': [models.UniqueConstraint(fields=('month', 'dimension', 'key'), name='target_once', violation_error_message='這個月已有這個維度與名稱的目標'), models.CheckConstraint(condition=models.Q(('month__day', 1)), name='target_of_month'), models.CheckConstraint(condition=models.Q(models.Q(('dimension', 'all'), ('key', '')), models.Q(models.Q(('dimension', 'all'), _negated=True), models.Q(('key', ''), _negated=True)), _connector='OR'), name='target_key'), models.CheckConstraint(condition=models.Q(('amount__isnull', False), ('gross_profit__isnull', False), _connector='OR'), name='target_not_empty')],
            },
        ),
        migrations.CreateModel(
            name='DayNote',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('date', models.DateField(validators=[django.core.validators.MinValueValidator(datetime.date(2000, 1, 1), '日期要在 2000 年到 2099 年之間'), django.core.validators.MaxValueValidator(datetime.date(2099, 12, 31), '日期要在 2000 年到 2099 年之間')], verbose_name='日期')),
                ('text', models.CharField(max_length=300, verbose_name='內容')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='建立時間')),
                ('author', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='作者')),
            ],
            options={
                'verbose_name': '日註記',
                'verbose_name_plural': '日註記',
                'ordering': ('-date', 'pk'),
                'constraints': [models.UniqueConstraint(fields=('date', 'text'), name='daynote_once', violation_error_message='這天已有相同的註記')],
            },
        ),
        migrations.RunPython(write_schedule, migrations.RunPython.noop),
    ]
