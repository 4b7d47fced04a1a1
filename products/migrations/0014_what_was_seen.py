"""Which goods are not listed, and whether the shop shows the price that is known of each."""

import django.db.models.deletion
from django.db import migrations, models

# A held price interrupts the span of the price before it. That one was last seen by the run before, as far as is known.
CLOSE_HELD = """
UPDATE products_pricespan sp
SET last_seen_at = greatest(sp.observed_at, least(p.last_seen_at, coalesce(
    (SELECT max(r.started_at) FROM products_crawlrun r WHERE r.status = 'applied' AND r.id < q.run_id), sp.observed_at)))
FROM products_quarantinedprice q JOIN products_product p ON p.product_id = q.code
WHERE q.status = 'held' AND sp.product_id = p.id AND sp.last_seen_at IS NULL
"""
MARK_NOT_SHOWN = """
UPDATE products_product p SET price_shown = FALSE, lowest_price_until = NULL
WHERE NOT EXISTS (SELECT FROM products_pricespan sp WHERE sp.product_id = p.id AND sp.last_seen_at IS NULL)
"""
END_HOLDS_OF_DELISTED = """
UPDATE products_quarantinedprice q SET status = 'gone', decided_at = now()
FROM products_product p WHERE q.status = 'held' AND p.product_id = q.code AND p.status = 'delisted'
"""


class Migration(migrations.Migration):
    dependencies = [
        ("products", "0013_variants_and_last_sight"),
    ]

    operations = [
        migrations.CreateModel(
            name="Unlisted",
            fields=[
                (
                    "product",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="unlisted",
                        serialize=False,
                        to="products.product",
                    ),
                ),
                ("since", models.DateTimeField(verbose_name="未列出，自")),
                (
                    "word",
                    models.CharField(
                        choices=[
                            ("alive", "商品頁還在"),
                            ("missing", "商品頁說沒有"),
                            ("failed", "商品頁讀不到"),
                            ("unasked", "還沒查詢"),
                        ],
                        max_length=7,
                        verbose_name="商品頁",
                    ),
                ),
                ("asked_at", models.DateTimeField(null=True, verbose_name="最近查詢")),
                ("times", models.PositiveSmallIntegerField(help_text="商品頁接連幾次說沒有", verbose_name="接連說沒有")),
                ("missing", models.BooleanField(verbose_name="未見")),
            ],
            options={
                "verbose_name": "未列出的商品",
                "verbose_name_plural": "未列出的商品",
            },
        ),
        migrations.AddField(
            model_name="alert",
            name="reminded_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="最近提醒"),
        ),
        migrations.AddField(
            model_name="alert",
            name="reminders",
            field=models.PositiveSmallIntegerField(db_default=0, default=0, verbose_name="提醒次數"),
        ),
        migrations.AddField(
            model_name="category",
            name="gone_confirmed_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="確認已關閉"),
        ),
        migrations.AddField(
            model_name="categoryresult",
            name="known",
            field=models.PositiveIntegerField(default=0, verbose_name="已知"),
        ),
        migrations.AddField(
            model_name="categoryresult",
            name="pages_answer",
            field=models.BooleanField(null=True, verbose_name="商品頁有回應"),
        ),
        migrations.AddField(
            model_name="categoryresult",
            name="unread",
            field=models.PositiveIntegerField(default=0, verbose_name="售價讀不到"),
        ),
        migrations.AddField(
            model_name="categoryresult",
            name="waits",
            field=models.BooleanField(default=False, verbose_name="暫不判定下架"),
        ),
        migrations.AddField(
            model_name="product",
            name="price_shown",
            field=models.BooleanField(db_default=True, default=True, editable=False, verbose_name="售價看得到"),
        ),
        migrations.AddField(
            model_name="quarantinedprice",
            name="interrupted",
            field=models.BooleanField(db_default=False, default=False, verbose_name="中斷過"),
        ),
        migrations.AddField(
            model_name="quarantinedprice",
            name="sights",
            field=models.PositiveSmallIntegerField(db_default=1, default=1, verbose_name="接連看到"),
        ),
        migrations.AlterField(
            model_name="observation",
            name="source",
            field=models.CharField(
                choices=[("list", "分類頁"), ("page", "商品頁"), ("fail", "商品頁讀不到")], max_length=4
            ),
        ),
        *(
            migrations.RunSQL(sql, migrations.RunSQL.noop)
            for sql in (CLOSE_HELD, MARK_NOT_SHOWN, END_HOLDS_OF_DELISTED)
        ),
    ]
