"""What changes notifications: templates, subscriptions' messages, the outbox."""
