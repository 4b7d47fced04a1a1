"""Import and export of users; passwords and tokens are in neither."""

from __future__ import annotations

from typing import Any, ClassVar

from import_export.fields import Field

from accounts import services
from accounts.models import Role, User
from momo.admin.kit.transfer import KEPT, ChoiceWidget, KeptTextField, SheetResource, TextWidget, YesNoWidget


class UserResource(SheetResource):
    """Keyed by user name; a cell left empty keeps the stored value.

    A new user gets a random password, which has to be reset before the first login.
    """

    empty_cells = KEPT
    MAX_ROWS: ClassVar = 200  # hashing a password is slow on purpose

    username = Field("username", "帳號", widget=TextWidget())
    display_name = KeptTextField("display_name", "顯示名稱")
    email = KeptTextField("email", "電子郵件")
    role = Field("role", "角色", widget=ChoiceWidget(Role.choices), saves_null_values=False)
    is_active = Field("is_active", "啟用", widget=YesNoWidget(), saves_null_values=False)

    class Meta:
        model = User
        name = "使用者"
        fields = ("username", "display_name", "email", "role", "is_active")
        import_id_fields = ("username",)

    def after_init_instance(self, instance: User, new: bool, row: Any, **kwargs: Any) -> None:
        if new:
            # For the check of the row only.
            instance.set_unusable_password()

    def save_instance(self, instance: User, is_create: bool, row: Any, **kwargs: Any) -> None:
        """Through the services, which protect the last admin and assign groups."""
        values = {name: getattr(instance, name) for name in self._meta.fields}
        if not is_create:
            services.update_user(user=instance, actor=kwargs.get("user"), **values)
            return
        if kwargs.get("dry_run"):
            return
        active = values.pop("is_active")
        user = services.create_user(password=services.generate_password(), must_change_password=True, **values)
        if not active:
            services.update_user(user=user, actor=kwargs.get("user"), is_active=False)
        instance.pk = user.pk
