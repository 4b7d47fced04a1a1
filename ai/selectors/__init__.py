"""Reads of the AI room."""
