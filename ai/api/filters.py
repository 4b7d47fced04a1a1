"""Query parameters of the history."""

from __future__ import annotations

from django.db.models import QuerySet
from django_filters import CharFilter, ChoiceFilter

from ai.models import Call, Generation
from ai.selectors.history import matching
from momo.rest.filters import StrictBooleanFilter, StrictFilterSet


class GenerationFilter(StrictFilterSet):
    """`favorite`, `kind` and `q` of GET /api/ai/history."""

    favorite = StrictBooleanFilter(label="只看最愛（true）或其他（false）")
    kind = ChoiceFilter(choices=Call.Kind.choices, label="copy 文案；search 搜尋")
    q = CharFilter(method="by_text", max_length=100, label="內容、品名或搜尋的問題")

    def by_text(self, queryset: QuerySet[Generation], name: str, value: str) -> QuerySet[Generation]:
        return matching(queryset, value)
