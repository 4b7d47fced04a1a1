"""Paths below /api/ of the sales domain."""

from django.urls import path

from sales.api import views

urlpatterns = [
    path("daily_sales", views.DailySalesView.as_view(), name="daily-sales"),
    path("monthly_summary", views.MonthlySummaryView.as_view(), name="monthly-summary"),
    path("sales/trend", views.TrendView.as_view(), name="sales-trend"),
    path("export/daily_sales", views.ExportDailySalesView.as_view(), name="export-daily-sales"),
]
