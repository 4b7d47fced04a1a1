"""`python -m ai.spiders.child`: one job of trends from stdin, its lines to stdout; see `products.spiders.child`."""

from __future__ import annotations

import sys

from ai.spiders.protocol import TrendJob
from ai.spiders.spider import TrendSpider
from products.spiders.child import run

if __name__ == "__main__":
    sys.exit(run(TrendJob.from_json, TrendSpider))
