"""The stand-in as a process of its own, which a test may kill: prints its port, and runs until it is ended."""

from __future__ import annotations

import argparse
import json
import signal
import time
from pathlib import Path

from tests.fakes.telegram.rules import Rule
from tests.fakes.telegram.server import TelegramStandIn
from tests.fakes.telegram.state import TOKEN


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.fakes.telegram", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--record", type=Path, help="file that acceptances are appended to")
    parser.add_argument("--rules", type=json.loads, default=[], help='JSON: [{"kind": "flood", "share": 0.05}]')
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--token", default=TOKEN)
    parser.add_argument("--paced", action="store_true", help="hold the bot to the real limits")
    given = parser.parse_args()
    stand_in = TelegramStandIn(
        rules=[Rule(**rule) for rule in given.rules],
        seed=given.seed,
        record=given.record,
        paced=given.paced,
        port=given.port,
        token=given.token,
    )
    signal.signal(signal.SIGTERM, lambda *_: exit(0))
    stand_in.start()
    print(stand_in.port, flush=True)
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    main()
