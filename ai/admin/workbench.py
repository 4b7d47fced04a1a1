"""The workbench: writes copy with a provider, marks what the checks find in it, and checks it again while it is edited.

Scripts (`static/admin_momo/workbench*.js`) ask the API; only what the API does not have comes from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path, reverse

from ai.models import Domain
from ai.selectors.styles import enabled_styles
from ai.services import prompts
from ai.services.subjects import subject_of
from momo.core.errors import ValidationFailed
from products.models import Product

LONGEST_ID = 20  # characters, as in the API


@dataclass(frozen=True)
class Fact:
    """A field of the form: `key` of `ai.checks.facts.KEYS`; `lines`: a list, an entry a line,
    that of a promotion with its period at the end.
    """

    key: str
    label: str
    hint: str = ""
    lines: bool = False
    numeric: bool = False


FACTS = (
    Fact("brand", "品牌"),
    Fact("price", "售價", numeric=True),
    Fact("list_price", "原價", numeric=True),
    Fact("content", "容量或重量", "30ml"),
    Fact("count", "入數", "2 入"),
    Fact("origin", "產地", "台灣"),
    Fact("warranty", "保固", "一年"),
    Fact("shelf_life", "保存期限", "三年"),
    Fact("ingredients", "成分", lines=True),
    Fact("certifications", "認證與檢驗", lines=True),
    Fact("awards", "獎項", lines=True),
    Fact("patents", "專利", lines=True),
    Fact("promotion", "促銷", "買一送一 2026-11-01～2026-11-30", lines=True),
    Fact("other", "其他事實", lines=True),
)


class WorkbenchPages:
    """Pages of `StyleAdmin`, for users who may view styles: those of every role."""

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view  # type: ignore[attr-defined]
        own = [
            path("workbench/", view(self.workbench), name="ai_style_workbench"),
            path("workbench/product/", view(self.workbench_product), name="ai_style_workbench_product"),
        ]
        return [*own, *super().get_urls()]  # type: ignore[misc]

    def workbench(self, request: HttpRequest) -> HttpResponse:
        """The page; `product` names momo's goods code of the product that it begins with."""
        self._check(request)
        shortest, longest = prompts.LENGTHS
        return self.own_page(  # type: ignore[attr-defined,no-any-return]
            request,
            "admin/ai/workbench.html",
            title="文案工作台",
            opts=None,
            choices=enabled_styles(),
            domains=Domain.choices,
            facts=FACTS,
            limits={
                "shortest": shortest,
                "longest": longest,
                "length": prompts.DEFAULT_LENGTH,
                "variants": prompts.MAX_VARIANTS,
                "keywords": prompts.MAX_KEYWORDS,
                "keyword": prompts.MAX_KEYWORD,
            },
        )

    def workbench_product(self, request: HttpRequest) -> JsonResponse:
        """What a generation would take as facts of `product_id`, and its domain; 404 without such a product."""
        self._check(request)
        product_id = request.GET.get("product_id", "")[:LONGEST_ID]
        try:
            subject = subject_of(product_id=product_id, product_name="", facts={}, domain="")
        except ValidationFailed:
            return JsonResponse({"error": f"找不到品號 {product_id}"}, status=404)
        product = cast(Product, subject.product)  # without one the name would be missing, and refused
        return JsonResponse(
            {
                "product_id": product.product_id,
                "name": subject.name,
                "facts": subject.facts,
                "domain": Domain(subject.domain).label,
                "image_url": product.image_url,
                "url": reverse("admin:products_product_change", args=[product.pk]),
            }
        )

    def _check(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
