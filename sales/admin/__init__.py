"""Admin pages of sales: days with their versions, lines in force, alarms, targets, campaigns and notes of a day."""

from sales.admin import alarms, campaigns, days, lines, notes, targets

__all__ = ["alarms", "campaigns", "days", "lines", "notes", "targets"]
