"""The REST API's common parts: envelope, errors, roles, pagination, throttles, OpenAPI schema.

This package knows no domain. `accounts` authenticates requests and stores answers of idempotent ones.

Names and docstrings of every app's `api` package:

- `serializers.py`: a body is `<Thing>Serializer`, whether sent or answered; the body of a change is
  `<Thing>ChangesSerializer`. A query string that a serializer reads is `<Thing>QuerySerializer`.
- `filters.py`: a filter set is `<Thing>Filter`. It names parameters; the query itself is in `selectors`.
- `views.py`: a view is `<Thing>View` or `<Thing>ListView`. Its docstring is English and begins with method and path,
  `GET /api/products.`; it is for readers of the code. Users of the API read `summary` and `description` of
  `extend_schema`, which are Traditional Chinese.
"""
