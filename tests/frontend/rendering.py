"""Renders templates with plain Jinja and serves them with the policy of the real server."""

from __future__ import annotations

import functools
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from jinja2 import Environment, FileSystemLoader

WEBAPP = Path(__file__).resolve().parents[2] / "webapp"
POLICY = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; object-src 'none'"


def environment() -> Environment:
    """Jinja as Flask-Babel sets it up, without a translation: the msgids are what people read."""
    env = Environment(loader=FileSystemLoader(WEBAPP / "templates"), autoescape=True, extensions=["jinja2.ext.i18n"])
    env.install_null_translations(newstyle=True)  # type: ignore[attr-defined]
    manifest = json.loads((WEBAPP / "static" / "manifest.json").read_text())
    env.globals.update(
        asset=lambda name: f"/static/{manifest[name]}",
        csrf_token=lambda: "token",
        get_flashed_messages=lambda **_: [],
        get_locale=lambda: "zh_CN",
        request=SimpleNamespace(path="/"),
    )
    return env


def page(template: str, **context: Any) -> str:
    """The page of a signed-in officer."""
    person = SimpleNamespace(
        name="陈思远", organisation_name="工作小组办公室", roles=("office",), is_authenticated=True
    )
    nav = [{"label": "待办", "url": "/", "active": True, "count": 3, "key": "open"}]
    known = {"product_name": "牵引", "current_user": person, "nav": nav, "theme": "light"}
    return environment().get_template(template).render(**{**known, **context})


def page_of(content: str, **context: Any) -> str:
    """A page of the frame whose content block is this template text."""
    imports = "".join(
        f'{{% import "macros/{name}.html" as {short} %}}'
        for name, short in (("pieces", "p"), ("layout", "l"), ("lists", "t"), ("fields", "f"))
    )
    text = f'{{% extends "base.html" %}}{imports}{{% block content %}}{content}{{% endblock %}}'
    return environment().from_string(text).render(product_name="牵引", nav=[], theme="light", **context)


def _unknown(_: bytes) -> tuple[int, str]:
    return 404, ""


@dataclass
class Site:
    """What is served: pages by path, answers to POST by path, and what was asked and sent."""

    pages: dict[str, str]
    answers: dict[str, Callable[[bytes], tuple[int, str]]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    sent: list[tuple[str, bytes]] = field(default_factory=list)
    count_answers: list[int] = field(default_factory=list)
    address: str = ""


class _Pages(http.server.BaseHTTPRequestHandler):
    def __init__(self, site: Site, *arguments: Any) -> None:
        self.site = site
        super().__init__(*arguments)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.site.sent.append((self.path, body))
        status, text = self.site.answers.get(self.path, _unknown)(body)
        kind = "application/json" if text.startswith("{") else "text/html; charset=utf-8"
        self._answer(text.encode(), kind, status)

    def _counts(self) -> None:
        """As the inbox answers: 304 while nothing changed."""
        content = json.dumps(self.site.counts)
        tag = f'"{hash(content)}"'
        status = 304 if self.headers["If-None-Match"] == tag else 200
        self.site.count_answers.append(status)
        self._answer(content.encode() if status == 200 else b"", "application/json", status, ETag=tag)

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        if path == "/counts":
            self._counts()
            return
        if path == "/reminders/count":
            self._answer(b'{"reminders": 0}', "application/json")
            return
        if path in self.site.pages:
            self._answer(self.site.pages[path].encode(), "text/html; charset=utf-8")
            return
        file = WEBAPP / path.lstrip("/")
        kinds = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
        if path.startswith("/static/") and file.is_file():
            self._answer(file.read_bytes(), kinds.get(file.suffix, "application/octet-stream"))
        else:
            self.send_error(404)

    def _answer(self, content: bytes, kind: str, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def served(site: Site) -> Iterator[Site]:
    """Serve a site and the built static files; its `address` has no trailing slash."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Pages, site))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    site.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
