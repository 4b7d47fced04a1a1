"""Paths below /api/ of AI."""

from django.urls import path

from ai.api import search, trends, views, views_check

urlpatterns = [
    path("ai/check", views_check.CheckView.as_view(), name="ai-check"),
    path("ai/generate", views.GenerateView.as_view(), name="ai-generate"),
    path("ai/providers", views.ProviderListView.as_view(), name="ai-providers"),
    path("ai/history", views.HistoryView.as_view(), name="ai-history"),
    path("ai/history/<int:generation_id>", views.GenerationView.as_view(), name="ai-generation"),
    path("ai/history/<int:generation_id>/favorite", views.FavoriteView.as_view(), name="ai-favorite"),
    path("ai/usage/stats", views.UsageView.as_view(), name="ai-usage"),
    path("ai/trending", trends.TrendingView.as_view(), name="ai-trending"),
    path("ai/search", search.SearchView.as_view(), name="ai-search"),
]
