"""Paths below /api/ of vendors and stockouts."""

from django.urls import path

from vendors.api import views, views_import, views_send

urlpatterns = [
    path("vendor/stockout", views.StockoutListView.as_view(), name="vendor-stockouts"),
    path("vendor/stockout/import", views_import.StockoutImportView.as_view(), name="vendor-stockout-import"),
    path("vendor/stockout/send", views_send.SendView.as_view(), name="vendor-stockout-send"),
    path("vendor/list", views.VendorListView.as_view(), name="vendors"),
    path("vendor/list/<int:vendor_id>", views.VendorView.as_view(), name="vendor"),
    path("vendor/<int:vendor_id>/emails", views.VendorEmailsView.as_view(), name="vendor-emails"),
    path("vendor/email/<int:email_id>", views.EmailView.as_view(), name="vendor-email"),
]
