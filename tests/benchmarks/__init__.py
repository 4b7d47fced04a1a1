"""Speed, side by side with its floors and peers: `make bench`, `make bench ARGS="api --quick"`.

Figures are printed, never asserted: a machine under load would fail a good change. Each benchmark is a module with
`run(context) -> list[Row]`, named here.
"""

BENCHMARKS = {
    "crawl": "tests.benchmarks.crawl",
    "apply": "tests.benchmarks.apply",
    "api": "tests.benchmarks.api",
    "auth": "tests.benchmarks.auth",
    "metrics": "tests.benchmarks.metrics",
    "export": "tests.benchmarks.export",
    "sales": "tests.benchmarks.sales",
    "vendors": "tests.benchmarks.vendors",
    "outbox": "tests.benchmarks.outbox",
    "vendors_mails": "tests.benchmarks.vendors_mails",
    "vendors_board": "tests.benchmarks.vendors_board",
    "checks": "tests.benchmarks.checks",
    "generate": "tests.benchmarks.generate",
    "bot": "tests.benchmarks.bot",
    "pages": "tests.benchmarks.pages",
    "cleanup": "tests.benchmarks.cleanup",
    "scale": "tests.benchmarks.scale",
}
