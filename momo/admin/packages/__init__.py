"""Admin pages of packages that bring their own: in our theme and language, and only those that staff need."""
