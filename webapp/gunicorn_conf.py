"""Settings of gunicorn: processes with threads (gthread), loaded once and forked; each has its own database pool."""

from __future__ import annotations

import os
from typing import Any

from webapp import config as settings
from webapp import db
from webapp.children import leave_with_parent

_config = settings.load()
wsgi_app = "webapp.wsgi:app"
bind = f"{_config.host}:{_config.port}"
worker_class = "gthread"
workers = _config.web_workers
threads = _config.web_threads
preload_app = True
timeout = 90  # seconds of silence after which a process is replaced
graceful_timeout = 20
keepalive = 5
loglevel = _config.log_level.lower()
control_socket_disable = True  # nobody steers a running gunicorn here but the supervisor
if os.path.isdir("/dev/shm"):
    worker_tmp_dir = "/dev/shm"  # its heartbeat file never waits for a disk


def on_starting(_server: Any) -> None:
    """Never outlive the supervisor."""
    leave_with_parent()


def post_worker_init(_worker: Any) -> None:
    """After the fork: connections are never shared between processes."""
    db.configure(_config.database_url, pool_size=_config.web_threads + 2)
