"""The admin of people, their tokens and their logins. Everything that changes something goes through the services."""

from accounts.admin import logins, people, tokens

__all__ = ["logins", "people", "tokens"]
