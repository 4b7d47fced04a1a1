"""The admin of AI, by subject."""

from ai.admin import costs, phrases, searches, styles, trends

__all__ = ["costs", "phrases", "searches", "styles", "trends"]
