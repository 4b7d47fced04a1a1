"""Mails of times without a mail server are unsent: not sent, as those that were only kept as files said."""

from django.db import migrations, models
from django.db.models import F, Func, Value

STATUSES = [
    ("waiting", "等待前一則"),
    ("pending", "等待寄送"),
    ("unsent", "未寄出：沒有設定郵件伺服器"),
    ("claimed", "準備寄送"),
    ("sending", "寄送中"),
    ("sent", "已寄出"),
    ("held", "待人工確認"),
    ("failed", "失敗"),
    ("cancelled", "已取消"),
]
KEPT = "沒有設定 EMAIL_URL，郵件存成檔案"
PAUSED = "還沒有設定 EMAIL_URL"


def correct(apps, schema_editor):
    message, pace = (apps.get_model("notifications", name).objects for name in ("OutboxMessage", "Pace"))
    message.filter(channel="email", status="sent", reason__contains=KEPT).update(
        status="unsent",
        sent_at=None,
        finished_at=None,
        reason=Func(F("reason"), Value(rf"\n?{KEPT}[^\n]*"), Value(""), function="regexp_replace"),
    )
    # A channel without a server is no trouble any more.
    pace.filter(channel="email", reason__startswith=PAUSED).update(
        troubles=0, troubled_since=None, paused_until=None, reason=""
    )


def release(apps, schema_editor):
    apps.get_model("notifications", "OutboxMessage").objects.filter(status="unsent").update(status="pending")


class Migration(migrations.Migration):
    dependencies = [("notifications", "0004_decisions")]

    operations = [
        migrations.AlterField(
            model_name="outboxmessage",
            name="status",
            field=models.CharField(choices=STATUSES, default="pending", max_length=9, verbose_name="狀態"),
        ),
        migrations.RunPython(correct, release),
    ]
