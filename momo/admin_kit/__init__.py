"""What admin pages of every app share: how things look, filters, dialogs, read-only tables, files in and out."""
