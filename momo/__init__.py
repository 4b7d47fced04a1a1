"""The project itself: settings, addresses, the Celery application, and what belongs to no one domain."""

from momo.celery import app as celery_app

__all__ = ["celery_app"]
