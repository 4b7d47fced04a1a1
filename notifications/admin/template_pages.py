"""Pages of a template beside its form: the live preview, its versions, and going back to one of them."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse

from accounts.models import User
from momo.admin_kit.display import full_time
from momo.rest.errors import ValidationFailed
from notifications.admin import previews
from notifications.admin.diffs import compared
from notifications.admin.looks import format_badge
from notifications.models import Template, TemplateVersion
from notifications.services.templates import restore_version, versions_of
from notifications.templating.variables import LABELS, SCALAR_TYPES

VERSIONS_SHOWN = 20
NAME = "admin:notifications_template"


class TemplatePages:
    """Mixed into the templates' admin, which says who may do what."""

    admin_site: Any
    opts: Any

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        own = [
            path("preview/", view(self.preview_page), name="notifications_template_preview_new"),
            path("<int:object_id>/preview/", view(self.preview_page), name="notifications_template_preview"),
            path("<int:object_id>/versions/", view(self.versions_page), name="notifications_template_history_of"),
            path(
                "<int:object_id>/versions/<int:number>/restore/",
                view(self.restore_page),
                name="notifications_template_restore",
            ),
        ]
        return [*own, *super().get_urls()]  # type: ignore[misc]

    def preview_page(self, request: HttpRequest, object_id: int | None = None) -> HttpResponse:
        """The form as it stands, in the form of each channel; nothing is kept. Who only looks sees what is saved."""
        template = get_object_or_404(Template, pk=object_id) if object_id else None
        writes = self._may_write(request, template)
        if not writes and (template is None or not self.has_view_permission(request, template)):  # type: ignore[attr-defined]
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            draft = _draft(request, template) if writes else previews.Draft.of(cast(Template, template))
        except ValidationFailed as failure:
            return JsonResponse({"errors": failure.fields, "html": ""})
        source, typed = request.POST.get("preview_source", ""), request.POST.get("preview_values", "")
        return JsonResponse(previews.preview(draft, source, typed))

    def _may_write(self, request: HttpRequest, template: Template | None) -> bool:
        if template is None:
            return bool(self.has_add_permission(request))  # type: ignore[attr-defined]
        return bool(self.has_change_permission(request, template))  # type: ignore[attr-defined]

    def versions_page(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Every version with what it changed, the newest first."""
        template = get_object_or_404(Template, pk=object_id)
        if not self.has_view_permission(request, template):  # type: ignore[attr-defined]
            raise PermissionDenied
        page = Paginator(versions_of(template), VERSIONS_SHOWN).get_page(request.GET.get("p"))
        shown = list(page.object_list)
        older = versions_of(template).filter(number__lt=shown[-1].number).first() if shown else None
        restores = self._may_write(request, template)
        context = {
            **self.admin_site.each_context(request),
            "title": f"{template} 的版本",
            "opts": self.opts,
            "page": page,
            "versions": [
                _version_row(version, before, template, restores=restores)
                for version, before in zip(shown, [*shown[1:], older], strict=True)
            ],
            "back": reverse(f"{NAME}_change", args=[template.pk]),
        }
        return TemplateResponse(request, "admin/notifications/versions.html", context)

    def restore_page(self, request: HttpRequest, object_id: int, number: int) -> HttpResponse:
        """Asks on GET, makes the version the newest on POST."""
        version = get_object_or_404(
            TemplateVersion.objects.select_related("template", "created_by"), template_id=object_id, number=number
        )
        template = version.template
        if not self._may_write(request, template):
            raise PermissionDenied
        back = reverse("admin:notifications_template_history_of", args=[object_id])
        if request.method == "POST":
            try:
                restored = restore_version(version=version, user=cast(User, request.user))
            except ValidationFailed as failure:
                messages.error(request, f"第 {number} 版現在不能用了：{'；'.join(previews.told(failure))}")
            else:
                if restored.version == template.version:
                    messages.warning(request, f"內容與第 {number} 版相同，沒有變動")
                else:
                    messages.success(request, f"已還原第 {number} 版，成為第 {restored.version} 版")
            return HttpResponseRedirect(back)
        current = versions_of(template).first()
        context = {
            **self.admin_site.each_context(request),
            "title": f"還原「{template}」的第 {number} 版",
            "opts": self.opts,
            "version": version,
            "time": full_time(version.created_at),
            "current": template.version,
            "changes": compared(version, current),
            "back": back,
        }
        return TemplateResponse(request, "admin/notifications/restore.html", context)

    def editor_context(self, template: Template | None) -> dict[str, Any]:
        """What the editor's scripts and its preview need."""
        url = (
            reverse("admin:notifications_template_preview", args=[template.pk])
            if template is not None
            else reverse("admin:notifications_template_preview_new")
        )
        return {
            "preview_url": url,
            "preview_sources": previews.sources(template.code if template is not None else ""),
            "variable_types": {"all": list(LABELS.items()), "scalar": [(name, LABELS[name]) for name in SCALAR_TYPES]},
        }


def _draft(request: HttpRequest, template: Template | None) -> previews.Draft:
    """What the form holds now. Raises ValidationFailed for variables that are no JSON."""
    given = request.POST
    variables = previews.read_json(given.get("variables") or "[]", "variables")
    return previews.Draft(
        code=template.code if template is not None else given.get("code", ""),
        title=given.get("title", ""),
        format=given.get("format", ""),
        subject=given.get("subject", ""),
        body=given.get("body", "").replace("\r\n", "\n"),
        variables=variables,
    )


def _version_row(
    version: TemplateVersion, before: TemplateVersion | None, template: Template, *, restores: bool
) -> dict[str, Any]:
    current = version.number == template.version
    return {
        "number": version.number,
        "current": current,
        "format": format_badge(version.format),
        "who": version.created_by or "系統",
        "time": full_time(version.created_at),
        "note": version.note,
        "first": before is None,
        "changes": compared(version, before),
        "restore_url": reverse("admin:notifications_template_restore", args=[template.pk, version.number])
        if restores and not current
        else "",
    }
