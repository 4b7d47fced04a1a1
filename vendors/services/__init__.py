"""Writes of vendors and stockouts."""
