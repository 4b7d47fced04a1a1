"""The admin of AI, by subject."""

from ai.admin import costs, facts, history, phrases, searches, styles, trends

__all__ = ["costs", "facts", "history", "phrases", "searches", "styles", "trends"]
