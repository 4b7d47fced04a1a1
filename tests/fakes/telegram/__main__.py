"""The stand-in as a process."""

from tests.fakes.telegram.rules import Rule
from tests.fakes.telegram.server import TelegramStandIn
from tests.kit.standalone import main

main(TelegramStandIn, Rule)
