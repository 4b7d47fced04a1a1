"""`python -m tests.benchmarks.bare_spider`: downloads and parses the pages of a job on stdin, and keeps nothing.

The floor of a crawl: Scrapy as it comes, with the parsers of the product. The job is {"url", "concurrency", "pages":
[[category, level, page], …], "products": [goods code, …]}; the answer on stdout {"pages", "items"}.
"""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from typing import Any

from scrapy import Request, Spider
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.http import Response

from products.spiders.parsers import parse_category_page, parse_product_page
from products.spiders.spider import LIST_PATH


class BareSpider(Spider):
    """One request for each page of the job."""

    name = "bare"
    pages = 0
    items = 0

    def __init__(self, job: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.job = job

    async def start(self) -> AsyncIterator[Request]:
        """Hand the requests to Scrapy's scheduler."""
        shop = self.job["url"]
        for category, level, page in self.job["pages"]:
            question = {
                "host": "momoshop",
                "data": {
                    "cateCode": category,
                    "cateLevel": level,
                    "curPage": str(page),
                    "sortType": "",
                    "dispCnt": "35",
                    "brandCode": [],
                    "brandName": [],
                },
            }
            yield Request(
                shop + LIST_PATH,
                method="POST",
                body=json.dumps(question).encode(),
                headers={"Content-Type": "application/json", "Accept": "application/json"},
                callback=self.read_list,
            )
        for code in self.job["products"]:
            yield Request(f"{shop}/product/{code}", callback=self.read_product)

    def read_list(self, response: Response) -> None:
        """Parse a page of a category's list."""
        self.pages += 1
        self.items += len(parse_category_page(response.body, self.job["url"]).items)

    def read_product(self, response: Response) -> None:
        """Parse a product's own page."""
        self.pages += 1
        parse_product_page(response.body, response.url)


def main() -> None:
    """Run the job on stdin."""
    job = json.load(sys.stdin)
    process = AsyncCrawlerProcess(
        {
            "CONCURRENT_REQUESTS": job["concurrency"],
            "CONCURRENT_REQUESTS_PER_DOMAIN": job["concurrency"],
            "DOWNLOAD_DELAY": 0,
            "ROBOTSTXT_OBEY": False,
            "COOKIES_ENABLED": False,
            "TELNETCONSOLE_ENABLED": False,
            "LOG_LEVEL": "ERROR",
        }
    )
    crawler = process.create_crawler(BareSpider)
    process.crawl(crawler, job=job)
    process.start()
    spider = crawler.spider
    assert isinstance(spider, BareSpider)
    print(json.dumps({"pages": spider.pages, "items": spider.items}))


if __name__ == "__main__":
    main()
