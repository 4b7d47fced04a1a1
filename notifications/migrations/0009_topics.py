"""The topic of a group in which an answer is sent."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("notifications", "0008_answers")]

    operations = [
        migrations.AddField(
            model_name="outboxmessage",
            name="topic",
            field=models.BigIntegerField(editable=False, null=True, verbose_name="主題"),
        ),
    ]
