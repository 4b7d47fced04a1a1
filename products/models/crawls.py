"""Crawls: runs, their shards, observations, errors and alerts."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from momo.core.work import Work
from products.models.catalogue import Category


class CrawlRun(models.Model):
    """One walk over a set of categories. A database constraint allows one active run at a time."""

    class Status(models.TextChoices):
        RUNNING = "running", "進行中"
        APPLIED = "applied", "已套用"
        FAILED = "failed", "失敗"
        LOST = "lost", "中斷"

    class Verdict(models.TextChoices):
        OK = "ok", "正常"
        SUSPECT = "suspect", "可疑"
        FAILED = "failed", "失敗"

    class Trigger(models.TextChoices):
        SCHEDULE = "schedule", "排程"
        API = "api", "API"
        ADMIN = "admin", "後台"
        COMMAND = "command", "指令"
        BOT = "bot", "Telegram"

    status = models.CharField("狀態", max_length=8, choices=Status, default=Status.RUNNING)
    verdict = models.CharField("檢查結果", max_length=8, choices=Verdict, blank=True)
    message = models.TextField("說明", blank=True)
    trigger = models.CharField("來源", max_length=8, choices=Trigger)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name="執行者"
    )
    categories = models.PositiveIntegerField("分類數", default=0)
    started_at = models.DateTimeField("開始時間")
    heartbeat_at = models.DateTimeField("最近回報")
    finished_at = models.DateTimeField("結束時間", null=True, blank=True)
    # Set when the run is applied.
    seen = models.PositiveIntegerField("看到商品", default=0)
    new = models.PositiveIntegerField("新商品", default=0)
    increased = models.PositiveIntegerField("漲價", default=0)
    decreased = models.PositiveIntegerField("降價", default=0)
    delisted = models.PositiveIntegerField("下架", default=0)
    relisted = models.PositiveIntegerField("重新上架", default=0)
    sold_out = models.PositiveIntegerField("缺貨", default=0)
    restocked = models.PositiveIntegerField("補貨", default=0)
    quarantined = models.PositiveIntegerField("待確認價格", default=0)
    error_count = models.PositiveIntegerField("錯誤", default=0)

    class Meta:
        verbose_name = "價格更新"
        verbose_name_plural = "價格更新"
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint("status", name="crawlrun_one_active", condition=Q(status="running")),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class CrawlShard(Work):
    """A group of categories that one task crawls: a row of work."""

    task: ClassVar = "products.crawl_shard"
    timeout_setting: ClassVar = "CRAWL_HEARTBEAT_TIMEOUT"
    attempts_setting: ClassVar = "CRAWL_SHARD_ATTEMPTS"

    class Status(models.TextChoices):
        PENDING = "pending", "等待"
        RUNNING = "running", "進行中"
        DONE = "done", "完成"
        FAILED = "failed", "失敗"

    run = models.ForeignKey(CrawlRun, models.CASCADE, related_name="shards", verbose_name="價格更新")
    number = models.PositiveSmallIntegerField("編號")
    category_codes = ArrayField(models.CharField(max_length=10), verbose_name="分類代碼")
    status = models.CharField("狀態", max_length=7, choices=Status, default=Status.PENDING)
    pages = models.PositiveIntegerField("已讀頁數", default=0)
    pages_expected = models.PositiveIntegerField("預計頁數", default=0)
    items = models.PositiveIntegerField("已讀商品", default=0)
    requests = models.PositiveIntegerField("請求數", default=0)
    peak_rss_bytes = models.PositiveBigIntegerField("記憶體峰值", default=0)
    message = models.TextField("說明", blank=True)

    class Meta:
        verbose_name = "價格更新的分組"
        verbose_name_plural = "價格更新的分組"
        ordering: ClassVar = ["run", "number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["run", "number"], name="crawlshard_number")]

    def __str__(self) -> str:
        return f"#{self.run_id}-{self.number}"

    @property
    def task_id(self) -> str:
        """Id of the task of the next attempt."""
        return f"crawl-{self.run_id}-{self.number}-{self.attempt + 1}"


class CategoryResult(models.Model):
    """How the walk over one category ended in one run."""

    class Outcome(models.TextChoices):
        COMPLETE = "complete", "完整"
        EMPTY = "empty", "空分類"
        PARTIAL = "partial", "不完整"
        BLOCKED = "blocked", "被擋"
        FAILED = "failed", "失敗"

    run = models.ForeignKey(CrawlRun, models.CASCADE, related_name="category_results", verbose_name="價格更新")
    category = models.ForeignKey(Category, models.CASCADE, related_name="results", verbose_name="分類")
    outcome = models.CharField("結果", max_length=8, choices=Outcome)
    pages = models.PositiveIntegerField("已讀頁數", default=0)
    max_page = models.PositiveIntegerField("總頁數", default=0)
    total = models.PositiveIntegerField("momo 總數", default=0)
    seen = models.PositiveIntegerField("看到", default=0)
    # Whether product pages answered: pages of goods that are surely on sale were asked for. Null: nobody asked.
    pages_answer = models.BooleanField("商品頁有回應", null=True)
    # Set when the run is applied: products that count against the delisting guard (see `Unlisted.missing`), of how many
    # on sale; goods listed without a readable price; whether people should look; whether delistings wait for that.
    missing = models.PositiveIntegerField("未見", default=0)
    known = models.PositiveIntegerField("已知", default=0)
    unread = models.PositiveIntegerField("售價讀不到", default=0)
    suspect = models.BooleanField("可疑", default=False)
    waits = models.BooleanField("暫不算下架", default=False)
    message = models.TextField("說明", blank=True)

    class Meta:
        verbose_name = "分類結果"
        verbose_name_plural = "分類結果"
        constraints: ClassVar = [models.UniqueConstraint(fields=["run", "category"], name="categoryresult_once")]

    def __str__(self) -> str:
        return f"{self.run} {self.category}"


class CrawlError(models.Model):
    """Something that a crawl could not read. At most MAX_ERRORS of each shard are stored."""

    class Kind(models.TextChoices):
        PRICE = "price", "售價不明"
        ITEM = "item", "資料不全"
        COUNT = "count", "缺頁數或件數"
        PRODUCT_ID = "product_id", "品號格式不對"
        UNREADABLE = "unreadable", "版面無法辨識"
        MISMATCH = "mismatch", "別件商品"
        TRUNCATED = "truncated", "內容不完整"
        NOT_JSON = "not_json", "不是 JSON"
        SHAPE = "shape", "格式改變"
        BLOCKED = "blocked", "被阻擋"
        REFUSED = "refused", "網站拒絕"
        ROBOTS = "robots", "robots.txt 不允許"
        IGNORED = "ignored", "沒有讀取"
        TIMEOUT = "timeout", "逾時"
        NETWORK = "network", "連線失敗"
        FORBIDDEN = "forbidden", "拒絕存取"
        TOO_MANY = "too_many", "詢問太多次"
        GONE = "gone", "頁面不存在"
        REDIRECT = "redirect", "被轉到別處"
        HTTP = "http", "HTTP 錯誤"
        CLOSED = "closed", "網站關閉"

    run = models.ForeignKey(CrawlRun, models.CASCADE, related_name="errors", verbose_name="價格更新")
    category_code = models.CharField("分類代碼", max_length=10, blank=True)
    kind = models.CharField("種類", max_length=20, choices=Kind)
    code = models.CharField("品號", max_length=20, blank=True)
    url = models.CharField("網址", max_length=500, blank=True)
    value = models.CharField("原文", max_length=200, blank=True)
    message = models.TextField("說明")

    class Meta:
        verbose_name = "讀取錯誤"
        verbose_name_plural = "讀取錯誤"

    def __str__(self) -> str:
        return self.message


class Observation(models.Model):
    """What one shard saw of one product in one category; written by COPY, deleted some runs later."""

    class Source(models.TextChoices):
        LIST = "list", "分類頁"
        PAGE = "page", "商品頁"
        FAIL = "fail", "商品頁讀不到"  # asked for and not answered: an absent row that proves nothing

    run = models.ForeignKey(CrawlRun, models.CASCADE, related_name="+", db_index=False)
    shard = models.ForeignKey(CrawlShard, models.CASCADE, related_name="+", db_index=False)
    category = models.ForeignKey(Category, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    code = models.CharField(max_length=20)
    name = models.CharField(max_length=500)
    brand = models.CharField(max_length=120)
    url = models.CharField(max_length=500)
    image_url = models.CharField(max_length=500)
    price = models.PositiveIntegerField(null=True)
    list_price = models.PositiveIntegerField(null=True)
    in_stock = models.BooleanField()
    # The product's page shows it as gone; the other columns are empty then.
    absent = models.BooleanField(default=False)
    source = models.CharField(max_length=4, choices=Source)
    observed_at = models.DateTimeField()

    class Meta:
        verbose_name = "觀測"
        verbose_name_plural = "觀測"
        indexes: ClassVar = [models.Index("run", "shard", name="observation_run_shard")]

    def __str__(self) -> str:
        return f"{self.code} {self.price}"


class Alert(models.Model):
    """Something that is notified once: open until a good run over its categories, or a person, resolves it.

    While an alert is open, its categories raise no second one; it is notified again every CRAWL_REMIND_DAYS days.
    """

    class Kind(models.TextChoices):
        SUSPECT = "crawl_suspect", "可疑的價格更新"
        FAILED = "crawl_failed", "價格更新失敗"

    kind = models.CharField("種類", max_length=20, choices=Kind)
    run = models.ForeignKey(CrawlRun, models.CASCADE, related_name="alerts", verbose_name="價格更新")
    category_codes = ArrayField(models.CharField(max_length=10), default=list, verbose_name="分類代碼")
    message = models.TextField("說明")
    created_at = models.DateTimeField("時間")
    sent_at = models.DateTimeField("通知時間", null=True, blank=True)
    reminders = models.PositiveSmallIntegerField("提醒次數", default=0, db_default=0)
    reminded_at = models.DateTimeField("最近提醒", null=True, blank=True)
    resolved_at = models.DateTimeField("解除時間", null=True, blank=True)

    class Meta:
        verbose_name = "警示"
        verbose_name_plural = "警示"
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "kind"], name="alert_once_a_run"),
        ]

    def __str__(self) -> str:
        return self.message
