import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('products', '0015_words'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Watch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('absolute', '售價低到（元）'), ('percent', '漲跌達到（%）'), ('lowest', '新低價（天）')], default='percent', max_length=8, verbose_name='條件')),
                ('value', models.PositiveIntegerField(default=5, verbose_name='數值')),
                ('active', models.BooleanField(default=True, verbose_name='啟用')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='建立時間')),
                ('seen_price', models.PositiveIntegerField(editable=False, verbose_name='最近比對的售價')),
                ('base_price', models.PositiveIntegerField(editable=False, verbose_name='基準價')),
                ('notified_price', models.PositiveIntegerField(editable=False, null=True, verbose_name='上次到價的售價')),
                ('notified_at', models.DateTimeField(editable=False, null=True, verbose_name='上次到價')),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='watches', to='products.product', verbose_name='商品')),
                ('user', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='watches', to=settings.AUTH_USER_MODEL, verbose_name='使用者')),
            ],
            options={
                'verbose_name': '關注',
                'verbose_name_plural': '關注清單',
                'constraints': [models.UniqueConstraint(fields=('user', 'product', 'kind'), name='watch_once'), models.CheckConstraint(condition=models.Q(('value__gt', 0)), name='watch_value_above_zero')],
            },
        ),
    ]
