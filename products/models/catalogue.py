"""Categories, products, and their prices and events. Prices are whole New Taiwan dollars."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Cast, Now, Round


class Category(models.Model):
    """A category of momo; the enabled ones are crawled."""

    code = models.CharField(
        "分類代碼", max_length=10, unique=True, validators=[RegexValidator(r"^[0-9]{10}$", "分類代碼是 10 位數字")]
    )
    level = models.PositiveSmallIntegerField("層級", choices=[(1, "1"), (2, "2"), (3, "3")], default=3)
    name = models.CharField("名稱", max_length=120)
    path = models.CharField("路徑", max_length=300, blank=True, help_text="例：美妝保養 > 臉部保養 > 精華液")
    enabled = models.BooleanField("價格更新", default=True)
    created_at = models.DateTimeField("建立時間", auto_now_add=True)
    last_complete_at = models.DateTimeField("上次完整更新", null=True, blank=True, editable=False)
    # When somebody last confirmed that what the category no longer lists is gone.
    gone_confirmed_at = models.DateTimeField("確認已關閉", null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "分類"
        verbose_name_plural = "分類"
        ordering: ClassVar = ["path", "code"]

    def __str__(self) -> str:
        return self.name


class Product(models.Model):
    """One of momo's goods as last seen, with its last confirmed price change beside it.

    The product list reads this row alone: nothing is computed from the history at read time but the lowest price of 30
    days (`selectors.lowest`). `previous_price`, `change` and `change_percent` describe the last confirmed change.
    """

    class Status(models.TextChoices):
        ACTIVE = "active", "販售中"
        OUT_OF_STOCK = "out_of_stock", "缺貨"
        DELISTED = "delisted", "已下架"

    product_id = models.CharField("品號", max_length=20, unique=True)
    name = models.CharField("品名", max_length=500)
    brand = models.CharField("品牌", max_length=120, blank=True)
    category = models.ForeignKey(
        Category,
        models.PROTECT,
        related_name="products",
        db_index=False,  # `product_category` begins with it
        verbose_name="分類",
    )
    url = models.URLField("連結", max_length=500)
    image_url = models.URLField("圖片", max_length=500, blank=True)
    status = models.CharField("狀態", max_length=12, choices=Status, default=Status.ACTIVE)
    price = models.PositiveIntegerField("售價")
    # Since when the shop shows a price that cannot be read; `price` is then the last one that could. Null otherwise.
    price_unread_since = models.DateTimeField("售價讀不到，自", null=True, blank=True, editable=False)
    # Whether the shop showed `price` when it was last asked: exactly then the product has an open span.
    price_shown = models.BooleanField("售價看得到", default=True, db_default=True, editable=False)
    list_price = models.PositiveIntegerField("原價", null=True, blank=True)
    previous_price = models.PositiveIntegerField("前次售價", null=True, blank=True)
    change = models.GeneratedField(
        expression=F("price") - F("previous_price"),
        output_field=models.IntegerField(verbose_name="漲跌"),
        db_persist=True,
        verbose_name="漲跌",
    )
    change_percent = models.GeneratedField(
        expression=Round(
            (Cast("price", models.DecimalField(max_digits=12, decimal_places=2)) - F("previous_price"))
            * 100
            / F("previous_price"),
            precision=2,
            output_field=models.DecimalField(max_digits=12, decimal_places=2),
        ),
        output_field=models.DecimalField(max_digits=12, decimal_places=2),
        db_persist=True,
        verbose_name="漲跌幅",
    )
    price_changed_at = models.DateTimeField("變價時間", null=True, blank=True)
    # The lowest price of 30 days at the last change, and until when it holds if nothing changes; afterwards, or without
    # a time, it follows from the spans.
    lowest_price = models.PositiveIntegerField("30 天最低價", null=True, blank=True, editable=False)
    lowest_price_until = models.DateTimeField("最低價有效至", null=True, blank=True, editable=False)
    first_seen_at = models.DateTimeField("首次看到")
    last_seen_at = models.DateTimeField("最近看到")
    delisted_at = models.DateTimeField("下架時間", null=True, blank=True)
    misses = models.PositiveSmallIntegerField("連續未見次數", default=0)
    note = models.TextField("備註", blank=True)

    class Meta:
        verbose_name = "商品"
        verbose_name_plural = "商品"
        # last_seen_at moves with every crawl and stands in no index, so that PostgreSQL rewrites the row in its page.
        indexes: ClassVar = [
            models.Index(F("price_changed_at").desc(nulls_last=True), F("id").desc(), name="product_changed"),
            models.Index("first_seen_at", "id", name="product_first_seen"),
            models.Index("name", "id", name="product_name"),
            models.Index("brand", "id", name="product_brand"),
            models.Index("price", "id", name="product_price"),
            # Both directions: rows without a change come last in each.
            models.Index(F("change").asc(), F("id").asc(), name="product_change_up"),
            models.Index(F("change").desc(nulls_last=True), F("id").desc(), name="product_change_down"),
            models.Index(F("change_percent").asc(), F("id").asc(), name="product_percent_up"),
            models.Index(F("change_percent").desc(nulls_last=True), F("id").desc(), name="product_percent_down"),
            models.Index("category", "product_id", name="product_category"),
            # The number of a category's products, read from the index alone: of 560,000 products 50 categories took
            # 215 ms from the table, now 3 ms, and 129 ms right after a crawl, which marks no page as visible to all.
            models.Index("category", name="product_category_listed", condition=~Q(status="delisted")),
            models.Index("delisted_at", "id", name="product_delisted", condition=Q(status="delisted")),
            # Most delisted products changed long ago: in the index of all, each comes after a hundred others.
            models.Index(
                F("price_changed_at").desc(nulls_last=True),
                F("id").desc(),
                name="product_delisted_changed",
                condition=Q(status="delisted"),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Unlisted(models.Model):
    """A product on sale that its category did not list when last walked to its end, and what its own page said.

    A product without a row is listed (or delisted). `missing` counts against the delisting guard: the page says that
    the product is gone, or the category listed it in the last walk that was believed and nothing explains it yet.
    """

    class Word(models.TextChoices):
        ALIVE = "alive", "商品頁還在"
        MISSING = "missing", "商品頁說沒有"
        FAILED = "failed", "商品頁讀不到"
        UNASKED = "unasked", "還沒查詢"

    product = models.OneToOneField(Product, models.CASCADE, primary_key=True, related_name="unlisted")
    since = models.DateTimeField("未列出，自")
    word = models.CharField("商品頁", max_length=7, choices=Word)
    asked_at = models.DateTimeField("最近查詢", null=True)
    times = models.PositiveSmallIntegerField("接連說沒有", help_text="商品頁接連幾次說沒有")
    missing = models.BooleanField("未見")

    class Meta:
        verbose_name = "未列出的商品"
        verbose_name_plural = "未列出的商品"

    def __str__(self) -> str:
        return f"{self.product_id} {self.word}"


class ProductSearch(models.Model):
    """The text of a product cut into pairs of characters, for searches in the middle of Chinese text.

    A trigram index cannot help a search for two characters, the usual length of a Chinese word. Kept apart from the
    product so that a price change does not touch it.
    """

    # No constraint: the row is only written together with its product, and checking thousands takes time.
    product = models.OneToOneField(
        Product, models.CASCADE, primary_key=True, related_name="search", db_constraint=False
    )
    haystack = models.TextField()
    grams = ArrayField(models.TextField())

    class Meta:
        verbose_name = "搜尋索引"
        verbose_name_plural = "搜尋索引"
        indexes: ClassVar = [GinIndex("grams", name="productsearch_grams")]

    def __str__(self) -> str:
        return self.haystack[:60]


class CatalogueVersion(models.Model):
    """One row whose `version` changes whenever products are added, removed or changed, within that transaction.

    A trigger on products changes it, so that no writer can forget it. A cached result of one version is valid until
    another version is read.
    """

    version = models.UUIDField()

    class Meta:
        verbose_name = "目錄版本"
        verbose_name_plural = "目錄版本"

    def __str__(self) -> str:
        return str(self.version)


class PriceSpan(models.Model):
    """A period at whose beginning and end, and whenever between them somebody looked, a product was seen at one price.

    The open span of a product (`last_seen_at` is null) lasts until the product was last seen. A span is closed where
    its price was last seen, as soon as the shop shows another price, one that is held or cannot be read, or no product.
    A crawl without changes writes nothing here.
    """

    product = models.ForeignKey(Product, models.CASCADE, related_name="spans", db_index=False, verbose_name="商品")
    price = models.PositiveIntegerField("售價")
    observed_at = models.DateTimeField("開始時間")
    last_seen_at = models.DateTimeField("結束時間", null=True, blank=True)

    class Meta:
        verbose_name = "價格紀錄"
        verbose_name_plural = "價格紀錄"
        constraints: ClassVar = [
            models.UniqueConstraint("product", name="pricespan_one_open", condition=Q(last_seen_at=None)),
            models.UniqueConstraint(
                fields=["product", "observed_at"], name="pricespan_product_time", include=["price", "last_seen_at"]
            ),
        ]

    def __str__(self) -> str:
        return f"{self.price} @ {self.observed_at:%Y-%m-%d %H:%M}"


class PriceEvent(models.Model):
    """Something that happened to a product, found by one run; notified at most once.

    `told_at` is when it was claimed for notification; `silence` is the reason if it is in no message.
    """

    class Kind(models.TextChoices):
        NEW = "new", "新商品"
        INCREASE = "increase", "漲價"
        DECREASE = "decrease", "降價"
        DELISTED = "delisted", "下架"
        RELISTED = "relisted", "重新上架"
        OUT_OF_STOCK = "out_of_stock", "缺貨"
        BACK_IN_STOCK = "back_in_stock", "補貨"

    class Silence(models.TextChoices):
        """Why a claimed event is in no message."""

        UNWANTED = "unwanted", "沒有人訂閱"
        UNDONE = "undone", "已變回原狀，不通知"
        EXPIRED = "expired", "過期，不再通知"

    product = models.ForeignKey(Product, models.CASCADE, related_name="events", verbose_name="商品")
    run = models.ForeignKey("products.CrawlRun", models.PROTECT, related_name="events", verbose_name="價格更新")
    kind = models.CharField("事件", max_length=13, choices=Kind)
    old_price = models.PositiveIntegerField("原售價", null=True, blank=True)
    new_price = models.PositiveIntegerField("新售價", null=True, blank=True)
    created_at = models.DateTimeField("時間", db_index=True)
    told_at = models.DateTimeField("通知時間", null=True, blank=True)
    silence = models.CharField("未通知的原因", max_length=8, choices=Silence, blank=True, default="", db_default="")

    class Meta:
        verbose_name = "商品事件"
        verbose_name_plural = "商品事件"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["product", "run", "kind"], name="priceevent_once"),
        ]
        indexes: ClassVar = [
            models.Index("id", name="priceevent_untold", condition=Q(told_at=None)),
            models.Index(fields=["silence", "-id"], name="priceevent_silence", condition=~Q(silence="")),
            models.Index(fields=["kind", "-created_at"], name="priceevent_kind_time"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.product}"


class QuarantinedPrice(models.Model):
    """An implausible price: held until a second run sees it again, or a user decides."""

    class Status(models.TextChoices):
        HELD = "held", "待確認"
        CONFIRMED = "confirmed", "再次看到，已採用"
        ACCEPTED = "accepted", "人工採用"
        REJECTED = "rejected", "人工拒絕"
        GONE = "gone", "未再出現"

    class Reason(models.TextChoices):
        JUMP = "jump", "漲跌幅過大"
        BELOW_LIST = "below_list", "遠低於原價"

    # No key: a product whose first price is held does not exist yet.
    code = models.CharField("品號", max_length=20)
    name = models.CharField("品名", max_length=500)
    product = models.ForeignKey(Product, models.CASCADE, null=True, blank=True, related_name="+", verbose_name="商品")
    price = models.PositiveIntegerField("看到的售價")
    known_price = models.PositiveIntegerField("目前售價", null=True, blank=True)
    list_price = models.PositiveIntegerField("原價", null=True, blank=True)
    reason = models.CharField("原因", max_length=10, choices=Reason)
    status = models.CharField("狀態", max_length=9, choices=Status, default=Status.HELD)
    run = models.ForeignKey("products.CrawlRun", models.PROTECT, related_name="+", verbose_name="首次看到的價格更新")
    observed_at = models.DateTimeField("看到時間")
    # How many implausible prices in a row were close to the one before, this one among them.
    sights = models.PositiveSmallIntegerField("接連看到", default=1, db_default=1)
    # The product was seen without a readable price, or its page without the product, since this price was seen.
    interrupted = models.BooleanField("中斷過", default=False, db_default=False)
    decided_at = models.DateTimeField("決定時間", null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name="決定者"
    )
    created_at = models.DateTimeField("建立時間", db_default=Now(), editable=False)

    class Meta:
        verbose_name = "待確認價格"
        verbose_name_plural = "待確認價格"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["code"], name="quarantine_one_held", condition=Q(status="held")),
        ]
        indexes: ClassVar = [models.Index(fields=["status", "-observed_at"], name="quarantine_status_time")]

    def __str__(self) -> str:
        return f"{self.code} {self.price}"
