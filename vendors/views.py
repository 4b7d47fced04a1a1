"""The page on which a vendor answers for the rows of one mail. The signed address is all that it asks for."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.loader import render_to_string
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from momo.core.address import UNKNOWN, client_address
from momo.core.errors import NotFound, PayloadTooLarge, RateLimited, ServiceError, ValidationFailed
from momo.core.texts import one_line
from momo.rest.errors import headers_of, status_of, to_service_error
from momo.rest.throttles import throttle_address
from vendors.forms import Sent, raw_of, read, row_ids
from vendors.models import AnswerKind, VendorMail
from vendors.selectors.answers import Answer, AnswerPage, Row, answer_page, rows_of
from vendors.services.answers import FOREIGN, Form, Outcome, closed_because, is_expired, submit
from vendors.services.attachments import KINDS, Attachment, read_attachment
from vendors.services.links import mail_of_token

GONE = 410
JUMPS = 10  # links to rows that need something
NOTICES = {
    Outcome.SENT: "已送出，謝謝您！在連結有效期間內都可以再更正。",
    Outcome.DRAFT: "草稿已儲存，還沒有送出。",
    Outcome.CONFLICT: (
        "還沒有送出：您填寫時有別人改了同樣的商品。您填的內容已存成草稿，請在標示的商品選擇要採用哪一份，再按一次送出。"
    ),
    Outcome.UNCHANGED: "內容與先前相同，沒有重複送出。",
}


# No cookie counts here; CrossSiteMiddleware refuses posts of other sites in place of the CSRF token.
@method_decorator(csrf_exempt, name="dispatch")
class AnswerView(View):
    """GET and POST /vendor/answer/<token>."""

    http_method_names = ["get", "head", "post", "options"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            throttle_address(request, scope="answer")
            return super().dispatch(request, *args, **kwargs)
        except Exception as error:
            failure = to_service_error(error)
            if failure is None:
                raise
            return _failure(failure)

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        mail = mail_of_token(token)
        if is_expired(mail):
            return _expired(mail)
        if reason := closed_because(mail):
            return _page("answer_error", {"title": "不需要回覆", "text": reason})
        page = answer_page(mail, page=_number(request.GET.get("page")))
        notice = next((text for outcome, text in NOTICES.items() if outcome.value == request.GET.get("done")), "")
        return _form(mail, page, notice=notice, good=request.GET.get("done") in ("sent", "draft"))

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        mail = mail_of_token(token)
        if is_expired(mail):
            return _expired(mail)
        _refuse_oversize(request)
        data = request.POST
        ids = row_ids(data)
        rows = rows_of(mail, ids)
        if len(rows) != len(ids):
            raise ValidationFailed(FOREIGN)
        sent, failure, attachment = read(data, rows), None, None
        try:
            attachment = _attachment(request)
            if sent.is_valid:
                _, outcome = submit(mail=mail, form=_submitted(request, sent, attachment))
                number = _number(request.GET.get("page"))
                place = f"?done={outcome.value}" + (f"&page={number}" if number > 1 else "")
                return HttpResponseRedirect(f"{request.path}{place}", status=303)
        except ServiceError as refusal:
            failure = refusal
        page = answer_page(mail, page=_number(request.GET.get("page")))
        return _form(mail, page, sent=sent, failure=failure)


def _refuse_oversize(request: HttpRequest) -> None:
    """Before anything of the body is read. A body without a length is not read at all."""
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        length = 0
    if length > settings.VENDOR_ATTACHMENT_BYTES + settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        raise PayloadTooLarge(f"送出的內容太大；附件最多 {_megabytes()} MB")


def _megabytes() -> str:
    return f"{settings.VENDOR_ATTACHMENT_BYTES / 1024 / 1024:g}"


def _attachment(request: HttpRequest) -> Attachment | None:
    given = request.FILES.get("attachment")
    return read_attachment(given) if isinstance(given, UploadedFile) else None


def _submitted(request: HttpRequest, sent: Sent, attachment: Attachment | None) -> Form:
    head, address = sent.head.cleaned_data, client_address(request)
    return Form(
        token=head["token"],
        seen=head["seen"],
        draft=head["action"] == "draft",
        answers=sent.answers,
        picked=sent.picked,
        person=head["person"],
        remark=head["remark"],
        attachment=attachment,
        address=None if address == UNKNOWN else address,
        user_agent=one_line(request.headers.get("User-Agent", ""))[:300],
    )


def _number(text: str | None) -> int:
    """The number of a page; anything else is the first."""
    return int(text) if text and text.isdecimal() and len(text) <= 6 else 1


def _form(
    mail: VendorMail,
    page: AnswerPage,
    *,
    sent: Sent | None = None,
    failure: ServiceError | None = None,
    notice: str = "",
    good: bool = False,
) -> HttpResponse:
    head, draft = (sent.head if sent else None), page.draft
    errors = [text for texts in head.errors.values() for text in texts] if head else []
    if failure is not None:
        errors.append(failure.message)
    if sent and sent.errors:
        errors.append(f"有 {len(sent.errors)} 項商品要修正，已在下面標示")
    rows = [_row(row, sent) for row in page.rows]
    context = {
        "mail": mail,
        "page": page,
        "rows": rows,
        "jumps": [row["line"] for row in rows if row["errors"] or (row["other"] and not sent)][:JUMPS],
        "kinds": AnswerKind.choices,
        # The token of a form that was not stored stays: the next try is the same form.
        "token": (head and head.cleaned_data.get("token")) or uuid.uuid4(),
        "seen": head.cleaned_data.get("seen", page.seen) if head else page.seen,
        "person": head.data.get("person", "")[:60] if head else draft.person if draft else "",
        "remark": head.data.get("remark", "")[:2000] if head else draft.remark if draft else "",
        "person_error": head.errors.get("person", [""])[0] if head else "",
        "errors": errors,
        "notice": notice,
        "good": good,
        "limit": _megabytes(),
        "types": KINDS,
        "answered": sum(bool(row.line.answer) for row in page.rows),
        "numbers": range(1, page.pages + 1),
    }
    status = status_of(failure) if failure else 400 if errors else 200
    return _page("answer", context, status=status)


def _row(row: Row, sent: Sent | None) -> dict[str, Any]:
    """A row as the template shows it: with what was sent, if that could not be stored, or else what is there."""
    pk = row.line.pk
    shown = raw_of(row.shown) | {"pick": ""}
    return {
        "line": row.line,
        "raw": sent.raw.get(pk, shown) if sent else shown,
        "errors": sent.errors.get(pk, {}) if sent else {},
        "other": row.other,
        "other_text": str(Answer.of(row.other)) if row.other else "",
        "mine": row.entry,
        "mine_text": str(row.shown),
        "in_force": str(row.in_force) if row.line.answer else "",
        "is_draft": row.shown != row.in_force,
    }


def _expired(mail: VendorMail) -> HttpResponse:
    return _page(
        "answer_error",
        {"title": "連結已過期", "text": "這個連結已超過有效期限，不能再填寫。", "until": mail.link_expires_at},
        status=GONE,
    )


def _failure(failure: ServiceError) -> HttpResponse:
    """A page that says what is wrong; nothing was changed."""
    title, text = "沒有儲存", failure.message
    if isinstance(failure, NotFound):
        title, text = "找不到這個頁面", "連結不正確或不完整。請從信裡重新點選連結，或把整段網址貼到瀏覽器。"
    elif isinstance(failure, RateLimited):
        title = "請稍候再試"
        text = f"這個網路位址的操作太頻繁，請 {failure.retry_after or 60} 秒後再試。已填的內容可以按「上一頁」取回。"
    response = _page("answer_error", {"title": title, "text": text}, status=status_of(failure))
    for name, value in headers_of(failure).items():
        response[name] = value
    return response


def _page(name: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """Rendered without the request, so that no session is read."""
    return HttpResponse(render_to_string(f"vendors/{name}.html", context), status=status)
