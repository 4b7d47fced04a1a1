"""The URLs of imports and of logging in, so that a fault elsewhere does not show here."""

from django.urls import include, path

from accounts.api.urls import urlpatterns as accounts_api
from momo.jobs.api.urls import urlpatterns as jobs_api
from momo.rest.views import SchemaView

urlpatterns = [
    path("", include("accounts.urls")),
    path("api/", include([*accounts_api, *jobs_api])),
    path("api/schema", SchemaView.as_view(), name="schema"),
]
