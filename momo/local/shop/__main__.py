"""`python -m momo.local.shop`: a process that prints its address and closes on SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import signal
from datetime import date

from .catalogue import Catalogue
from .server import DemoShop


def _day(given: argparse.Namespace) -> int:
    passed = (date.today() - given.epoch).days if given.epoch else 0  # noqa: DTZ011 - the machine's own calendar
    return int(given.day) + max(0, passed)


def main(arguments: list[str] | None = None) -> int:
    """Run the shop until told to stop; the exit status is 0 then."""
    parser = argparse.ArgumentParser(prog="momo.local.shop", description="A demo shop that speaks as momo does.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--size", type=int, default=600, help="products on day 0")
    parser.add_argument("--categories", type=int, help="default: one for each 100 products, 6 at least")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--day", type=int, default=0, help="the shop's day, or with --epoch its day on that date")
    parser.add_argument(
        "--epoch", type=date.fromisoformat, help="a date; the shop's day moves on at each midnight after it"
    )
    parser.add_argument("--prepare", action="store_true", help="build the category pages before the address is printed")
    parser.add_argument("--public-url", help="what links begin with, if not the address it listens on")
    given = parser.parse_args(arguments)

    # Blocked before the server's thread starts, which inherits it: the signal then waits for sigwait below.
    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    catalogue = Catalogue(given.seed, given.size, given.categories)
    with DemoShop(catalogue, _day(given), given.host, given.port, given.public_url) as shop:
        if given.prepare:
            shop.prepare()
        print(shop.url, flush=True)
        while signal.sigtimedwait(signals, 30) is None:
            if given.epoch:
                shop.set_day(_day(given))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
