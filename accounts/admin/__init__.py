"""Admin pages of users, API tokens and login attempts. All changes go through the services."""

from accounts.admin import logins, tokens, users

__all__ = ["logins", "tokens", "users"]
