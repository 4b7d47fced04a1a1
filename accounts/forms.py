"""The form of the password page."""

from __future__ import annotations

from typing import Any

from django import forms


class ChangePasswordForm(forms.Form):
    """Compares the two new passwords; the service checks all other rules."""

    current_password = forms.CharField(
        label="目前的密碼",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )
    new_password = forms.CharField(
        label="新密碼", strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )
    confirmation = forms.CharField(
        label="再輸入一次新密碼", strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("new_password") and data["new_password"] != data.get("confirmation"):
            self.add_error("confirmation", "兩次輸入的新密碼不同")
        return data
