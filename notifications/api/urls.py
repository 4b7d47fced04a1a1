"""Paths below /api/ of notifications."""

from django.urls import path

from notifications.api import telegram, views_templates

urlpatterns = [
    path("notification/render", views_templates.RenderView.as_view(), name="notification-render"),
    path("notification/telegram", telegram.TelegramView.as_view(), name="notification-telegram"),
    path("notification/templates", views_templates.TemplateListView.as_view(), name="notification-templates"),
    path(
        "notification/templates/<str:code>",
        views_templates.TemplateView.as_view(),
        name="notification-template",
    ),
    path(
        "notification/templates/<str:code>/versions",
        views_templates.TemplateVersionsView.as_view(),
        name="notification-template-versions",
    ),
]
