"""Templates are a language without code: checked when a template is saved, bounded when it is rendered."""
