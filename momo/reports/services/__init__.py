"""What creates, sends and previews reports."""
