"""Filters of lists that users saved, and the CSV addresses of these lists for spreadsheets."""
