"""A category is added by pasting its address."""

from __future__ import annotations

import pytest
from django.test import Client, override_settings
from django.urls import reverse

from momo.core.errors import ValidationFailed
from products.models import Category
from products.services.catalogue import read_category_address
from tests.kit.users import person

CODE = "1100100001"


@pytest.mark.parametrize(
    ("pasted", "level", "name"),
    [
        (f"https://www.momoshop.com.tw/categories/{CODE}", None, ""),
        (f"https://www.momoshop.com.tw/categories/{CODE}?p=2&sort=1#top", None, ""),
        (f"www.momoshop.com.tw/categories/{CODE}", None, ""),
        (f"https://www.momoshop.com.tw/category/DgrpCategory.jsp?d_code={CODE}&p_pageNum=1", 3, ""),
        (f"https://m.momoshop.com.tw/category.momo?cn={CODE}&page=1", None, ""),
        (f"保養精華液 - https://www.momoshop.com.tw/categories/{CODE}", None, "保養精華液"),
        (CODE, None, ""),
        (f" 精華液　{CODE}\n", None, "精華液"),
        ("１１００１００００１", None, ""),
    ],
)
def test_code_level_and_name_are_read_from_what_is_pasted(pasted: str, level: int | None, name: str) -> None:
    found = read_category_address(pasted)

    assert (found.code, found.level, found.name) == (CODE, level, name)


@pytest.mark.parametrize(
    ("pasted", "why"),
    [
        ("", "請貼上"),
        ("12345", "請貼上"),
        (f"https://evil.example/categories/{CODE}", "不是 momo"),
        (f"https://momoshop.com.tw.evil.example/categories/{CODE}", "不是 momo"),
        ("https://www.momoshop.com.tw/product/13326964", "商品的網址"),
        ("https://www.momoshop.com.tw/main/Main.jsp", "沒有分類代碼"),
        ("https://[www.momoshop.com.tw/categories/1", "不是正確的網址"),
    ],
)
def test_what_is_no_address_of_a_category_is_refused_with_the_reason(pasted: str, why: str) -> None:
    with pytest.raises(ValidationFailed, match=why):
        read_category_address(pasted)


@override_settings(MOMO_SHOP_URL="http://127.0.0.1:9009")
def test_the_shop_that_is_configured_counts_as_momo() -> None:
    assert read_category_address(f"http://127.0.0.1:9009/categories/{CODE}").code == CODE


@pytest.mark.django_db
def test_the_form_adds_a_category_by_its_address() -> None:
    client, page = Client(), reverse("admin:products_category_add")
    client.force_login(person("max", "manager"))
    address = f"https://m.momoshop.com.tw/category.momo?cn={CODE}"

    nameless = client.post(page, {"address": address, "enabled": "on"})
    client.post(page, {"address": address, "name": "精華液", "level": "2", "path": "", "enabled": "on"})
    again = client.post(page, {"address": address, "name": "別的", "enabled": "on"})

    one = Category.objects.get()
    assert "請填分類的名稱" in nameless.content.decode()
    assert (one.code, one.name, one.level, one.enabled) == (CODE, "精華液", 2, True)
    assert "「精華液」（1100100001）已經在清單裡" in again.content.decode()
