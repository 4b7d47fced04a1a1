"""Since when the shop shows a price that cannot be read."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("products", "0011_silence_of_events")]

    operations = [
        migrations.AddField(
            model_name="product",
            name="price_unread_since",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="售價讀不到，自"),
        ),
    ]
