"""Storing of rows that staff enter."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Model

from momo.core.errors import Conflict, validation_failed


def store(row: Model) -> None:
    """Check a row as its model says, and save it.

    Raises ValidationFailed with the fields that are not acceptable; Conflict if another user stored the same meanwhile.
    """
    try:
        row.full_clean()
    except ValidationError as error:
        raise validation_failed(error) from error
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise Conflict("另一位使用者剛剛存了相同的資料，請重新整理後再試") from error
