"""When prices of fact sheets were written, and sums of the days whose calls are deleted."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ai", "0004_trends"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.AddField(
            model_name="factsheet",
            name="priced_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="填寫售價的時間"),
        ),
        migrations.CreateModel(
            name="DayUsage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField(verbose_name="日期")),
                ("username", models.CharField(blank=True, max_length=150, verbose_name="帳號")),
                (
                    "provider",
                    models.CharField(
                        choices=[("ollama", "Ollama"), ("gemini", "Gemini")], max_length=10, verbose_name="供應者"
                    ),
                ),
                ("model", models.CharField(max_length=100, verbose_name="模型")),
                ("currency", models.CharField(max_length=3, verbose_name="幣別")),
                ("calls", models.PositiveIntegerField(verbose_name="呼叫")),
                ("errors", models.PositiveIntegerField(verbose_name="失敗與中斷")),
                ("input_tokens", models.PositiveBigIntegerField(verbose_name="輸入 token")),
                ("output_tokens", models.PositiveBigIntegerField(verbose_name="輸出 token")),
                ("searches", models.PositiveIntegerField(verbose_name="搜尋次數")),
                ("seconds", models.FloatField(verbose_name="秒數")),
                ("cost", models.DecimalField(decimal_places=6, max_digits=20, verbose_name="費用")),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=models.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="使用者",
                    ),
                ),
            ],
            options={
                "verbose_name": "每日用量",
                "verbose_name_plural": "每日用量",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("day", "username", "provider", "model", "currency", "user"),
                        name="dayusage_once",
                    )
                ],
            },
        ),
    ]
