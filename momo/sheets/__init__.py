"""Reads and writes spreadsheets. Only this package imports calamine.

`read` reads any format within bounds, `columns` matches headers to fields, `cells` converts values, `marks` returns a
file with its bad cells marked, `write` writes exports.
"""
