"""People in and out of spreadsheets; passwords and tokens are in neither direction."""

from __future__ import annotations

from typing import Any, ClassVar

from import_export.fields import Field
from import_export.instance_loaders import CachedInstanceLoader
from import_export.widgets import Widget

from accounts import services
from accounts.models import Role, User
from momo.admin_kit.transfer import SheetResource, TextWidget, YesNoWidget


class RoleWidget(Widget):
    """A role by its label or its name."""

    BY_TEXT: ClassVar = {text: value for value, label in Role.choices for text in (value, str(label))}

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str | None:
        text = TextWidget().clean(value)
        if not text:
            return None
        if text not in self.BY_TEXT:
            raise ValueError(f"「{text}」不是{'、'.join(str(label) for label in Role.labels)}其中之一")
        return self.BY_TEXT[text]

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return str(Role(value).label)


class UserResource(SheetResource):
    """Keyed by user name. Somebody new gets a password that nobody knows: reset it to let them in."""

    MAX_ROWS: ClassVar = 200  # making a password's hash is slow on purpose

    username = Field("username", "帳號", widget=TextWidget())
    display_name = Field("display_name", "顯示名稱", widget=TextWidget())
    email = Field("email", "電子郵件", widget=TextWidget())
    role = Field("role", "角色", widget=RoleWidget(), saves_null_values=False)
    is_active = Field("is_active", "啟用", widget=YesNoWidget(), saves_null_values=False)

    class Meta:
        model = User
        name = "使用者"
        fields = ("username", "display_name", "email", "role", "is_active")
        import_id_fields = ("username",)
        instance_loader_class = CachedInstanceLoader
        clean_model_instances = True
        skip_unchanged = True
        use_transactions = True

    def after_init_instance(self, instance: User, new: bool, row: Any, **kwargs: Any) -> None:
        if new:
            # Stands in for the password while the row is checked.
            instance.set_unusable_password()

    def save_instance(self, instance: User, is_create: bool, row: Any, **kwargs: Any) -> None:
        """Through the services, which keep the last admin and put everybody into their group."""
        values = {name: getattr(instance, name) for name in self._meta.fields}
        if not is_create:
            services.update_user(user=instance, actor=kwargs.get("user"), **values)
            return
        if kwargs.get("dry_run"):
            return
        active = values.pop("is_active")
        made = services.create_user(password=services.generate_password(), must_change_password=True, **values)
        if not active:
            services.update_user(user=made, actor=kwargs.get("user"), is_active=False)
        instance.pk = made.pk
