"""Admin pages of templates: the list, the editor, sending a test."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.html import format_html
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from accounts.models import User
from momo.admin.kit.dialogs import after_dialog, confirm_dialog
from momo.admin.kit.display import link, when
from momo.admin.kit.tables import BaseAdmin
from momo.admin.kit.transfer import TransferMixin
from momo.core.errors import ServiceError
from notifications.admin.looks import format_badge, plain, variables_table
from notifications.admin.previews import failure_texts
from notifications.admin.resources import TemplateResource
from notifications.admin.template_forms import TemplateForm, TestForm
from notifications.admin.template_pages import NAME, TemplatePages
from notifications.models import Template
from notifications.services.notify import send_test
from notifications.services.shipped import CONTENT, shipped_templates
from notifications.services.templates import delete_template, save_template


@admin.register(Template)
class TemplateAdmin(TemplatePages, TransferMixin, BaseAdmin):
    """Writes only through the services, which check each text and keep each version."""

    form = TemplateForm
    list_display = ("code", "title", "written_in", "number", "updated", "who")
    list_display_links = ("code", "title")
    list_select_related = ("updated_by",)
    list_filter = (("format", ChoicesDropdownFilter),)
    list_filter_submit = True
    search_fields = ("code", "title", "description", "body")
    search_help_text = "代碼、名稱、說明或內文"
    sortable_by = ("code", "title", "updated")
    ordering = ("code",)
    fieldsets: ClassVar = (
        (None, {"fields": ("code", "title", "description", "format", "subject", "body", "variables")}),
        (None, {"fields": ("note", "seen_version")}),
    )
    resource_classes: ClassVar = [TemplateResource]
    compressed_fields = False  # the preview needs the room
    actions_detail = ("send_test", "versions")
    change_form_outer_after_template = "admin/notifications/editor.html"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        # Events and n8n refer to a template by its code.
        return ("code", "number", "updated", "who", "written", "declared") if obj else ()

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        content, other = self.fieldsets
        if obj is None:
            return (content, other)
        state = (None, {"fields": ("number", "updated", "who")})
        if self.has_change_permission(request, obj):
            return (content, other, state)
        # People who may only read see the body as it was written, and the variables as a table instead of JSON.
        instead = {"body": "written", "variables": "declared"}
        fields = [instead.get(name, name) for name in content[1]["fields"]]
        return ((None, {"fields": fields}), state)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Templates that the system itself uses cannot be deleted."""
        allowed = bool(super().has_delete_permission(request, obj))
        return allowed and (obj is None or obj.code not in shipped_templates())

    def get_actions(self, request: HttpRequest) -> Any:
        actions = super().get_actions(request)
        # A template is deleted on its own page, through the service.
        actions.pop("delete_selected", None)
        return actions

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        context.update(self.editor_context(kwargs.get("obj")))
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Template, form: Any, change: bool) -> None:
        fields = {name: form.cleaned_data[name] for name in ("code", *CONTENT) if name in form.cleaned_data}
        saved = save_template(
            template=obj if change else None,
            user=cast(User, request.user),
            note=form.cleaned_data.get("note", ""),
            **fields,
        )
        obj.pk, obj.version = saved.pk, saved.version

    def delete_model(self, request: HttpRequest, obj: Template) -> None:
        delete_template(template=obj, user=cast(User, request.user))

    # Columns and read-only fields

    @display(description="格式")
    def written_in(self, obj: Template) -> str:
        return format_badge(obj.format)

    @display(description="版本")
    def number(self, obj: Template) -> str:
        return link(reverse("admin:notifications_template_history_of", args=[obj.pk]), f"第 {obj.version} 版")

    @display(description="更新時間", ordering="updated_at")
    def updated(self, obj: Template) -> str:
        return when(obj.updated_at)

    @display(description="更新者", ordering="updated_by")
    def who(self, obj: Template) -> str:
        # A name without a link: most readers may not open the pages of users.
        return str(obj.updated_by or "系統")

    @display(description="內文")
    def written(self, obj: Template) -> str:
        return plain(obj.body)

    @display(description="變數")
    def declared(self, obj: Template) -> str:
        return variables_table(obj.variables)

    # Actions

    @action(
        description="傳送測試",
        icon="send",
        permissions=["change"],
        variant=ActionVariant.PRIMARY,
        dialog=confirm_dialog("傳送測試", "以已儲存的版本寄一則標有［測試］的訊息。", yes="傳送", form_class=TestForm),
    )
    def send_test(self, request: HttpRequest, form: TestForm, object_id: str) -> HttpResponse:
        template = get_object_or_404(Template, pk=object_id)
        try:
            message = send_test(
                template,
                channel=form.cleaned_data["channel"],
                recipient=form.recipient,
                values=form.given,
                user=cast(User, request.user),
            )
        except ServiceError as refusal:
            messages.error(request, "；".join(failure_texts(refusal)))
        else:
            report_test(request, message)
        return after_dialog(request, reverse(f"{NAME}_change", args=[template.pk]))

    @action(description="版本", icon="history", permissions=["view"])
    def versions(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:notifications_template_history_of", args=[object_id]))


def report_test(request: HttpRequest, message: Any) -> None:
    """Show a message with a link to the test in the outbox."""
    page = link(reverse("admin:notifications_outboxmessage_change", args=[message.pk]), f"訊息 #{message.pk}")
    messages.success(request, format_html("測試訊息已排入寄送，寄給 {}：{}", message.recipient, page))
