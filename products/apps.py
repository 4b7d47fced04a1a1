"""The app's configuration."""

from __future__ import annotations

from django.apps import AppConfig


class ProductsConfig(AppConfig):
    """The app; registers its audited fields and its events."""

    name = "products"
    verbose_name = "商品與價格"

    def ready(self) -> None:
        # Models exist only from here on.
        from products import audit, events  # noqa: PLC0415

        audit.register()
        events.register_events()
