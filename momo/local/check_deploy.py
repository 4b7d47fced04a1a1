"""``manage.py check --deploy`` as production would see it, with values that stand in for its own."""

from __future__ import annotations

import os
import secrets
import sys

import django
from django.core.management import call_command


def main() -> None:
    os.environ.update(
        DJANGO_SETTINGS_MODULE="momo.settings",
        MOMO_ENV="production",
        DEBUG="0",
        SECRET_KEY=secrets.token_urlsafe(64),
        ALLOWED_HOSTS="mo.wooo.work",
        DATABASE_URL="postgresql://momo@database.invalid/momo",
        REDIS_URL="redis://broker.invalid",
        EMAIL_URL="smtp+tls://momo:stand-in@mail.invalid",
    )
    django.setup()
    call_command("check", deploy=True, fail_level="WARNING", stdout=sys.stdout)


if __name__ == "__main__":
    main()
