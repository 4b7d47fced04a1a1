"""Paths below /api/ of the sales domain."""

from django.urls import path

from sales.api import alarms, plans, views

urlpatterns = [
    path("daily_sales", views.DailySalesView.as_view(), name="daily-sales"),
    path("monthly_summary", views.MonthlySummaryView.as_view(), name="monthly-summary"),
    path("sales/trend", views.TrendView.as_view(), name="sales-trend"),
    path("sales/targets", plans.TargetListView.as_view(), name="sales-targets"),
    path("sales/targets/attainment", plans.AttainmentView.as_view(), name="sales-attainment"),
    path("sales/targets/<int:target_id>", plans.TargetView.as_view(), name="sales-target"),
    path("sales/campaigns", plans.CampaignListView.as_view(), name="sales-campaigns"),
    path("sales/campaigns/<int:campaign_id>", plans.CampaignView.as_view(), name="sales-campaign"),
    path("sales/notes", plans.NoteListView.as_view(), name="sales-notes"),
    path("sales/notes/<int:note_id>", plans.NoteView.as_view(), name="sales-note"),
    path("sales/alarms", alarms.AlarmListView.as_view(), name="sales-alarms"),
    path("sales/alarms/acknowledge", alarms.AcknowledgeView.as_view(), name="sales-acknowledge"),
    path("export/daily_sales", views.ExportDailySalesView.as_view(), name="export-daily-sales"),
]
