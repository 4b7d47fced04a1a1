"""Sales in the admin: days and their versions, and the lines behind them."""

from sales.admin import days, lines

__all__ = ["days", "lines"]
