"""Bodies and query parameters of copy, its history and its usage."""

from __future__ import annotations

import json
from typing import Any

from rest_framework import serializers

from ai.api.serializers_check import MAX_FACTS, WarningSerializer
from ai.models import Domain, Generation
from ai.models.calls import Provider
from ai.selectors.usage import YEARS
from ai.services.prompts import DEFAULT_LENGTH, LENGTHS, MAX_KEYWORD, MAX_KEYWORDS, MAX_VARIANTS
from momo.core.texts import is_storable
from momo.rest.filters import DayField
from momo.rest.serializers import StrictSerializer


class GenerateSerializer(StrictSerializer):
    """Body of POST /api/ai/generate."""

    any_of = ("product_name", "product_id")

    product_name = serializers.CharField(required=False, max_length=500, help_text="品名；有 product_id 時可省略")
    product_id = serializers.CharField(required=False, max_length=20, help_text="momo 品號；採用商品目錄與商品事實")
    style = serializers.CharField(required=False, max_length=20, help_text="文案風格的名稱；預設為第一個")  # type: ignore[assignment]
    keywords = serializers.ListField(
        child=serializers.CharField(max_length=MAX_KEYWORD),
        required=False,
        max_length=MAX_KEYWORDS,
        help_text="要用到的關鍵字",
    )
    provider = serializers.ChoiceField(Provider.values, required=False, default=Provider.OLLAMA, help_text="供應者")
    facts = serializers.DictField(
        required=False, help_text="商品的事實，例如 brand、price、origin；值是文字、數字或文字的清單"
    )
    domain = serializers.ChoiceField(Domain.choices, required=False, help_text="適用的法規類別；省略時由分類與名稱判斷")
    length = serializers.IntegerField(
        required=False, default=DEFAULT_LENGTH, min_value=LENGTHS[0], max_value=LENGTHS[1], help_text="大約的字數"
    )
    variants = serializers.IntegerField(
        required=False, default=1, min_value=1, max_value=MAX_VARIANTS, help_text="版本數"
    )
    stream = serializers.BooleanField(required=False, default=False, help_text="以 server-sent events 逐字回應")

    def validate_facts(self, facts: dict[str, Any]) -> dict[str, Any]:
        """Bounded, and storable with the generation."""
        if len(json.dumps(facts, ensure_ascii=False)) > MAX_FACTS:
            raise serializers.ValidationError(f"最多 {MAX_FACTS:,} 字")
        if not is_storable(facts):
            raise serializers.ValidationError("不可以有無法儲存的字元")
        return facts


class VariantSerializer(serializers.Serializer[Any]):
    """One text of an answer."""

    id = serializers.IntegerField()
    content = serializers.CharField()
    converted = serializers.BooleanField(help_text="是否有簡體字轉成繁體字")
    original = serializers.CharField(allow_blank=True, help_text="轉換前的內容；沒有轉換時是空的")
    warnings = WarningSerializer(many=True)


class GeneratedSerializer(VariantSerializer):
    """Answer of POST /api/ai/generate; content and warnings are those of the first variant."""

    model = serializers.CharField()
    provider = serializers.ChoiceField(Provider.values, help_text="實際使用的供應者")
    fallback_from = serializers.CharField(allow_blank=True, help_text="因失敗而被取代的供應者；沒有時是空的")
    style = serializers.CharField()  # type: ignore[assignment]
    domain = serializers.ChoiceField(Domain.choices)
    duration = serializers.FloatField(help_text="秒")
    input_tokens = serializers.IntegerField()
    output_tokens = serializers.IntegerField(help_text="含思考")
    notices = serializers.ListField(child=serializers.CharField(), help_text="例如預算即將用完")
    variants = VariantSerializer(many=True)


class ProviderSerializer(serializers.Serializer[Any]):
    """A provider, and whether it can be used now."""

    provider = serializers.ChoiceField(Provider.values)
    label = serializers.CharField()  # type: ignore[assignment]
    available = serializers.BooleanField()
    reason = serializers.CharField(allow_blank=True, help_text="不能使用的原因與處理方式")
    model = serializers.CharField(help_text="產生文案使用的模型")
    models = serializers.ListField(child=serializers.CharField())


class GenerationSerializer(serializers.ModelSerializer[Generation]):
    """One text in the history."""

    username = serializers.CharField(source="call.username", help_text="誰產生的")
    product_id = serializers.CharField(source="product.product_id", default=None, allow_null=True, help_text="品號")
    provider = serializers.CharField(source="call.provider")
    model = serializers.CharField(source="call.model")
    duration = serializers.FloatField(source="call.seconds")
    input_tokens = serializers.IntegerField(source="call.input_tokens")
    output_tokens = serializers.IntegerField(source="call.output_tokens")
    warnings = WarningSerializer(many=True)
    request = serializers.DictField()
    extra = serializers.DictField()

    class Meta:
        model = Generation
        fields = (
            *("id", "kind", "username", "product_id", "product_name", "style", "provider", "model", "content"),
            *("original", "warnings", "request", "extra", "favorite", "created_at"),
            *("duration", "input_tokens", "output_tokens"),
        )


class FavoriteSerializer(serializers.Serializer[Any]):
    """The new state."""

    id = serializers.IntegerField()
    favorite = serializers.BooleanField()


class UsageQuerySerializer(serializers.Serializer[Any]):
    """Parameters of GET /api/ai/usage/stats."""

    start_date = DayField(help_text="起始日（含），YYYY-MM-DD；預設為結束日的月初")
    end_date = DayField(help_text=f"結束日（含），YYYY-MM-DD；預設為今天。期間最長 {YEARS} 年")


class CostSerializer(serializers.Serializer[Any]):
    """What calls have cost in one currency; a call that runs counts at what is reserved."""

    currency = serializers.CharField()
    amount = serializers.DecimalField(max_digits=20, decimal_places=6)


class UsageSerializer(serializers.Serializer[Any]):
    """Sums of calls."""

    calls = serializers.IntegerField()
    errors = serializers.IntegerField(help_text="失敗與中斷")  # type: ignore[assignment]
    input_tokens = serializers.IntegerField()
    output_tokens = serializers.IntegerField()
    searches = serializers.IntegerField()
    seconds = serializers.FloatField()
    costs = CostSerializer(many=True)


class DayUsageSerializer(UsageSerializer):
    """Sums of a day in Taipei."""

    date = serializers.DateField()


class ProviderUsageSerializer(UsageSerializer):
    """Sums of a provider."""

    provider = serializers.CharField()


class ModelUsageSerializer(ProviderUsageSerializer):
    """Sums of a model."""

    model = serializers.CharField()


class UserUsageSerializer(UsageSerializer):
    """Sums of a user."""

    username = serializers.CharField()


class UsageStatsSerializer(serializers.Serializer[Any]):
    """Answer of GET /api/ai/usage/stats."""

    start_date = serializers.DateField()
    end_date = serializers.DateField()
    totals = UsageSerializer()
    by_day = DayUsageSerializer(many=True)
    by_provider = ProviderUsageSerializer(many=True)
    by_model = ModelUsageSerializer(many=True)
    by_user = UserUsageSerializer(many=True)
