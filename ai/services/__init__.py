"""Writes of the AI room: generations, budgets, trends."""
