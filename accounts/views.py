"""Login, logout and password pages."""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.contrib.auth import logout, update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.password_validation import password_validators_help_texts
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters

from accounts import lockout, services
from accounts.forms import ChangePasswordForm
from accounts.models import LoginAttempt, User
from accounts.selectors import has_logged_in_from, user_by_name
from accounts.sessions import clean_username, record_attempt, sign_in
from momo.core.address import client_address
from momo.core.errors import AuthFailed, MethodNotAllowed, RateLimited, ServiceError
from momo.rest.errors import headers_of, status_of
from momo.rest.middleware import failure_envelope, wants_json
from momo.rest.throttles import throttle, throttle_address, user_identity

NEXT_LENGTH = 2000


def safe_next(request: HttpRequest, target: str | None) -> str:
    """`target` if it is on this site and is not the login or logout page, else the start page."""
    if (
        target
        and len(target) <= NEXT_LENGTH
        and url_has_allowed_host_and_scheme(
            target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
        )
        and target.partition("?")[0] not in {settings.LOGIN_URL, reverse("logout")}
    ):
        return target
    return settings.LOGIN_REDIRECT_URL


def _refused(response: HttpResponse, failure: ServiceError) -> HttpResponse:
    """A page that shows `failure`, with its status and headers."""
    response.status_code = status_of(failure)
    for name, value in headers_of(failure).items():
        response[name] = value
    return response


def _redirect_after_login(request: HttpRequest, user: User, target: str | None) -> HttpResponseRedirect:
    destination = safe_next(request, target)
    if user.must_change_password:
        destination = f"{reverse('change_password')}?{urlencode({'next': destination})}"
    return HttpResponseRedirect(destination)


def _throttled_sign_in(request: HttpRequest, *, username: str, password: str) -> User:
    """`sign_in`, with a limit on the wrong passwords of an address, of all names together. Raises as `sign_in` does.

    Only attempts that the lockout let through and that failed count. Neither users who know their password nor a
    program that goes on guessing at one locked name throttle the other users behind the same address. Beyond the limit
    accounts that have logged in from this address lately are still let in with the right password: a machine of the
    office that guesses does not shut the office out. Their wrong passwords get the answer that all others get, and the
    lockout of name and address bounds them as ever.
    """
    name, address = clean_username(username), client_address(request)
    try:
        throttle_address(request, scope="login", weight=0)
    except RateLimited:
        known = user_by_name(name)
        if known is None or not has_logged_in_from(user=known, address=address):
            record_attempt(request=request, username=name, known=known, reason=LoginAttempt.Reason.LOCKED)
            raise
    failure: ServiceError | None = None
    with transaction.atomic():
        lockout.lock_pair(username=name, address=address)
        try:
            user = sign_in(request=request, username=username, password=password)
        except (AuthFailed, RateLimited) as refused:
            # Raised after the transaction, which would otherwise roll back the counter and the history.
            failure = refused
    if isinstance(failure, AuthFailed):
        # Raises RateLimited beyond the limit.
        throttle_address(request, scope="login")
    if failure is not None:
        raise failure
    return user


# CrossSiteMiddleware refuses posts of other sites, in place of the CSRF token, which a JSON client does not have.
@method_decorator([csrf_exempt, never_cache, sensitive_post_parameters("password")], name="dispatch")
class LoginView(View):
    """GET and POST /login."""

    http_method_names = ["get", "head", "post", "options"]

    def get(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            return _redirect_after_login(request, request.user, request.GET.get("next"))
        return self._form(request, target=request.GET.get("next"))

    def post(self, request: HttpRequest) -> HttpResponse:
        target = request.POST.get("next") or request.GET.get("next")
        username, password = request.POST.get("username", ""), request.POST.get("password", "")
        try:
            if not username.strip():
                raise AuthFailed("請輸入帳號與密碼")
            user = _throttled_sign_in(request, username=username, password=password)
        except ServiceError as failure:
            if wants_json(request):
                return failure_envelope(failure)
            return self._form(request, target=target, username=username, failure=failure)
        return _redirect_after_login(request, user, target)

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if wants_json(request):
            return failure_envelope(MethodNotAllowed())
        return super().http_method_not_allowed(request, *args, **kwargs)

    @staticmethod
    def _form(
        request: HttpRequest, *, target: str | None, username: str = "", failure: ServiceError | None = None
    ) -> HttpResponse:
        context = {
            "next": safe_next(request, target) if target else "",
            "username": username[:150],
            "failure": failure.message if failure else "",
        }
        response = render(request, "accounts/login.html", context)
        return _refused(response, failure) if failure else response


def lockout_response(request: HttpRequest, response: HttpResponse | None, credentials: dict[str, Any]) -> HttpResponse:
    """Used by axes' middleware: 429 in place of `response`, except for our own login page, which answers itself."""
    if response is not None and (request.path_info == "/login" or not lockout.was_refused(request)):
        return response
    username = str(credentials.get("username") or "")
    return failure_envelope(lockout.locked_out(username=username, address=request.axes_ip_address))  # type: ignore[attr-defined]


@csrf_exempt
@never_cache
def logout_view(request: HttpRequest) -> HttpResponse:
    """GET and POST /logout: ends the session. GET is in the contract; another site can at worst log a user out."""
    if request.method not in {"GET", "HEAD", "POST"}:
        return HttpResponseNotAllowed(["GET", "POST"])
    logout(request)
    return HttpResponseRedirect(settings.LOGOUT_REDIRECT_URL)


@method_decorator(
    [never_cache, login_required, sensitive_post_parameters("current_password", "new_password", "confirmation")],
    name="dispatch",
)
class ChangePasswordView(View):
    """GET and POST /change_password, for browsers; API clients use `POST /api/user/change_password`."""

    http_method_names = ["get", "head", "post", "options"]

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._form(request, ChangePasswordForm(), request.GET.get("next"))

    def post(self, request: HttpRequest) -> HttpResponse:
        form, target = ChangePasswordForm(request.POST), request.POST.get("next")
        try:
            throttle(scope="login", identity=user_identity(request.user))
            if form.is_valid():
                user = services.change_password(
                    user=cast(User, request.user),
                    current_password=form.cleaned_data["current_password"],
                    new_password=form.cleaned_data["new_password"],
                )
                update_session_auth_hash(request, user)
                return HttpResponseRedirect(safe_next(request, target))
        except ValidationError as error:
            form.add_error(None, error)
        except ServiceError as failure:
            form.add_error(None, failure.message)
            return _refused(self._form(request, form, target), failure)
        return self._form(request, form, target, status=400)

    @staticmethod
    def _form(request: HttpRequest, form: ChangePasswordForm, target: str | None, status: int = 200) -> HttpResponse:
        context = {
            "form": form,
            "next": safe_next(request, target) if target else "",
            "must": getattr(request.user, "must_change_password", False),
            "rules": password_validators_help_texts(),
        }
        return render(request, "accounts/change_password.html", context, status=status)
