"""Paths below /api/ of the products domain."""

from django.urls import path

from products.api import views, watches

urlpatterns = [
    path("products", views.ProductListView.as_view(), name="products"),
    path("products/watches", watches.WatchListView.as_view(), name="watches"),
    path("products/watches/<int:watch_id>", watches.WatchView.as_view(), name="watch"),
    path("history/<str:product_id>", views.HistoryView.as_view(), name="history"),
    path("run_task", views.RunTaskView.as_view(), name="run-task"),
    path("trigger_momo_notification", views.TriggerNotificationView.as_view(), name="trigger-notification"),
    path("system/crawler/status", views.CrawlerStatusView.as_view(), name="crawler-status"),
    path("export/excel/<str:kind>", views.ExcelView.as_view(), name="export-excel"),
]
