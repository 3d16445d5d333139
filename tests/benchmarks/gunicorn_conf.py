"""The product's server class, with as many processes for both sides of the comparison."""

from __future__ import annotations

import os
from typing import Any

worker_class = "gthread"
workers = int(os.environ.get("WORKERS", "1"))
threads = int(os.environ.get("THREADS", "8"))
keepalive = 60
loglevel = "error"
control_socket_disable = True


def post_worker_init(_worker: Any) -> None:
    """The product's pool; the floor makes its own."""
    from webapp import db

    db.configure(os.environ["DATABASE_URL"], pool_size=10)
