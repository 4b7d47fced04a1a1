"""Templates and their versions: every change is checked and adds a version; no version is ever lost."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from momo.core.errors import Conflict, NotFound, ValidationFailed, validation_failed
from momo.core.texts import clean_text, one_line
from notifications.events import event_kind
from notifications.markup import is_blank, to_text
from notifications.models import Channel, Format, Template, TemplateVersion
from notifications.services.shipped import CONTENT, SHIPPED_NOTE, shipped_templates
from notifications.templating.bounds import BODY_BYTES, SUBJECT_CHARACTERS
from notifications.templating.check import FIELDS, check_template
from notifications.templating.faults import TemplateFailed
from notifications.templating.filters import as_text
from notifications.templating.render import Rendered, render
from notifications.templating.variables import declared

logger = logging.getLogger(__name__)

NO_VERSION = 0  # of a rendered text that comes from no version: the shipped text, or a listing of the values
LISTED_LINE = 1_000  # characters of one value in a plain listing


def save_template(*, template: Template | None, user: User | None, note: str = "", **fields: Any) -> Template:
    """Create a template, or change one: `fields` that are left out stay. Without a change no version is written.

    Each change gets the next number, also when two people save at once: both versions are kept, the later is in force.
    Raise ValidationFailed with the faults by field, those of subject and body with their lines.
    """
    unknown = set(fields) - {"code", *CONTENT}
    if unknown:
        raise ValidationFailed(fields={name: ["範本沒有這個欄位"] for name in sorted(unknown)})
    with transaction.atomic():
        if template is None:
            changed = Template(code=fields.get("code", ""))
        else:
            changed = Template.objects.select_for_update().get(pk=template.pk)
            if fields.get("code", changed.code) != changed.code:
                raise ValidationFailed(fields={"code": ["代碼不能修改"]})
        before = _content(changed) if template is not None else None
        for name in fields.keys() & set(CONTENT):
            setattr(changed, name, fields[name])
        changed.body = changed.body.replace("\r\n", "\n")  # as the checks count lines
        _check(changed)
        changed.variables = [variable.as_dict() for variable in declared(changed.variables)]
        if _content(changed) != before:
            _write(changed, user=user, note=note)
    return changed


def _content(template: Template) -> dict[str, Any]:
    return {name: getattr(template, name) for name in CONTENT}


def _check(template: Template) -> None:
    fields: dict[str, list[str]] = {}
    try:
        # `check_template` checks these, with the line of each fault.
        template.full_clean(exclude=["subject", "body", "variables", "updated_by"])
    except ValidationError as error:
        fields.update(validation_failed(error).fields)
    try:
        check_template(**{name: getattr(template, name) for name in FIELDS})
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
        # The next release replaces versions with this note, so only the system may write it.
        note="" if note == SHIPPED_NOTE else note[:200],
        created_at=template.updated_at,
        created_by=user,
        **_content(template),
    )


def restore_version(*, version: TemplateVersion, user: User | None) -> Template:
    """Save an old version again as the newest one. Raise ValidationFailed if it would not be accepted now."""
    fields = {name: getattr(version, name) for name in CONTENT}
    return save_template(template=version.template, user=user, note=f"還原自第 {version.number} 版", **fields)


def delete_template(*, template: Template, user: User | None) -> None:
    """Delete a template with its versions. Raise Conflict for a template that the system itself uses."""
    if template.code in shipped_templates():
        raise Conflict(f"「{template.title}」是系統會用到的範本，不能刪除，只能修改")
    logger.info("Template %s is deleted by %s", template.code, user)
    template.delete()


def templates() -> QuerySet[Template]:
    """All templates by code, with the user who changed each last."""
    return Template.objects.select_related("updated_by").order_by("code")


def versions_of(template: Template) -> QuerySet[TemplateVersion]:
    """Every version, the newest first, with the user who wrote it."""
    return template.versions.select_related("created_by").order_by("-number")


def template_by_code(code: str) -> Template:
    """The template. Raise NotFound."""
    found = templates().filter(code=code).first()
    if found is None:
        raise NotFound(f"沒有範本「{clean_text(code)[:40]}」")
    return found


def render_template(template: Template, values: Mapping[str, Any], *, strict: bool = True) -> Rendered:
    """The message. `template` must have passed `check_template`.

    Raise ValidationFailed naming values that are missing or wrong, TemplateFailed if the text goes beyond a bound.
    """
    return render(**{name: getattr(template, name) for name in FIELDS}, values=values, strict=strict)


class EventTemplates:
    """The templates of one event, read with one statement, and the texts that they make of its values.

    A template for mails gives way while it is as shipped and the event's own template is not: what staff wrote about an
    event is what its mails say.
    """

    def __init__(self, event: str) -> None:
        kind = event_kind(event)
        own = kind.template if kind is not None else event
        mail = kind.mail_template if kind is not None and kind.mail_template else own
        self._saved = {template.code: template for template in Template.objects.filter(code__in={own, mail})}
        self._codes = {Channel.TELEGRAM: own, Channel.EMAIL: own if self._is_changed(own, but_not=mail) else mail}
        self._made: dict[str, tuple[Rendered, int]] = {}

    def _is_changed(self, code: str, *, but_not: str) -> bool:
        shipped = shipped_templates()
        changed = {each for each, template in self._saved.items() if _content(template) != shipped.get(each)}
        return code in changed and but_not not in changed

    def code(self, channel: str) -> str:
        """The code of the template by which `channel` reports the event."""
        return self._codes[Channel(channel)]

    def render(self, channel: str, values: Mapping[str, Any]) -> tuple[Rendered, int]:
        """As `render_event`, by the template of a channel; once for all channels that share it."""
        code = self.code(channel)
        if code not in self._made:
            self._made[code] = _render_known(code, self._saved.get(code), values)
        return self._made[code]


def render_event(code: str, values: Mapping[str, Any]) -> tuple[Rendered, int]:
    """The message of an event, and the number of the version that it was rendered from.

    A template of staff never stops a message: if it cannot be rendered, or renders to nothing visible, the shipped text
    is rendered, and if that fails too, a plain listing of the values; the number is 0 then, and the log has the reason.
    """
    return event_renderer(code)(values)


def event_renderer(code: str) -> Callable[[Mapping[str, Any]], tuple[Rendered, int]]:
    """`render_event` for many values; the template is read once."""
    return partial(_render_known, code, Template.objects.filter(code=code).first())


def _render_known(code: str, saved: Template | None, values: Mapping[str, Any]) -> tuple[Rendered, int]:
    shipped = shipped_templates().get(code)
    known = [template for template in (saved, shipped and Template(code=code, **shipped)) if template]
    for template in known:
        try:
            return _render_visible(template, values), template.version
        except Exception as error:
            why = getattr(error, "fields", "")
            logger.exception("Template %s, version %s, cannot be rendered: %s", code, template.version, why)
    return _listing(known[0].title if known else code, values), NO_VERSION


def _render_visible(template: Template, values: Mapping[str, Any]) -> Rendered:
    """Raise TemplateFailed if nothing is visible, since neither mail nor Telegram accepts that as a message."""
    rendered = render_template(template, values, strict=False)
    if is_blank(to_text(rendered.body, rendered.format)):
        raise TemplateFailed("內文沒有任何文字")
    return rendered


def _listing(title: str, values: Mapping[str, Any]) -> Rendered:
    """Each value on a line of its own, within the bounds of a body."""
    lines, size = [title], len(title.encode())
    for name, value in values.items():
        shown = f"{len(value)} 項" if isinstance(value, (list, tuple)) else as_text(value)
        if not shown and value is not None:
            shown = str(value)
        line = clean_text(f"{name}：{shown}")[:LISTED_LINE]
        size += len(line.encode()) + 1
        if size > BODY_BYTES:
            break
        lines.append(line)
    return Rendered(one_line(title)[:SUBJECT_CHARACTERS], "\n".join(lines), Format.PLAIN)
