"""Paths below /api/ of reports."""

from django.urls import path

from momo.reports.api import views

urlpatterns = [
    path("reports", views.ReportListView.as_view(), name="report-list"),
    path("reports/<int:report_id>/preview", views.ReportPreviewView.as_view(), name="report-preview"),
]
