"""Every odd workbook gives exactly its rows, its bad cells, or its precise error."""

from __future__ import annotations

from pathlib import Path

import pytest

from momo.sheets.cells import convert
from momo.sheets.errors import SheetError
from momo.sheets.notes import texts
from momo.sheets.read import Limits, read_rows
from tests.sheets import files
from tests.sheets.zoo import CASES, FIELDS, Case

LIMITS = Limits(bytes=50 << 20, unpacked_bytes=600 << 20, rows=300_000, columns=200)


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, id=name, marks=[pytest.mark.office] if case.office else []) for name, case in CASES.items()],
)
def test_case(case: Case, tmp_path: Path) -> None:
    path = tmp_path / "upload.bin"
    path.write_bytes(case.build())
    if case.refused:
        with pytest.raises(SheetError) as caught:
            convert(read_rows(path, name=case.name, limits=LIMITS, fields=FIELDS), FIELDS)
        for word in case.refused:
            assert word in str(caught.value)
        assert str(caught.value).endswith("。")
        return
    report = read_rows(path, name=case.name, limits=LIMITS, fields=FIELDS)
    converted = convert(report, FIELDS)
    found = [tuple(converted.columns[name][index] for name in case.fields) for index in range(len(converted.numbers))]
    assert found == [tuple(row) for row in case.rows]
    for row, expected in zip(found, case.rows, strict=True):
        assert [type(cell) for cell in row] == [type(cell) for cell in expected]
    headers = report.matched.headers
    wrong = [(converted.numbers[index], headers.get(name, ""), message) for index, name, _, message in converted.errors]
    assert [error[:2] for error in wrong] == [(bad.row, bad.header) for bad in case.bad]
    for (_, _, message), bad in zip(wrong, case.bad, strict=True):
        for word in bad.words:
            assert word in message
        assert message.endswith("。")
    if case.numbers is not None:
        assert converted.numbers == list(case.numbers)
    if case.unknown is not None:
        assert list(report.matched.unknown) == list(case.unknown)
    if case.sheet is not None:
        assert report.sheet == case.sheet
    if case.notes is not None:
        assert texts(converted.notes) == list(case.notes)


@pytest.mark.long
@pytest.mark.office
@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.office])
def test_case_as_libreoffice_saves_it_today(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else its files are those of tests/sheets/kept."""
    monkeypatch.setattr(files, "KEPT", tmp_path)
    test_case(CASES[name], tmp_path)


def test_there_are_enough() -> None:
    assert len(CASES) >= 40
