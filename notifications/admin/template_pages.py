"""Admin pages of one template beside its form: the live preview, its versions, restoring a version."""

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
from momo.admin.kit.display import full_time
from momo.core.errors import ValidationFailed
from notifications.admin import previews
from notifications.admin.diffs import compared
from notifications.admin.looks import format_badge
from notifications.models import Template, TemplateVersion
from notifications.services.templates import restore_version, versions_of
from notifications.templating.variables import LABELS, SCALAR_TYPES

VERSIONS_SHOWN = 20
NAME = "admin:notifications_template"


class TemplatePages:
    """Mixin for the admin class of templates, which holds the permissions."""

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
        """Render the form as it stands, and keep nothing. People who may only read see the saved template."""
        template = get_object_or_404(Template, pk=object_id) if object_id else None
        writes = self._may_write(request, template)
        if not writes and (template is None or not self.has_view_permission(request, template)):  # type: ignore[attr-defined]
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            draft = _draft(request, template) if writes or template is None else template
        except ValidationFailed as failure:
            return JsonResponse({"errors": failure.fields, "html": ""})
        source, typed = request.POST.get("preview_source", ""), request.POST.get("preview_values", "")
        return JsonResponse(previews.preview(draft, source, typed))

    def _may_write(self, request: HttpRequest, template: Template | None) -> bool:
        if template is None:
            return bool(self.has_add_permission(request))  # type: ignore[attr-defined]
        return bool(self.has_change_permission(request, template))  # type: ignore[attr-defined]

    def versions_page(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Every version with its changes, the newest first."""
        template = get_object_or_404(Template, pk=object_id)
        if not self.has_view_permission(request, template):  # type: ignore[attr-defined]
            raise PermissionDenied
        page = Paginator(versions_of(template), VERSIONS_SHOWN).get_page(request.GET.get("p"))
        shown = list(page.object_list)
        older = versions_of(template).filter(number__lt=shown[-1].number).first() if shown else None
        context = {
            **self.admin_site.each_context(request),
            "title": f"{template} 的版本",
            "opts": self.opts,
            "page": page,
            "template": template,
            "restores": self._may_write(request, template),
            "versions": [
                (one, format_badge(one.format), full_time(one.created_at), before, compared(one, before))
                for one, before in zip(shown, [*shown[1:], older], strict=True)
            ],
            "back": reverse(f"{NAME}_change", args=[template.pk]),
        }
        return TemplateResponse(request, "admin/notifications/versions.html", context)

    def restore_page(self, request: HttpRequest, object_id: int, number: int) -> HttpResponse:
        """Ask on GET, restore the version on POST."""
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
                messages.error(request, f"第 {number} 版現在不能用了：{'；'.join(previews.failure_texts(failure))}")
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
        """Context of the editor's scripts and of its preview."""
        name, code = f"{NAME}_preview", template.code if template is not None else ""
        return {
            "preview_url": reverse(name, args=[template.pk]) if template is not None else reverse(f"{name}_new"),
            "preview_sources": previews.sources(code),
            "variable_types": {"all": list(LABELS.items()), "scalar": [(name, LABELS[name]) for name in SCALAR_TYPES]},
        }


def _draft(request: HttpRequest, template: Template | None) -> Template:
    """The content of the form, not saved. Raise ValidationFailed if the variables are not JSON."""
    given = {name: request.POST.get(name, "") for name in ("code", "title", "format", "subject", "body", "variables")}
    given["variables"] = previews.read_json(given["variables"] or "[]", "variables")
    draft = Template(**given)
    draft.body = draft.body.replace("\r\n", "\n")
    draft.code = template.code if template is not None else draft.code
    return draft
