"""The admin's list of alarms: what it leads to, and who acknowledges."""

from __future__ import annotations

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.test import Client
from django.urls import reverse

from sales.models import Alarm
from tests.admin import makers

pytestmark = pytest.mark.django_db
URL = reverse("admin:sales_alarm_changelist")


def acknowledged(client: Client, *alarms: Alarm) -> int:
    """Choose the alarms and acknowledge them; how many are acknowledged then."""
    client.post(URL, {"action": "acknowledge_chosen", ACTION_CHECKBOX_NAME: [one.pk for one in alarms]})
    return Alarm.objects.exclude(acknowledged_at=None).count()


def test_managers_acknowledge_and_readers_do_not(as_manager: Client, as_reader: Client) -> None:
    one, two, other = makers.sales_alarms(3)

    assert acknowledged(as_reader, one) == 0
    assert acknowledged(as_manager, one, two) == 2
    assert [alarm.pk for alarm in as_reader.get(f"{URL}?state=open").context["cl"].result_list] == [other.pk]


def test_an_alarm_leads_to_its_lines(as_reader: Client) -> None:
    (one,) = makers.sales_alarms(1)

    page = as_reader.get(URL).content.decode()

    lines = f"date_from={one.date}&amp;date_to={one.date}&amp;product_code__icontains={one.key}"
    assert lines in page
