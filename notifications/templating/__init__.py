"""Templates as a language without code: what they may say is checked when they are saved, and bounded when rendered."""
