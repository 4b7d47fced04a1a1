"""Imports in the admin: what runs, what went wrong, a page to bring files, and the headers that staff teach."""

from momo.jobs.admin import aliases, jobs

__all__ = ["aliases", "jobs"]
