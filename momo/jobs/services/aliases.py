"""Headers that people teach: which are refused, and those that they map while they import a file."""

from __future__ import annotations

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.db import transaction

from momo.core.errors import ValidationFailed
from momo.core.texts import storable
from momo.jobs.importers import importer_for, importers
from momo.jobs.models import ColumnAlias
from momo.sheets.columns import normalised


def field_label(job_type: str, name: str) -> str:
    """Return the label of a field; its name where no importer has it any more."""
    importer = importers().get(job_type)
    return next((one.label for one in importer.fields if one.name == name), name) if importer else name


def complaint(alias: ColumnAlias) -> str:
    """Return why an alias is refused: no character to compare, or a meaning that the header already has; else empty."""
    if not normalised(alias.alias):
        return "標題沒有可以比對的文字"
    same = ColumnAlias.objects.filter(job_type=alias.job_type).exclude(pk=alias.pk)
    if any(normalised(other) == normalised(alias.alias) for other in same.values_list("alias", flat=True)):
        return "這個標題已經是其他欄位的別名"
    return _taken(alias)


def _taken(alias: ColumnAlias) -> str:
    """Return the complaint for a header that the importer itself knows for another field, which would lose its column.

    A header that the importer knows for several fields may be an alias of one of them.
    """
    importer = importers().get(alias.job_type)
    if importer is None:
        return ""
    header = normalised(alias.alias)
    owners = {one.name: one.label for one in importer.fields if header in map(normalised, one.aliases)}
    if not owners or alias.field in owners:
        return ""
    wanted = field_label(alias.job_type, alias.field)
    return f"這個標題原本是「{'」、「'.join(owners.values())}」，不能改作「{wanted}」"


def learn_columns(*, job_type: str, columns: Mapping[str, str]) -> list[ColumnAlias]:
    """Store each header of `columns` (field name → header) as an alias of its field, all or none.

    Raises ValidationFailed for an unknown type or field, and for a header that cannot be one.
    """
    importer = importer_for(job_type)
    if importer is None:
        raise ValidationFailed("請選擇報表類型")
    known = {field.name for field in importer.fields}
    made = []
    with transaction.atomic():
        for name, header in columns.items():
            if name not in known:
                raise ValidationFailed(f"沒有「{name}」這個欄位")
            made.append(_learn(ColumnAlias(job_type=job_type, field=name, alias=" ".join(storable(header).split()))))
    return made


def _learn(alias: ColumnAlias) -> ColumnAlias:
    label = field_label(alias.job_type, alias.field)
    if why := complaint(alias):
        raise ValidationFailed(f"{label}：「{alias.alias}」{why}")
    try:
        alias.full_clean()
    except ValidationError as error:
        raise ValidationFailed(f"{label}：{'；'.join(error.messages)}") from error
    alias.save()
    return alias
