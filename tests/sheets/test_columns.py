"""Which header is which field."""

from __future__ import annotations

import pytest

from momo.sheets.columns import NUMBER_HEADING, Field, Kind, match
from momo.sheets.errors import DuplicateColumn, SheetError

FIELDS = [
    Field("date", "日期", Kind.DATE, ("訂單日期", "日期"), required=True),
    Field("code", "品號", Kind.CODE, ("品號", "i_code"), required=True),
    Field("price", "售價", Kind.MONEY, ("售價(含稅)", "售價", "單價")),
    Field("category", "分類", Kind.TEXT, ("館別", "分類", "部門")),
]


def test_a_header_of_one_known_column_is_none() -> None:
    assert match([["日期", "x"], ["y", "z"]], FIELDS) is None


def test_no_rows() -> None:
    assert match([], FIELDS) is None


def test_the_row_with_the_most_fields_wins_the_first_of_equals() -> None:
    found = match([["日期", "品號"], ["日期", "品號", "售價"], ["日期", "品號", "售價"]], FIELDS)
    assert found is not None
    assert found.row == 1
    assert dict(found.columns) == {"date": 0, "code": 1, "price": 2}


def test_only_ten_rows_are_looked_at() -> None:
    assert match([[]] * 10 + [["日期", "品號"]], FIELDS) is None
    assert match([[]] * 9 + [["日期", "品號"]], FIELDS) is not None


def test_order_of_aliases_decides_between_headers_of_one_field() -> None:
    found = match([["部門", "分類", "館別", "日期", "品號"]], FIELDS)
    assert found is not None
    assert found.columns["category"] == 2
    assert found.headers["category"] == "館別"
    assert list(found.unknown) == []


def test_missing_and_unknown_are_named() -> None:
    found = match([["日期", "售價", "收件人\n姓名", None, 3.0, "備註"]], FIELDS)
    assert found is not None
    assert list(found.missing) == ["品號"]
    assert list(found.unknown) == ["收件人 姓名", "3.0", "備註"]


@pytest.mark.parametrize(
    "header", ["ｉ＿ＣＯＤＥ", " I _ code", "i_code（momo）", "i_code [x]", "i\n_code", "\ufeffi_code"]
)
def test_headers_are_compared_folded(header: str) -> None:
    found = match([["日期", header]], FIELDS)
    assert found is not None
    assert found.columns["code"] == 1


def test_the_header_to_the_letter_goes_before_the_one_without_its_bracket() -> None:
    found = match([["售價(未稅)", "售價(含稅)", "日期"]], FIELDS)
    assert found is not None
    assert found.columns["price"] == 1


def test_any_header_to_the_letter_goes_before_one_without_its_bracket() -> None:
    """Although the other's alias stands before its own."""
    found = match([["售價(會員)", "單價", "日期"]], FIELDS)
    assert found is not None
    assert found.headers["price"] == "單價"


@pytest.mark.parametrize(
    "bracket",
    [
        *("K", "USD", "美元", "%", "占比", "佔比", "達成率", "成長", "成長率"),
        *("目標", "預算", "預估", "去年", "去年同期", "上月", "上個月", "前期", "同期", "前一日", "YoY"),
        *("近30天", "近7日", "過去14天", "WoW", "會員", "店+", "退貨"),
        *("單價", "元/件", "每件", "累計", "本月", "月累計", "MTD", "平均"),
    ],
)
@pytest.mark.parametrize("brackets", ["()", "（）", "[]", "【】"])
def test_a_bracket_that_changes_what_is_meant_makes_a_header_unknown(bracket: str, brackets: str) -> None:
    header = f"售價{brackets[0]}{bracket}{brackets[1]}"
    found = match([["日期", "品號", header]], FIELDS)
    assert found is not None
    assert "price" not in found.columns
    assert list(found.unknown) == [header]


@pytest.mark.parametrize(
    "bracket",
    ["稅前", "含稅", "未稅", "元", "新台幣", "TWD", "NT$", "單位:元", "件", "必填", "中文", "momo", "年/月/日", "今年"],
)
def test_other_brackets_change_nothing(bracket: str) -> None:
    found = match([["日期", "品號", f"單價({bracket})"]], FIELDS)
    assert found is not None
    assert found.columns["price"] == 2


def test_staff_may_teach_a_header_with_such_a_bracket_and_it_is_that_one_alone() -> None:
    rows = [["日期", "品號", "行情(去年)", "行情"]]
    found = match(rows, FIELDS, {"price": ["行情(去年)"]})
    assert found is not None
    assert found.headers["price"] == "行情(去年)"
    assert list(found.unknown) == ["行情"]


def test_our_own_list_of_bad_rows_is_refused() -> None:
    with pytest.raises(SheetError, match=r"錯誤清單.*只含有錯的列；請在原檔修正後重新上傳。"):
        match([[1, "報表"], [NUMBER_HEADING, "日期", "品號"]], FIELDS)


def test_two_equal_headers_are_refused_with_their_places() -> None:
    with pytest.raises(DuplicateColumn, match=r"第 2 列有 2 個「品號」欄（B、AB）"):
        match([[], ["日期", "品號", *[""] * 25, "品　號"]], FIELDS)


def test_what_staff_have_taught() -> None:
    rows = [["出單日", "momo 編碼", "部門"]]
    assert match(rows, FIELDS) is None
    found = match(rows, FIELDS, {"date": ["出單日"], "code": ["MOMO編碼"]})
    assert found is not None
    assert dict(found.columns) == {"date": 0, "code": 1, "category": 2}


def test_what_staff_have_taught_says_which_field_a_known_header_is() -> None:
    found = match([["日期", "品號", "部門"]], FIELDS, {"price": ["部門"]})
    assert found is not None
    assert found.columns["price"] == 2
    assert "category" not in found.columns


def test_a_header_over_two_rows() -> None:
    found = match([["日期", "品號", "金額", ""], ["", "", "售價", "成本"]], FIELDS)
    assert found is not None
    assert found.row == 1
    assert dict(found.columns) == {"date": 0, "code": 1, "price": 2}
    assert list(found.unknown) == ["成本"]


def test_a_data_row_with_a_word_like_a_header_is_no_second_header_row() -> None:
    found = match([["日期", "品號", "說明"], ["2025/01/02", "A1", "分類"]], FIELDS)
    assert found is not None
    assert found.row == 0
