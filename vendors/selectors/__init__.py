"""Reads of vendors and stockouts."""
