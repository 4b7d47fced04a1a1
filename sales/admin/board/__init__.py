"""The sales board: pages of a day, of a month, over time, and of what changed between two periods."""

from sales.admin.board.contribution import contribution_page
from sales.admin.board.day import day_page
from sales.admin.board.frame import TITLE, VIEW
from sales.admin.board.month import month_page
from sales.admin.board.movers import movers_page
from sales.admin.board.trend import trend_page

__all__ = ["TITLE", "VIEW", "contribution_page", "day_page", "month_page", "movers_page", "trend_page"]
