"""The app of the Telegram bot."""

from __future__ import annotations

from django.apps import AppConfig


class BotConfig(AppConfig):
    """The bot app; registers its commands and its audited fields."""

    name = "bot"
    verbose_name = "機器人"

    def ready(self) -> None:
        # Commands import models, which exist only from here on.
        import bot.commands  # noqa: F401, PLC0415 - registers them
        from bot import audit  # noqa: PLC0415

        audit.register()
