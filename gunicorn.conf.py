"""The web server, wherever it runs: its limits, how it stops, its log, and where its processes count.

gunicorn reads this file from the folder that it starts in; `make run` names it. Address, processes and threads are
given by the command that starts it.
"""

from __future__ import annotations

import os
import shutil
import tempfile

from momo.core.environment import read_env_file
from momo.core.logs import FORMATTERS, TextFormatter

# Bytes of method, address and version: gunicorn's own maximum. A Chinese character takes 9 of them in an address, so
# 300 of them in `q` beside other parameters fit, and some 900 in all.
limit_request_line = 8190
# Bytes of one header. A browser sends the address of the page that it comes from in `Referer` and `HX-Current-URL`.
limit_request_field_size = 16_384
# No header of a client sets SCRIPT_NAME or PATH_INFO: gunicorn would take them from every peer on loopback, which is
# where a proxy on the same machine passes on what clients send.
forwarder_headers = ""

# The folder in which web processes count requests, so that /metrics of one answers for all: a new one for each master,
# kept when it reads this file again (SIGHUP). prometheus_client reads the name when it is imported. What a process has
# counted stays after its end; so /metrics becomes slower with every process that --max-requests replaces.
if os.environ.get("MOMO_METRICS_MASTER") != str(os.getpid()):
    os.environ["MOMO_METRICS_MASTER"] = str(os.getpid())
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="momo-metrics-")

from prometheus_client import multiprocess  # noqa: E402 - after the folder has its name

worker_class = "gthread"
# Heartbeats of the processes are files: in memory, where a slow disk stops none of them.
_memory = "/dev/shm"  # noqa: S108 - gunicorn's files have no names there
worker_tmp_dir = _memory if os.path.isdir(_memory) else None
# Seconds without a heartbeat until a process is killed; a slow request does not hinder the heartbeat.
timeout = 120
# After SIGTERM no request is taken any more, and running ones have so many seconds. A generation of copy may take
# longer: it ends there, and its reservation is released by the sweep.
graceful_timeout = 30
control_socket_disable = True

# As the other processes write it. The settings are not loaded here: the main process would hand its own to its
# children, without what `--env` sets.
read_env_file()
_production = os.environ.get("MOMO_ENV", "production") == "production"
_format = os.environ.get("LOG_FORMAT") or ("json" if _production else "text")
_console = {"handlers": ["console"], "propagate": False}
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": FORMATTERS.get(_format, TextFormatter)}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "gunicorn.error": _console,
        "gunicorn.access": _console if _production else {"handlers": [], "propagate": False},
    },
}


def child_exit(server, worker):  # type: ignore[no-untyped-def]
    """Ends the gauges of a process that is gone; its counters stay."""
    multiprocess.mark_process_dead(worker.pid)


def on_exit(server):  # type: ignore[no-untyped-def]
    """Removes the folder."""
    shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)
