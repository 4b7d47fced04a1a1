"""Answers of the search, for a page of their own in the admin."""

from __future__ import annotations

from ai.models.copy import Generation


class Search(Generation):
    """The generations whose kind is search: `request` has the query, `extra` sources, queries and the entry point."""

    class Meta:
        proxy = True
        verbose_name = "上網搜尋"
        verbose_name_plural = "上網搜尋"

    def __str__(self) -> str:
        return str(self.request.get("query", ""))[:100]
