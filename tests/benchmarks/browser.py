"""A person's browser without scripts: signs in by the form, keeps the cookie, asks for pages."""

from __future__ import annotations

import http.client
import re
import time
from html import unescape
from urllib.parse import urlencode

from tests.benchmarks.load import PASSWORD


class Browser:
    """One keep-alive connection, signed in."""

    def __init__(self, port: int, username: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.cookies: dict[str, str] = {}
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.get("/login"))
        assert token is not None
        form = {"username": username, "password": PASSWORD, "csrf_token": unescape(token[1])}
        self._ask("POST", "/login", urlencode(form), {"Content-Type": "application/x-www-form-urlencoded"})

    def get(self, path: str) -> str:
        """The page. Errors: RuntimeError for a status of 400 or more."""
        return self._ask("GET", path)

    def timed(self, path: str) -> float:
        """How long the page took, in milliseconds."""
        began = time.perf_counter()
        self._ask("GET", path)
        return (time.perf_counter() - began) * 1000

    def _ask(self, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None) -> str:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        self.connection.request(method, path, body, {"Cookie": cookie, **(headers or {})})
        answer = self.connection.getresponse()
        content = answer.read().decode()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.split(";")[0]
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {content[:300]}")
        return content


def quoted(path: str) -> str:
    """The address as bytes that HTTP takes."""
    return "".join(c if ord(c) < 128 else "".join(f"%{b:02X}" for b in c.encode()) for c in path)
