"""Paths below /api/ of the bot."""

from django.urls import path

from bot.api import views

urlpatterns = [
    path("bot/command", views.CommandView.as_view(), name="bot-command"),
    path("bot/telegram/webhook", views.WebhookView.as_view(), name="bot-telegram-webhook"),
]
