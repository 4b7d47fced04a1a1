"""Answers of the bot: their priority, their buttons, what they replace; chats that wait for approval."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("notifications", "0007_several_recipients")]

    operations = [
        migrations.AddField(
            model_name="chat",
            name="standing",
            field=models.CharField(
                choices=[("known", "已登記"), ("waiting", "等待核准"), ("guest", "未連結帳號")],
                db_default="known",
                default="known",
                editable=False,
                max_length=7,
                verbose_name="登記",
            ),
        ),
        migrations.AddField(
            model_name="outboxmessage",
            name="is_answer",
            field=models.BooleanField(db_default=False, default=False, editable=False, verbose_name="機器人的回覆"),
        ),
        migrations.AddField(
            model_name="outboxmessage",
            name="buttons",
            field=models.JSONField(editable=False, null=True, verbose_name="按鈕"),
        ),
        migrations.AddField(
            model_name="outboxmessage",
            name="edits",
            field=models.BigIntegerField(editable=False, null=True, verbose_name="取代的訊息"),
        ),
        migrations.AddIndex(
            model_name="chat",
            index=models.Index(condition=models.Q(("standing", "waiting")), fields=["id"], name="chat_waiting"),
        ),
        migrations.AddIndex(
            model_name="outboxmessage",
            index=models.Index(
                condition=models.Q(("channel", "telegram"), ("is_answer", True), ("status", "pending")),
                fields=["chat", "next_attempt_at", "id"],
                name="outbox_answer_due",
            ),
        ),
    ]
