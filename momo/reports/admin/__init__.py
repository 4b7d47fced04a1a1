"""Admin pages of reports; importing the modules registers them."""

from momo.reports.admin import reports, runs

__all__ = ["reports", "runs"]
