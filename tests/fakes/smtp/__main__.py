"""The stand-in as a process; it keeps the size of each message, not the message."""

from tests.fakes.smtp.faults import Rule
from tests.fakes.smtp.server import SmtpStandIn
from tests.kit.standalone import main

main(SmtpStandIn, Rule, with_content=False)
