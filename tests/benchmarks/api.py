"""A program that works through the REST interface: one keep-alive connection."""

from __future__ import annotations

import base64
import http.client
import json
from typing import Any

from tests.benchmarks.model import PASSWORD, USER, VARIABLES


class Api:
    """A keep-alive connection that speaks JSON."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        credentials = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        self.headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/json"}

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """The decoded answer. Errors: RuntimeError for a status of 300 or more."""
        self.connection.request(method, path, json.dumps(body) if body is not None else None, self.headers)
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {content[:300]!r}")
        return json.loads(content) if content else None

    def start(self) -> str:
        """Start an instance of the benchmark's process; its id."""
        return str(self.call("POST", "/engine-rest/process-definition/key/benchmark/start", {})["id"])

    def task(self, instance: str) -> str:
        """The id of the instance's open task."""
        return str(self.call("GET", f"/engine-rest/task?processInstanceId={instance}")[0]["id"])

    def complete(self, task: str) -> None:
        self.call("POST", f"/engine-rest/task/{task}/complete", {"variables": VARIABLES})

    def finish(self, count: int) -> None:
        """Start and finish so many instances, one after the other."""
        for _ in range(count):
            instance = self.start()
            for _ in range(2):
                self.complete(self.task(instance))
