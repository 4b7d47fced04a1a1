"""Writes of the system."""
