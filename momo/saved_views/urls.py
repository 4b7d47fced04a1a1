"""CSV addresses of saved views, at the root of the site: no account is needed."""

from django.urls import path

from momo.core.secret_paths import VIEWS
from momo.saved_views.views import CsvView

urlpatterns = [
    path(f"{VIEWS.removeprefix('/')}<str:token>.csv", CsvView.as_view(), name="view_csv"),
]
