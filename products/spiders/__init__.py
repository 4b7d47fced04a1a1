"""The momo spider: parsers that are pure functions, and a crawl that runs in a child process of its own.

Nothing in this package imports Django. A worker imports `protocol`, which imports no Scrapy either.
"""
