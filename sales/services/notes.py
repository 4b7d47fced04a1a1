"""Changes of notes of a day."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from momo.core.texts import one_line
from sales.models import DayNote
from sales.services.rows import store


def save_note(*, note: DayNote | None = None, **fields: Any) -> DayNote:
    """Write a note (`date`, `text`, `author`), or change one: `fields` that are left out stay.

    Raises ValidationFailed, also for a second note of the same words on the same day.
    """
    with transaction.atomic():
        changed = DayNote() if note is None else DayNote.objects.select_for_update().get(pk=note.pk)
        for name, value in fields.items():
            setattr(changed, name, one_line(value) if isinstance(value, str) else value)
        store(changed)
    return changed


def delete_note(*, note: DayNote) -> None:
    """Delete a note."""
    note.delete()
