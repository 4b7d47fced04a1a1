"""How the API speaks: envelope, failures, authentication, roles, pages, throttles, schema.

The lowest layer: it knows no domain. What it needs from above (tokens, stored answers) it finds through settings.
"""
