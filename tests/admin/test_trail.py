"""What staff change of products, categories and schedules stands in the audit trail, with who did it."""

from __future__ import annotations

from typing import Any

import pytest
from auditlog.models import LogEntry
from django.test import Client
from django.urls import reverse
from django_celery_beat.models import PeriodicTask

from products.models import Category, Product
from tests.admin import makers

pytestmark = pytest.mark.django_db


def trail(instance: Any) -> list[dict[str, list[str]]]:
    entries = LogEntry.objects.get_for_object(instance).filter(action=LogEntry.Action.UPDATE).order_by("id")
    assert all(entry.actor is not None for entry in entries)
    return [entry.changes for entry in entries]


def test_a_note(as_boss: Client) -> None:
    makers.products(1)
    product = Product.objects.get()
    as_boss.post(reverse("admin:products_product_change", args=[product.pk]), {"note": "下週議價"})
    assert trail(product) == [{"note": ["", "下週議價"]}]


def test_categories_switched_together(as_boss: Client) -> None:
    makers.categories(2)
    chosen = list(Category.objects.values_list("pk", flat=True))
    for action in ("disable", "enable"):
        as_boss.post(
            reverse("admin:products_category_changelist"), {"action": action, "_selected_action": chosen, "index": 0}
        )
    for category in Category.objects.all():
        assert trail(category) == [{"enabled": ["True", "False"]}, {"enabled": ["False", "True"]}]


def test_a_schedule(as_boss: Client) -> None:
    task = PeriodicTask.objects.filter(enabled=True).exclude(name__startswith="celery.").first()
    assert task is not None
    url = reverse("admin:django_celery_beat_periodictask_changelist")
    as_boss.post(url, {"action": "disable", "_selected_action": [task.pk], "index": 0})
    assert trail(task) == [{"enabled": ["True", "False"]}]
    # The scheduler's own notes are no changes of anybody.
    task.refresh_from_db()
    task.total_run_count += 1
    task.save()
    assert len(trail(task)) == 1
