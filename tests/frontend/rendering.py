"""Renders templates with plain Jinja and serves them with the policy of the real server."""

from __future__ import annotations

import functools
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
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


class _Pages(http.server.BaseHTTPRequestHandler):
    def __init__(self, pages: dict[str, str], *arguments: Any) -> None:
        self.pages = pages
        super().__init__(*arguments)

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        if path in self.pages:
            self._answer(self.pages[path].encode(), "text/html; charset=utf-8")
            return
        file = WEBAPP / path.lstrip("/")
        kinds = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
        if path.startswith("/static/") and file.is_file():
            self._answer(file.read_bytes(), kinds.get(file.suffix, "application/octet-stream"))
        else:
            self.send_error(404)

    def _answer(self, content: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def served(pages: dict[str, str]) -> Iterator[str]:
    """Serve `pages` (path -> HTML) and the built static files; gives the address without a trailing slash."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Pages, pages))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
