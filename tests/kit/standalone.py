"""A stand-in as a process of its own, which a test may kill: prints its port, and runs until SIGTERM."""

from __future__ import annotations

import argparse
import json
import signal
from pathlib import Path
from typing import Any

from tests.kit.faults import FaultRule


def main(stand_in: type[Any], rule: type[FaultRule], **options: Any) -> None:
    """Run `stand_in(record, port=…, rules=…, seed=…, **options)` as the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--record", type=Path, required=True, help="file that acceptances are appended to")
    parser.add_argument("--rules", type=json.loads, default=[], help='JSON: [{"kind": "flood", "share": 0.05}]')
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    rules = [rule(**values) for values in given.rules]
    # Blocked before the server's thread starts, which inherits it: the signal then waits for sigwait below.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    running = stand_in(given.record, port=given.port, rules=rules, seed=given.seed, **options)
    running.start()
    print(running.port, flush=True)
    signal.sigwait({signal.SIGTERM})
    running.stop()
