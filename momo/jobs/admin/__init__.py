"""Admin pages of imports and of column aliases."""

from momo.jobs.admin import aliases, jobs

__all__ = ["aliases", "jobs"]
