"""Admin: kit (shared bases), site (navigation, home), pages of other packages (schedules, audit)."""
