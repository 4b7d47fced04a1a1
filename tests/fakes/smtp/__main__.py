"""The stand-in as a process of its own, which a test may kill: prints its port, and runs until it is ended."""

from __future__ import annotations

import argparse
import json
import signal
import time
from pathlib import Path

from tests.fakes.smtp.faults import Rule
from tests.fakes.smtp.server import SmtpStandIn


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.fakes.smtp", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--record", type=Path, required=True, help="file that acceptances are appended to")
    parser.add_argument("--rules", type=json.loads, default=[], help='JSON: [{"at": "rcpt", "answer": "450 …"}]')
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--with-content", action="store_true", help="keep each message, not only its size")
    given = parser.parse_args()
    stand_in = SmtpStandIn(
        given.record,
        port=given.port,
        rules=tuple(Rule(**rule) for rule in given.rules),
        seed=given.seed,
        with_content=given.with_content,
    )
    signal.signal(signal.SIGTERM, lambda *_: exit(0))
    stand_in.start()
    print(stand_in.port, flush=True)
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    main()
