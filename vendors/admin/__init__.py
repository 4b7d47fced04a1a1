"""Admin pages of vendors and stockouts."""

from vendors.admin import answers, batches, mails, stockouts, vendors

__all__ = ["answers", "batches", "mails", "stockouts", "vendors"]
