"""API of the system."""
