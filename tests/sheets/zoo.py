"""Odd workbooks, and what each must give: exact rows, exact bad cells, or a precise error. `CASES` is by name."""

from __future__ import annotations

from tests.sheets import zoo_cells, zoo_files, zoo_layout, zoo_shapes, zoo_written
from tests.sheets.cases import CASES, FIELDS, Bad, Case

__all__ = ["CASES", "FIELDS", "Bad", "Case"]

# Importing them is what fills CASES.
PARTS = (zoo_files, zoo_shapes, zoo_cells, zoo_layout, zoo_written)
