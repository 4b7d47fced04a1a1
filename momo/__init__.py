"""The project itself: settings, addresses, the Celery application, and what belongs to no one domain.

Imports nothing: the spider's child uses `momo.core.waits` without loading Django and Celery.
"""
