"""Form fields that hold a list, one text on each line."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from momo.admin.kit.forms import LinesField

FIELD = LinesField(most=3, longest=5)


@pytest.mark.parametrize("sent", ["甲\r\n乙", " 甲 \n\n乙\n甲"])
def test_what_a_browser_sends_back_unchanged_is_no_change(sent: str) -> None:
    assert FIELD.clean(sent) == ["甲", "乙"]
    assert not FIELD.has_changed(["甲", "乙"], sent)
    assert FIELD.has_changed(["乙", "甲"], sent)


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ("1\n2\n3\n4", "最多 3 行，這裡有 4 行"),
        ("甲\n123456", "每一行最多 5 個字，且不含控制字元：'123456'"),
        ("a\u200eb", "每一行最多 5 個字，且不含控制字元：'a\\u200eb'"),
    ],
)
def test_a_list_beyond_its_bounds_is_refused_and_counts_as_changed(sent: str, said: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        FIELD.clean(sent)
    assert refusal.value.messages == [said]
    assert FIELD.has_changed([], sent)
