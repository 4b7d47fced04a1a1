"""`python -m momo.local.shop`: a process that prints its address and ends on SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import signal
from datetime import date

from .catalogue import Catalogue
from .server import DemoShop


def main() -> None:
    """Run the shop until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="momo.local.shop", description="A demo shop that speaks as momo does.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--size", type=int, default=600, help="products on day 0")
    parser.add_argument("--day", type=int, default=0, help="the shop's day, or with --epoch its day on that date")
    parser.add_argument(
        "--epoch", type=date.fromisoformat, help="a date; the shop's day moves on at each midnight after it"
    )
    given = parser.parse_args()

    def today() -> int:
        passed = (date.today() - given.epoch).days if given.epoch else 0  # noqa: DTZ011 - the machine's own calendar
        return int(given.day) + max(0, passed)

    # Blocked before the server's thread starts, which inherits it: the signal then waits for sigtimedwait below.
    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    with DemoShop(Catalogue(size=given.size), today(), port=given.port) as shop:
        print(shop.url, flush=True)
        while signal.sigtimedwait(signals, 30) is None:
            if today() != shop.day:
                shop.set_day(today())


if __name__ == "__main__":
    main()
