"""Views of users, passwords and login history."""

from __future__ import annotations

from typing import cast

from django.contrib.auth import SESSION_KEY, update_session_auth_hash
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import selectors, services
from accounts.api import examples, serializers
from accounts.api.filters import LoginAttemptFilter, UserFilter
from accounts.models import LoginAttempt, User
from momo.rest.examples import answered, sent
from momo.rest.permissions import ADMIN, USER
from momo.rest.views import ApiView, GenericApiView

TAGS = ["使用者"]
USER_ID = OpenApiParameter("user_id", int, OpenApiParameter.PATH, description="使用者的 `id`")


def _keep_session(request: Request, user: User) -> None:
    """Keep the session of this request, if it is of `user`: a new password ends all other sessions of the user."""
    session = request._request.session
    if request.auth is None and session.get(SESSION_KEY) == str(user.pk):
        update_session_auth_hash(request._request, user)


class ChangePasswordView(ApiView):
    """POST /api/user/change_password."""

    roles = {"POST": USER}
    throttle_scope = "login"
    allow_password_change = True

    @extend_schema(
        operation_id="change_password",
        tags=TAGS,
        summary="變更自己的密碼",
        description="變更自己的密碼；其他裝置上的登入會結束。",
        request=serializers.PasswordChangeSerializer,
        responses={200: None},
        examples=[sent("變更密碼", {"current_password": "Kopi-luwak-2026", "new_password": "Oolong-tea-2026"})],
    )
    def post(self, request: Request) -> Response:
        given = self.body(serializers.PasswordChangeSerializer)
        user = services.change_password(user=cast(User, request.user), **given)
        _keep_session(request, user)
        return self.answer(message="密碼已變更")


class UserListView(GenericApiView):
    """GET and POST /api/users."""

    roles = {"GET": ADMIN, "POST": ADMIN}
    queryset = User.objects.none()
    serializer_class = serializers.UserSerializer
    filterset_class = UserFilter

    def get_queryset(self) -> QuerySet[User]:
        return selectors.users()

    @extend_schema(
        operation_id="users_list",
        tags=TAGS,
        summary="使用者清單",
        description="依帳號排序。",
        responses={200: serializers.UserSerializer(many=True)},
        examples=[answered("清單", examples.USER)],
    )
    def get(self, request: Request) -> Response:
        return self.page(self.filter_queryset(self.get_queryset()), serializers.UserSerializer)

    @extend_schema(
        operation_id="users_create",
        tags=TAGS,
        summary="新增使用者",
        description="帳號不分大小寫，不可與他人相同；密碼須符合密碼規則。",
        request=serializers.NewUserSerializer,
        responses={201: serializers.UserSerializer},
        examples=[sent("新增", examples.NEW_USER), answered("已新增", examples.USER, 201)],
    )
    def post(self, request: Request) -> Response:
        user = services.create_user(**self.body(serializers.NewUserSerializer))
        return self.answer(serializers.UserSerializer(user).data, status=201, message="已新增使用者")


@extend_schema(parameters=[USER_ID])
class UserView(ApiView):
    """GET, PUT, PATCH and DELETE /api/users/{user_id}."""

    roles = {"GET": ADMIN, "PUT": ADMIN, "PATCH": ADMIN, "DELETE": ADMIN}

    @extend_schema(
        operation_id="users_retrieve",
        tags=TAGS,
        summary="一位使用者",
        description="一位使用者。",
        responses={200: serializers.UserSerializer},
        examples=[answered("使用者", examples.USER)],
    )
    def get(self, request: Request, user_id: int) -> Response:
        return self.answer(serializers.UserSerializer(selectors.user_by_id(user_id=user_id)).data)

    @extend_schema(
        operation_id="users_update",
        tags=TAGS,
        summary="修改使用者",
        description="省略的欄位維持不變。",
        request=serializers.UserChangesSerializer,
        responses={200: serializers.UserSerializer},
        examples=[sent("改角色", {"role": "manager"}), answered("已更新", examples.USER)],
    )
    def put(self, request: Request, user_id: int) -> Response:
        actor = cast(User, request.user)
        changes = self.body(serializers.UserChangesSerializer)
        user = services.update_user(user=selectors.user_by_id(user_id=user_id), actor=actor, **changes)
        if "password" in changes:
            _keep_session(request, user)
        return self.answer(serializers.UserSerializer(user).data, message="已更新使用者")

    @extend_schema(
        operation_id="users_partial_update",
        tags=TAGS,
        summary="修改使用者（同 PUT）",
        description="與 PUT 相同。",
        request=serializers.UserChangesSerializer,
        responses={200: serializers.UserSerializer},
        examples=[sent("改角色", {"role": "manager"}), answered("已更新", examples.USER)],
    )
    def patch(self, request: Request, user_id: int) -> Response:
        return self.put(request, user_id)

    @extend_schema(
        operation_id="users_destroy",
        tags=TAGS,
        summary="刪除使用者",
        description="不能刪除自己，也不能刪除最後一位啟用中的管理員。",
        responses={200: None},
    )
    def delete(self, request: Request, user_id: int) -> Response:
        services.delete_user(user=selectors.user_by_id(user_id=user_id), actor=cast(User, request.user))
        return self.answer(message="已刪除使用者")


@extend_schema(parameters=[USER_ID])
class ResetPasswordView(ApiView):
    """POST /api/users/{user_id}/reset_password."""

    roles = {"POST": ADMIN}

    @extend_schema(
        operation_id="users_reset_password",
        tags=TAGS,
        summary="重設使用者的密碼",
        description="重設密碼；未指定新密碼時由系統產生，只回覆這一次，下次登入時必須變更。",
        request=serializers.PasswordResetSerializer,
        responses={200: serializers.NewPasswordSerializer},
        examples=[
            sent("由系統產生", {}),
            sent("指定密碼", {"new_password": "Oolong-tea-2026"}),
            answered(
                "由系統產生",
                {"username": "amy.chen", "new_password": "hT7kWq2mZ9pXcR4v", "must_change_password": True},
            ),
        ],
    )
    def post(self, request: Request, user_id: int) -> Response:
        given = self.body(serializers.PasswordResetSerializer)
        user, made = services.reset_password(
            user=selectors.user_by_id(user_id=user_id), new_password=given.get("new_password")
        )
        _keep_session(request, user)
        data = {"username": user.username, "new_password": made, "must_change_password": user.must_change_password}
        return self.answer(data, message="密碼已重設")


class LoginHistoryView(GenericApiView):
    """GET /api/users/login_history."""

    roles = {"GET": USER}
    queryset = LoginAttempt.objects.none()
    serializer_class = serializers.LoginAttemptSerializer
    filterset_class = LoginAttemptFilter

    def get_queryset(self) -> QuerySet[LoginAttempt]:
        return selectors.login_history(viewer=cast(User, self.request.user))

    @extend_schema(
        operation_id="users_login_history_list",
        tags=TAGS,
        summary="登入紀錄",
        description="登入紀錄；管理員看全部，其他人看自己的。",
        responses={200: serializers.LoginAttemptSerializer(many=True)},
        examples=[answered("清單", examples.ATTEMPT)],
    )
    def get(self, request: Request) -> Response:
        return self.page(self.filter_queryset(self.get_queryset()), serializers.LoginAttemptSerializer)
