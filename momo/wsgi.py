"""WSGI entry point (gunicorn)."""

import codecs
import os
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.utils.http import parse_header_parameters

from momo.sheets.bounded import warm

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "momo.settings")
django_application = get_wsgi_application()
# The first preview would wait for it.
warm()

# Of `momo.rest.middleware`, which needs settings that `get_wsgi_application` has set up.
from momo.rest.middleware import OTHER_CHARSET  # noqa: E402


def is_utf8(content_type: str) -> bool:
    """Whether a `Content-Type` names no other encoding than UTF-8; an encoding that nobody knows is none."""
    try:
        charset = parse_header_parameters(content_type)[1].get("charset", "utf-8")
        return codecs.lookup(charset).name in {"utf-8", "ascii"}
    except LookupError:
        return True
    except ValueError:  # RFC 2231: a parameter may name an encoding of its own
        return False


def application(meta: dict[str, Any], start_response: Any) -> Any:
    """Django, which reads every request as UTF-8.

    Of itself it decodes query string and form by any codec that `Content-Type` names, `idna` and `rot13` among them,
    and fails while it makes the request, before any middleware could answer.
    """
    given = meta.get("CONTENT_TYPE", "")
    if not is_utf8(given):
        meta["CONTENT_TYPE"] = given.partition(";")[0]
        meta[OTHER_CHARSET] = given
    return django_application(meta, start_response)
