"""The list of categories: without this index the products of 50 categories were read from the table to be counted."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("products", "0016_watch_list")]

    operations = [
        migrations.AddIndex(
            model_name="product",
            index=models.Index(
                models.F("category"),
                condition=models.Q(("status", "delisted"), _negated=True),
                name="product_category_listed",
            ),
        ),
    ]
