"""What every app may use: errors, request context, client address, texts, days, formats, durable work."""
