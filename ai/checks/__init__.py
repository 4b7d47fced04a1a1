"""Checks of copy: pure functions on texts, without a model and without the database."""
