"""Styles, phrases, fact sheets, calls with their cost, generations, and trends."""

from ai.models.calls import Budget, Call, DayUsage, ModelPrice
from ai.models.copy import FactSheet, Generation, Style
from ai.models.phrases import Domain, Phrase
from ai.models.searches import Search
from ai.models.trends import TrendCategory, TrendList

__all__ = [
    "Budget",
    "Call",
    "DayUsage",
    "Domain",
    "FactSheet",
    "Generation",
    "ModelPrice",
    "Phrase",
    "Search",
    "Style",
    "TrendCategory",
    "TrendList",
]
