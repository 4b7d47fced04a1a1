"""Limits of the web server. gunicorn reads this file from the folder that it starts in; `make run` names it."""

import logging

from momo.core.secret_paths import SecretPathFilter

# Bytes of method, address and version: gunicorn's own maximum. A Chinese character takes 9 of them in an address, so
# 300 of them in `q` beside other parameters fit, and some 900 in all.
limit_request_line = 8190
# Bytes of one header. A browser sends the address of the page that it comes from in `Referer` and `HX-Current-URL`.
limit_request_field_size = 16_384
# No header of a client sets SCRIPT_NAME or PATH_INFO: gunicorn would take them from every peer on loopback, which is
# where a proxy on the same machine passes on what clients send.
forwarder_headers = ""


def on_starting(server):  # type: ignore[no-untyped-def]
    """Masks secret addresses in the access log, if one is switched on; its workers inherit the filter."""
    logging.getLogger("gunicorn.access").addFilter(SecretPathFilter())
