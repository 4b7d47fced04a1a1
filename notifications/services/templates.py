"""Templates and their versions: every change is checked, and adds a version; none is ever lost."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Protocol

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from momo.rest.errors import ApiError, Conflict, NotFound, ValidationFailed, describe
from notifications.markup import is_blank, to_text
from notifications.models import Format, Template, TemplateVersion
from notifications.services.shipped import SHIPPED_NOTE, shipped_templates
from notifications.templating.bounds import BODY_BYTES, SUBJECT_CHARACTERS
from notifications.templating.check import check_template
from notifications.templating.faults import TemplateFailed
from notifications.templating.render import Rendered, render
from notifications.templating.values import as_text, clean_text, one_line
from notifications.templating.variables import declared

logger = logging.getLogger(__name__)

# What a version keeps.
CONTENT = ("title", "description", "format", "subject", "body", "variables")
NO_VERSION = 0  # of a text that is no version of a template: shipped, or made up
LISTED_LINE = 1_000  # characters of one value in a plain listing


def save_template(*, template: Template | None, user: User | None, note: str = "", **fields: Any) -> Template:
    """Make a template, or change one: its `fields` that are left out stay. What nobody changed writes no version.

    Each change gets the next number, also when two people save at once: both are kept, the later one is in force.
    Raises ValidationFailed with what is wrong by field, each fault of a text with its line.
    """
    strange = set(fields) - {"code", *CONTENT}
    if strange:
        raise ValidationFailed(fields={name: ["範本沒有這個欄位"] for name in sorted(strange)})
    with transaction.atomic():
        if template is None:
            changed = Template(code=fields.get("code", ""))
        else:
            changed = Template.objects.select_for_update().get(pk=template.pk)
            if fields.get("code", changed.code) != changed.code:
                raise ValidationFailed(fields={"code": ["代碼不能更改"]})
        before = _content(changed) if template is not None else None
        for name in CONTENT:
            if name in fields:
                setattr(changed, name, _tidy(name, fields[name]))
        _check(changed)
        changed.variables = [variable.as_dict() for variable in declared(changed.variables)]
        if _content(changed) != before:
            _write(changed, user=user, note=note)
    return changed


def _tidy(name: str, value: Any) -> Any:
    """Line ends as the checks count them; browsers send both characters."""
    return value.replace("\r\n", "\n") if name == "body" and isinstance(value, str) else value


def _content(template: Template) -> dict[str, Any]:
    return {name: getattr(template, name) for name in CONTENT}


def _check(template: Template) -> None:
    fields: dict[str, list[str]] = {}
    try:
        # The texts have their own checks, which say more.
        template.full_clean(exclude=["subject", "body", "variables", "updated_by"])
    except ValidationError as error:
        failure = describe(error)
        fields.update(failure.fields if failure else {})
    try:
        check_template(
            format=template.format, subject=template.subject, body=template.body, variables=template.variables
        )
    except ValidationFailed as failure:
        fields = {**failure.fields, **fields}
    if fields:
        raise ValidationFailed(fields=fields)


def _write(template: Template, *, user: User | None, note: str) -> None:
    template.version += 1
    template.updated_at, template.updated_by = timezone.now(), user
    template.save()
    TemplateVersion.objects.create(
        template=template,
        number=template.version,
        # Only what the system writes itself may look like it: it is replaced by the next release.
        note="" if note == SHIPPED_NOTE else note[:200],
        created_at=template.updated_at,
        created_by=user,
        **_content(template),
    )


def restore_version(*, version: TemplateVersion, user: User | None) -> Template:
    """Make an old version the newest, as one of its own. Raises ValidationFailed when it would not be accepted now."""
    fields = {name: getattr(version, name) for name in CONTENT}
    return save_template(template=version.template, user=user, note=f"還原自第 {version.number} 版", **fields)


def delete_template(template: Template, user: User | None) -> None:
    """With its versions. Raises Conflict for one that the system itself sends."""
    if template.code in shipped_templates():
        raise Conflict(f"「{template.title}」是系統會用到的範本，不能刪除，只能修改")
    logger.info("Template %s is deleted by %s", template.code, user)
    template.delete()


def templates() -> QuerySet[Template]:
    """All, by code, with who changed them."""
    return Template.objects.select_related("updated_by").order_by("code")


def versions_of(template: Template) -> QuerySet[TemplateVersion]:
    """Every version, the newest first, with who wrote it."""
    return template.versions.select_related("created_by").order_by("-number")


def template_by_code(code: str) -> Template:
    """Raises NotFound."""
    found = templates().filter(code=code).first()
    if found is None:
        raise NotFound(f"沒有範本「{clean_text(code)[:40]}」")
    return found


class Written(Protocol):
    """A template, or what is about to become one."""

    @property
    def format(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def body(self) -> str: ...
    @property
    def variables(self) -> Any: ...


def render_template(template: Written, values: Mapping[str, Any], *, strict: bool = True) -> Rendered:
    """Raises ValidationFailed naming values that are missing or wrong, TemplateFailed for what goes beyond a bound."""
    return render(
        format=template.format,
        subject=template.subject,
        body=template.body,
        variables=template.variables,
        values=values,
        strict=strict,
    )


def render_event(code: str, values: Mapping[str, Any]) -> tuple[Rendered, int]:
    """What an event says, and the number of the version that says it.

    What staff wrote never stops a message: when it cannot be rendered, or says nothing at all, the shipped text is
    taken, and when that cannot either, a plain listing of the values; the number is 0 then, and the log says why.
    """
    template = Template.objects.filter(code=code).first()
    if template is not None:
        try:
            return _saying_something(template, values), template.version
        except Exception as error:
            _log(code, f"version {template.version}", error)
    shipped = shipped_templates().get(code)
    if shipped is not None:
        try:
            return _saying_something(Template(code=code, **shipped), values), NO_VERSION
        except Exception as error:
            _log(code, "the shipped text", error)
    return _listing(template.title if template else shipped["title"] if shipped else code, values), NO_VERSION


def _saying_something(template: Template, values: Mapping[str, Any]) -> Rendered:
    """Raises TemplateFailed where nothing can be seen, since neither mail nor Telegram takes that for a message."""
    rendered = render_template(template, values, strict=False)
    if is_blank(to_text(rendered.body, rendered.format)):
        raise TemplateFailed("內文沒有任何文字")
    return rendered


def _log(code: str, what: str, error: Exception) -> None:
    if isinstance(error, ApiError):
        logger.error("Template %s, %s, cannot be rendered: %s %s", code, what, error.message, error.fields)
    else:
        logger.error("Template %s, %s, cannot be rendered", code, what, exc_info=error)


def _listing(title: str, values: Mapping[str, Any]) -> Rendered:
    """Each value on a line, bounded like every message."""
    lines, size = [title], len(title.encode())
    for name, value in values.items():
        shown = f"{len(value)} 項" if isinstance(value, (list, tuple)) else _shown(value)
        line = clean_text(f"{name}：{shown}")[:LISTED_LINE]
        size += len(line.encode()) + 1
        if size > BODY_BYTES:
            break
        lines.append(line)
    return Rendered(one_line(title)[:SUBJECT_CHARACTERS], "\n".join(lines), Format.PLAIN)


def _shown(value: Any) -> str:
    return as_text(value) or ("" if value is None else str(value))
