from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("notifications", "0002_schedule")]

    operations = [
        migrations.AddField(
            model_name="chat",
            name="switched_off_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="停用時間"),
        ),
        migrations.AddField(
            model_name="pace",
            name="troubled_since",
            field=models.DateTimeField(blank=True, null=True, verbose_name="開始失敗"),
        ),
        migrations.AddIndex(
            model_name="outboxmessage",
            index=models.Index(fields=["event", "-id"], name="outbox_event"),
        ),
        migrations.AddIndex(
            model_name="outboxmessage",
            index=models.Index(fields=["channel", "-id"], name="outbox_channel"),
        ),
    ]
