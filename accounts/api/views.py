"""People over the API: admins manage them, everybody changes their own password and sees their own logins."""

from __future__ import annotations

from typing import cast

from django.contrib.auth import SESSION_KEY, update_session_auth_hash
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import selectors, services
from accounts.api import serializers
from accounts.api.filters import LoginAttemptFilter, UserFilter
from accounts.models import LoginAttempt, User
from momo.rest.permissions import ADMIN, USER
from momo.rest.views import ApiView, GenericApiView


def _keep_session(request: Request, user: User) -> None:
    """A password change ends every session of `user`, except the one that asked for it."""
    session = request._request.session
    if request.auth is None and session.get(SESSION_KEY) == str(user.pk):
        update_session_auth_hash(request._request, user)


class ChangePasswordView(ApiView):
    """變更自己的密碼；其他裝置上的登入會結束。"""

    roles = {"POST": USER}
    throttle_scope = "login"
    allow_password_change = True

    @extend_schema(request=serializers.PasswordChange, responses={200: None})
    def post(self, request: Request) -> Response:
        given = self.body(serializers.PasswordChange)
        user = services.change_password(user=cast(User, request.user), **given)
        _keep_session(request, user)
        return self.answer(message="密碼已變更")


class UserListView(GenericApiView):
    """使用者清單與新增。"""

    roles = {"GET": ADMIN, "POST": ADMIN}
    queryset = User.objects.none()
    serializer_class = serializers.UserOut
    filterset_class = UserFilter

    def get_queryset(self) -> QuerySet[User]:
        return selectors.users()

    @extend_schema(operation_id="users_list", responses={200: serializers.UserOut(many=True)})
    def get(self, request: Request) -> Response:
        return self.page(self.filter_queryset(self.get_queryset()), serializers.UserOut)

    @extend_schema(request=serializers.UserIn, responses={201: serializers.UserOut})
    def post(self, request: Request) -> Response:
        user = services.create_user(**self.body(serializers.UserIn))
        return self.answer(serializers.UserOut(user).data, status=201, message="已新增使用者")


class UserView(ApiView):
    """一位使用者。"""

    roles = {"GET": ADMIN, "PUT": ADMIN, "PATCH": ADMIN, "DELETE": ADMIN}

    @extend_schema(responses={200: serializers.UserOut})
    def get(self, request: Request, user_id: int) -> Response:
        return self.answer(serializers.UserOut(selectors.user_by_id(user_id=user_id)).data)

    @extend_schema(request=serializers.UserChanges, responses={200: serializers.UserOut})
    def put(self, request: Request, user_id: int) -> Response:
        """省略的欄位維持不變。"""
        actor = cast(User, request.user)
        changes = self.body(serializers.UserChanges)
        user = services.update_user(user=selectors.user_by_id(user_id=user_id), actor=actor, **changes)
        if "password" in changes:
            _keep_session(request, user)
        return self.answer(serializers.UserOut(user).data, message="已更新使用者")

    @extend_schema(request=serializers.UserChanges, responses={200: serializers.UserOut})
    def patch(self, request: Request, user_id: int) -> Response:
        """與 PUT 相同。"""
        return self.put(request, user_id)

    @extend_schema(responses={200: None})
    def delete(self, request: Request, user_id: int) -> Response:
        """不能刪除自己，也不能刪除最後一位啟用中的管理員。"""
        services.delete_user(user=selectors.user_by_id(user_id=user_id), actor=cast(User, request.user))
        return self.answer(message="已刪除使用者")


class ResetPasswordView(ApiView):
    """重設密碼；未指定新密碼時由系統產生，只回覆這一次，下次登入時必須變更。"""

    roles = {"POST": ADMIN}

    @extend_schema(request=serializers.PasswordReset, responses={200: serializers.PasswordResetOut})
    def post(self, request: Request, user_id: int) -> Response:
        given = self.body(serializers.PasswordReset)
        user, made = services.reset_password(
            user=selectors.user_by_id(user_id=user_id), new_password=given.get("new_password")
        )
        _keep_session(request, user)
        data = {"username": user.username, "new_password": made, "must_change_password": user.must_change_password}
        return self.answer(data, message="密碼已重設")


class LoginHistoryView(GenericApiView):
    """登入紀錄；管理員看全部，其他人看自己的。"""

    roles = {"GET": USER}
    queryset = LoginAttempt.objects.none()
    serializer_class = serializers.LoginAttemptOut
    filterset_class = LoginAttemptFilter

    def get_queryset(self) -> QuerySet[LoginAttempt]:
        return selectors.login_history(viewer=cast(User, self.request.user))

    @extend_schema(operation_id="users_login_history_list", responses={200: serializers.LoginAttemptOut(many=True)})
    def get(self, request: Request) -> Response:
        return self.page(self.filter_queryset(self.get_queryset()), serializers.LoginAttemptOut)
