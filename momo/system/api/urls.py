"""Paths of the system below /api."""

from django.urls import path

from momo.system.api.control import CleanupView, RestartView
from momo.system.api.status import SystemStatusView

urlpatterns = [
    path("system/status", SystemStatusView.as_view(), name="system-status"),
    path("system/cleanup", CleanupView.as_view(), name="system-cleanup"),
    path("system/k8s/restart", RestartView.as_view(), name="system-k8s-restart"),
]
