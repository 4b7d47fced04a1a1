"""The domain of a product by its category and name."""

from __future__ import annotations

import pytest

from ai.checks.domains import guess_domain
from ai.models import Domain


@pytest.mark.parametrize(
    ("category", "name", "domain"),
    [
        ("美妝保養 > 臉部保養 > 精華液", "水潤玻尿酸精華 30ml", Domain.COSMETIC),
        ("美妝保養 > 彩妝 > 彩妝工具", "旅行化妝包", Domain.GENERAL),
        ("食品 > 保健食品 > 益生菌", "順暢益生菌 30包", Domain.FOOD),
        ("食品 > 保健食品", "健康食品認證 調節血脂紅麴膠囊 衛部健食字第A00001號", Domain.SUPPLEMENT),
        ("醫療保健 > 保健食品 > 魚油", "高濃度魚油 60粒", Domain.FOOD),
        ("醫療用品 > 血壓計", "手臂式血壓計", Domain.MEDICAL_DEVICE),
        ("隱形眼鏡", "日拋 30片", Domain.MEDICAL_DEVICE),
        ("家電 > 廚房家電", "全自動咖啡機", Domain.GENERAL),
        ("寵物 > 貓", "貓咪洗毛精沐浴乳", Domain.GENERAL),
        ("", "控油洗髮精 600ml", Domain.COSMETIC),
        ("", "阿里山烏龍茶葉 150g", Domain.FOOD),
        ("", "", Domain.GENERAL),
    ],
)
def test_guess(category: str, name: str, domain: str) -> None:
    assert guess_domain(category, name) == domain
