"""Serializers of the check endpoint."""

from __future__ import annotations

import json
from typing import Any

from rest_framework import serializers

from ai.checks.warnings import Check, Severity
from ai.models import Domain
from ai.services.checking import LONGEST
from momo.core.texts import is_storable
from momo.rest.serializers import StrictSerializer

MAX_FACTS = 8000  # characters of JSON


class CheckSerializer(StrictSerializer):
    """A text, and what it is about."""

    text = serializers.CharField(max_length=LONGEST, trim_whitespace=False, help_text="要檢查的文案")
    domain = serializers.ChoiceField(Domain.choices, required=False, help_text="適用哪一類法規；不填則依商品或品名判斷")
    facts = serializers.DictField(required=False, help_text="事實：brand、name、price、content…，值是文字、數字或清單")
    product_id = serializers.CharField(
        required=False, max_length=20, help_text="品號：取商品的事實，facts 有的以 facts 為準"
    )

    def validate_facts(self, facts: dict[str, Any]) -> dict[str, Any]:
        if len(json.dumps(facts, ensure_ascii=False)) > MAX_FACTS:
            raise serializers.ValidationError(f"最多 {MAX_FACTS:,} 字")
        if not is_storable(facts):
            raise serializers.ValidationError("不可以有無法儲存的字元")
        return facts


class WarningSerializer(serializers.Serializer[Any]):
    """A place of the text."""

    check = serializers.ChoiceField([str(one) for one in Check], help_text="facts：事實；claims：法規")
    kind = serializers.CharField(help_text="事實的種類，或宣稱的類別")
    severity = serializers.ChoiceField([str(one) for one in Severity])
    start = serializers.IntegerField(help_text="第一個字的位置，從 0 起，以字（code point）計")
    end = serializers.IntegerField(help_text="最後一個字之後的位置")
    text = serializers.CharField(help_text="text[start:end]")
    reason = serializers.CharField(allow_blank=True)
    suggestion = serializers.CharField(allow_blank=True, help_text="可以替換成的文字，或怎麼改")
    law = serializers.CharField(allow_blank=True)


class CheckedSerializer(serializers.Serializer[Any]):
    """What was found."""

    warnings = WarningSerializer(many=True)
    domain = serializers.ChoiceField(Domain.choices, help_text="採用的法規類別")
