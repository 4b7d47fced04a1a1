"""The ways out: a channel takes one message, hands it over, and says what became of it."""
