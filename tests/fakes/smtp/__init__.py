"""A mail server on loopback: aiosmtpd, with troubles that a test orders and a record that survives it.

    with running_smtp(tmp_path / "record") as server:
        server.fail("rcpt", "450 4.2.0 Greylisted", recipient="slow@", times=1)
        settings.EMAIL_URL = server.url
        ...
        assert server.accepted()[0].recipient == "a@example.com"

`python -m tests.fakes.smtp` runs it as a process of its own. `raw_server` plays whatever a test writes, also what is
no SMTP at all.
"""

from tests.fakes.smtp.certificates import Certificates, make_certificates
from tests.fakes.smtp.faults import Rule
from tests.fakes.smtp.raw import Line, raw_server
from tests.fakes.smtp.record import Accepted, read_record
from tests.fakes.smtp.server import SmtpStandIn, running_smtp

__all__ = [
    "Accepted",
    "Certificates",
    "Line",
    "Rule",
    "SmtpStandIn",
    "make_certificates",
    "raw_server",
    "read_record",
    "running_smtp",
]
