"""Decisions of people become rows. They were lines in the reason of a message: 由 王小明 重新寄送（此前：550 No such user）."""

import re

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

KINDS = {
    "retry": "重新寄送",
    "cancel": "取消",
    "release": "確認對方沒有收到，重新寄送",
    "mark_sent": "確認對方已收到",
}
BY_LABEL = {label: kind for kind, label in KINDS.items()}
# The longest label first: one ends with another.
LABELS = "|".join(sorted(BY_LABEL, key=len, reverse=True))
LINE = re.compile(rf"由 (?P<name>.+?) (?P<label>{LABELS})(?:（此前：(?P<reason>.*)）)?")


def take_out(apps, schema_editor):
    """When each was made is not known; the last one moved the message's own time, and none is later than that."""
    decision = apps.get_model("notifications", "OutboxDecision")
    messages = apps.get_model("notifications", "OutboxMessage").objects.filter(reason__contains="由 ")
    for message in messages.only("reason", "due_at", "finished_at").order_by("pk").iterator(2000):
        lines = [(line, LINE.fullmatch(line)) for line in message.reason.split("\n")]
        found = [match for _, match in lines if match]
        if not found:
            continue
        last = BY_LABEL[found[-1]["label"]]
        moment = message.due_at if last in ("retry", "release") else message.finished_at or message.due_at
        decision.objects.bulk_create(
            decision(
                message=message,
                name=match["name"][:150],
                kind=BY_LABEL[match["label"]],
                reason=(match["reason"] or "")[:500],
                decided_at=moment,
            )
            for match in found
        )
        message.reason = "\n".join(line for line, match in lines if not match)
        message.save(update_fields=["reason"])


def put_back(apps, schema_editor):
    decisions = apps.get_model("notifications", "OutboxDecision").objects.order_by("message", "-pk")
    for one in decisions.select_related("message").iterator(2000):
        upon = f"（此前：{one.reason}）" if one.reason else ""
        line = f"由 {one.name} {KINDS[one.kind]}{upon}"
        messages = apps.get_model("notifications", "OutboxMessage").objects.filter(pk=one.message_id)
        reason = messages.values_list("reason", flat=True).get()
        messages.update(reason="\n".join(filter(None, (line, reason))))


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0003_troubles_and_lists"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="OutboxDecision",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=150, verbose_name="名稱")),
                ("kind", models.CharField(choices=list(KINDS.items()), max_length=9, verbose_name="決定")),
                ("reason", models.CharField(blank=True, max_length=500, verbose_name="當時的原因")),
                ("decided_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="時間")),
                (
                    "message",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="decisions",
                        to="notifications.outboxmessage",
                        verbose_name="訊息",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="使用者",
                    ),
                ),
            ],
            options={"verbose_name": "決定", "verbose_name_plural": "決定", "ordering": ("id",)},
        ),
        migrations.RunPython(take_out, put_back),
    ]
