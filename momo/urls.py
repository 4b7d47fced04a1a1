"""URL configuration of the project."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from accounts.api.urls import urlpatterns as accounts_api
from ai.api.urls import urlpatterns as ai_api
from bot.api.urls import urlpatterns as bot_api
from momo.jobs.api.urls import urlpatterns as jobs_api
from momo.reports.api.urls import urlpatterns as reports_api
from momo.rest.views import DocsView, SchemaView
from momo.system.api.urls import urlpatterns as system_api
from notifications.api.urls import urlpatterns as notifications_api
from products.api.urls import urlpatterns as products_api
from sales.api.urls import urlpatterns as sales_api
from vendors.api.urls import urlpatterns as vendors_api
from vendors.urls import urlpatterns as vendor_pages

urlpatterns = [
    path("", RedirectView.as_view(url="/admin/", permanent=False)),
    path("admin/", admin.site.urls),
    path("", include("accounts.urls")),
    path(
        "api/",
        include(
            [
                *accounts_api,
                *products_api,
                *jobs_api,
                *sales_api,
                *vendors_api,
                *notifications_api,
                *ai_api,
                *bot_api,
                *reports_api,
                *system_api,
            ]
        ),
    ),
    path("", include(vendor_pages)),
    path("", include("momo.saved_views.urls")),
    path("api/schema", SchemaView.as_view(), name="schema"),
    path("api/docs", DocsView.as_view(), name="docs"),
]

handler500 = "momo.rest.pages.server_error"
