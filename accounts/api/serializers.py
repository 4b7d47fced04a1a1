"""Bodies of users and of login attempts."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.validators import UnicodeUsernameValidator
from rest_framework import serializers

from accounts.models import LoginAttempt, Role, User
from momo.rest.serializers import StrictSerializer


class UserSerializer(serializers.ModelSerializer[User]):
    """A user, without secrets."""

    class Meta:
        model = User
        fields = (
            "id",
            "username",
            "email",
            "display_name",
            "role",
            "is_active",
            "must_change_password",
            "last_login",
            "date_joined",
            "password_changed_at",
        )


class NewUserSerializer(StrictSerializer):
    """A user to be created."""

    username = serializers.CharField(max_length=150, validators=[UnicodeUsernameValidator()])
    email = serializers.EmailField(max_length=254, required=False, allow_blank=True, default="")
    password = serializers.CharField(max_length=128, trim_whitespace=False)
    role = serializers.ChoiceField(choices=Role.choices, default=Role.USER)
    display_name = serializers.CharField(max_length=100, required=False, allow_blank=True, default="")
    must_change_password = serializers.BooleanField(default=False)


class UserChangesSerializer(StrictSerializer):
    """Changes of a user; a missing field is not changed. Other fields of GET may be sent back: they are ignored."""

    also = frozenset(UserSerializer.Meta.fields)
    username = serializers.CharField(max_length=150, required=False, validators=[UnicodeUsernameValidator()])
    email = serializers.EmailField(max_length=254, required=False, allow_blank=True)
    password = serializers.CharField(max_length=128, required=False, trim_whitespace=False)
    role = serializers.ChoiceField(choices=Role.choices, required=False)
    display_name = serializers.CharField(max_length=100, required=False, allow_blank=True)
    is_active = serializers.BooleanField(required=False)
    must_change_password = serializers.BooleanField(required=False)


class PasswordChangeSerializer(StrictSerializer):
    """A change of one's own password."""

    current_password = serializers.CharField(max_length=128, trim_whitespace=False)
    new_password = serializers.CharField(max_length=128, trim_whitespace=False)


class PasswordResetSerializer(StrictSerializer):
    """A reset of another user's password."""

    new_password = serializers.CharField(
        max_length=128, required=False, allow_null=True, trim_whitespace=False, help_text="省略時由系統產生"
    )


class NewPasswordSerializer(serializers.Serializer[Any]):
    """The result of a reset."""

    username = serializers.CharField()
    new_password = serializers.CharField(allow_null=True, help_text="系統產生的密碼，只會出現這一次")
    must_change_password = serializers.BooleanField()


class LoginAttemptSerializer(serializers.ModelSerializer[LoginAttempt]):
    """One attempt to log in."""

    outcome = serializers.SerializerMethodField()
    reason_text = serializers.CharField(source="get_reason_display")

    class Meta:
        model = LoginAttempt
        fields = (
            "id",
            "time",
            "username",
            "user_id",
            "address",
            "user_agent",
            "success",
            "outcome",
            "reason",
            "reason_text",
        )

    def get_outcome(self, attempt: LoginAttempt) -> str:
        return "success" if attempt.success else "failure"
