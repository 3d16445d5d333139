"""The built front end: `asset("page.css")` gives the address with the content's hash, which may be cached for ever."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import orjson
from flask import Flask, Response, request, url_for

STATIC = Path(__file__).parent / "static"
_HASHED = re.compile(r"[.-][0-9A-Za-z]{8,}\.\w+$")


@lru_cache(maxsize=4)
def _manifest(path: Path, _changed: int) -> dict[str, str]:
    found: dict[str, str] = orjson.loads(path.read_bytes())
    return found


def asset(name: str) -> str:
    """The address of a built file; of the plain name while nothing is built."""
    path = STATIC / "manifest.json"
    with suppress(FileNotFoundError):
        name = _manifest(path, path.stat().st_mtime_ns).get(name, name)
    return url_for("static", filename=name)


def _cache(response: Response) -> Response:
    if request.endpoint == "static" and response.status_code == 200:
        if _HASHED.search(request.path):
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        else:
            response.headers["Cache-Control"] = "no-cache"
    return response


def init_app(app: Flask) -> None:
    """Give templates `asset()` and the built files their caching."""
    app.jinja_env.globals["asset"] = asset
    app.after_request(_cache)
