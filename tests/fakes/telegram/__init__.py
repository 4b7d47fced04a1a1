"""A stand-in for Telegram's Bot API over real HTTP, with its rules, its pace and its troubles."""

from tests.fakes.telegram.html import BadMarkup, visible
from tests.fakes.telegram.rules import CLOSED, Rule
from tests.fakes.telegram.server import TelegramStandIn
from tests.fakes.telegram.state import TOKEN, Accepted, read_record

__all__ = ["CLOSED", "TOKEN", "Accepted", "BadMarkup", "Rule", "TelegramStandIn", "read_record", "visible"]
