"""Pages of vendors, at the root of the site: no account is needed."""

from django.urls import path

from vendors.views import AnswerView

urlpatterns = [
    path("vendor/answer/<str:token>", AnswerView.as_view(), name="vendor_answer"),
]
