"""Admin pages of the system."""

from momo.system.admin import cleanups, rollouts, settings

__all__ = ["cleanups", "rollouts", "settings"]
