"""Admin pages of sales: days with their versions, and lines in force."""

from sales.admin import days, lines

__all__ = ["days", "lines"]
