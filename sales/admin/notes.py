"""Admin pages of notes of a day, and the form by which other pages write one (`admin/sales/note_form.html`)."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from momo.admin.kit.display import column, full_name, when, with_weekday
from momo.admin.kit.tables import BaseAdmin
from momo.core.errors import ServiceError
from sales.models import DayNote
from sales.models.campaigns import MAX_NOTE
from sales.selectors.campaigns import notes, notes_between
from sales.services.notes import delete_note, save_note

GONE = "（已刪除的使用者）"


class NoteForm(forms.Form):
    """A note as the small form sends it."""

    date = forms.DateField(input_formats=["%Y-%m-%d"])
    text = forms.CharField(max_length=MAX_NOTE)


def note_context(day: date) -> dict[str, Any]:
    """Variables of `admin/sales/note_form.html`: the day that it offers, and the notes of that day."""
    return {"note_day": day, "notes_of_day": list(notes_between(day, day)), "note_length": MAX_NOTE}


@admin.register(DayNote)
class DayNoteAdmin(BaseAdmin):
    """Notes of days, which charts show."""

    list_display = ("day", "words", "writer", "written")
    list_display_links = ("day", "words")
    search_fields = ("text",)
    search_help_text = "內容"
    ordering = ("-date", "pk")
    sortable_by = ("day",)
    fields = ("date", "text")
    deletes_many = False

    day = column("日期", with_weekday, of="date", order="date")
    words = column("內容", full_name, of="text")
    writer = column("作者", lambda user: user or GONE, of="author")
    written = column("建立時間", when, of="created_at")

    def get_queryset(self, request: HttpRequest) -> Any:
        return notes()

    def get_urls(self) -> list[Any]:
        return [path("write/", self.admin_site.admin_view(self.write), name="sales_daynote_write"), *super().get_urls()]

    def write(self, request: HttpRequest) -> HttpResponse:
        """Store the note of a small form, and go back to its page; what is refused is kept in the form of a note."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        form = NoteForm(request.POST)
        try:
            if not form.is_valid():
                return self._keep(request, f"註記沒有存：請填日期與內容（最多 {MAX_NOTE} 字）")
            save_note(author=request.user, **form.cleaned_data)
        except ServiceError as refusal:
            return self._keep(request, f"註記沒有存：{refusal}")
        messages.success(request, "已加上註記，圖表上會顯示")
        following = request.POST.get("next", "")
        safe = url_has_allowed_host_and_scheme(following, {request.get_host()}, require_https=request.is_secure())
        return HttpResponseRedirect(following if safe else reverse("admin:sales_daynote_changelist"))

    def _keep(self, request: HttpRequest, text: str) -> HttpResponse:
        messages.error(request, text)
        typed = {name: request.POST.get(name, "")[:MAX_NOTE] for name in ("date", "text")}
        return HttpResponseRedirect(f"{reverse('admin:sales_daynote_add')}?{urlencode(typed)}")

    # --- Saving, through the services ----------------------------------------------------------------------------

    def save_model(self, request: HttpRequest, obj: DayNote, form: Any, change: bool) -> None:
        fields = form.cleaned_data if change else {**form.cleaned_data, "author": request.user}
        obj.pk = save_note(note=obj if change else None, **fields).pk

    def delete_model(self, request: HttpRequest, obj: DayNote) -> None:
        delete_note(note=obj)
