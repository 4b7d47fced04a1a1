"""A large sheet of .xlsx is inspected while calamine parses it: read as a small one, refused before it does harm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from momo.sheets.cells import convert
from momo.sheets.errors import SheetError
from momo.sheets.formats import xlsx
from momo.sheets.read import read_rows
from tests.sheets import files
from tests.sheets.cases import EXPECTED, TABLE
from tests.sheets.test_bounded import read, rows_of
from tests.sheets.test_hostile import FAR, REFUSED
from tests.sheets.test_zoo import LIMITS
from tests.sheets.zoo import CASES, FIELDS, Case


def _outcome(path: Path, case: Case) -> Any:
    report = read_rows(path, name=case.name, limits=LIMITS, fields=FIELDS)
    return report.rows, report.hidden, convert(report, FIELDS)


def test_every_odd_workbook_is_read_as_if_it_were_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "upload.bin"
    for name, case in CASES.items():
        if case.office or case.refused:  # what is refused may end the process
            continue
        path.write_bytes(case.build())
        monkeypatch.setattr(xlsx, "LARGE", 1 << 60)
        small = _outcome(path, case)
        monkeypatch.setattr(xlsx, "LARGE", 0)
        assert _outcome(path, case) == small, name


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(b'<row r="9" spans="1:5"></row>' * 300_000, id="searched"),
        pytest.param(b'<row r="9" spans="1:5"><c r = "A9"/></row>' * 200_000, id="parsed cell by cell"),
    ],
)
def test_a_far_cell_in_a_large_sheet_ends_in_a_sentence(before: bytes, tmp_path: Path) -> None:
    """Whichever is first: the inspection, or calamine's allocation beyond the memory of the process."""
    assert len(before) > xlsx.LARGE
    odd = files.sheet_xml(files.xlsx(TABLE), (b"</sheetData>", before + b"<row>" + FAR + b"</row></sheetData>"))
    with pytest.raises(SheetError) as caught:
        read(tmp_path / "a.xlsx", odd)
    assert any(word in str(caught.value) for word in (*REFUSED, "記憶體超過")), caught.value
    assert rows_of(read(tmp_path / "a.xlsx", files.xlsx(TABLE))) == list(EXPECTED)
