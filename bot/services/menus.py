"""The menus of commands that Telegram shows: in each linked private chat those of the user's role."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence

from django.conf import settings
from django.utils import timezone
from telegram import Bot, BotCommandScope, BotCommandScopeChat, BotCommandScopeDefault

from bot.models import Menu, TelegramAccount
from bot.registry import Command, all_commands, commands_for
from bot.services.telegram import worker_call
from momo.core.errors import ServiceError

logger = logging.getLogger(__name__)

EVERYWHERE = 0  # in the place of a chat's number: all chats without a menu of their own
_FAILURES = 3  # after which the rest waits for the next sweep


def sync_menus() -> int:
    """Set the menus that differ from what is wanted, after a change of links, roles or commands. Returns how many."""
    if not settings.TELEGRAM_BOT_TOKEN:
        return 0
    wanted = wanted_menus()
    known = dict(Menu.objects.values_list("telegram_id", "digest"))
    changed = failures = 0
    for telegram_id in sorted(wanted.keys() | known.keys()):
        commands = wanted.get(telegram_id, [])
        if known.get(telegram_id) == digest(commands):
            continue
        try:
            _set(telegram_id, commands)
        except ServiceError as error:
            logger.warning("the menu of %s is not set: %s", telegram_id, error)
            failures += 1
            if failures == _FAILURES:
                break
        else:
            changed += 1
    return changed


def wanted_menus() -> dict[int, list[Command]]:
    """Return the commands to show, by the number of the private chat."""
    accounts = TelegramAccount.objects.select_related("user").filter(user__is_active=True)
    start = [command for command in all_commands() if command.name == "start"]
    own = {account.telegram_id: commands_for(account.user) for account in accounts if account.user is not None}
    return {EVERYWHERE: start} | own


def digest(commands: Sequence[Command]) -> str:
    """What distinguishes one menu from another."""
    text = "\n".join(f"{command.name} {command.summary}" for command in commands)
    return hashlib.sha256(text.encode()).hexdigest()


def _set(telegram_id: int, commands: Sequence[Command]) -> None:
    scope: BotCommandScope = BotCommandScopeChat(telegram_id) if telegram_id else BotCommandScopeDefault()
    shown = [(command.name, command.summary) for command in commands]

    async def change(bot: Bot) -> bool:
        return await (bot.set_my_commands(shown, scope=scope) if shown else bot.delete_my_commands(scope=scope))

    worker_call(change)
    if shown:
        values = {"digest": digest(commands), "set_at": timezone.now()}
        Menu.objects.update_or_create(telegram_id=telegram_id, defaults=values)
    else:
        Menu.objects.filter(telegram_id=telegram_id).delete()
