"""Reads and writes spreadsheets. Only this package imports calamine.

`bounded` reads files from outside, in processes of their own (`process`): callers use nothing else to read. In such a
process `read` reads any format within bounds, `columns` matches headers to fields, `cells` converts values, and `marks`
returns a file with its bad cells marked. `write` writes exports.
"""
