"""What `webapp.frontend.build` leaves behind."""

import json
from pathlib import Path

from webapp.frontend import build as builder

FRONTEND = Path(builder.__file__).parent


def manifest() -> dict[str, str]:
    loaded: dict[str, str] = json.loads((builder.STATIC / "manifest.json").read_text())
    return loaded


def test_a_second_build_does_nothing() -> None:
    before = {path.name: path.stat().st_mtime_ns for path in builder.STATIC.iterdir()}
    assert builder.build() is False
    assert {path.name: path.stat().st_mtime_ns for path in builder.STATIC.iterdir()} == before


def test_every_logical_name_leads_to_a_file_named_by_its_content() -> None:
    names = manifest()
    assert {"page.js", "page.css", "viewer.js", "viewer.css", "icons.svg", "favicon.svg"} <= set(names)
    for logical, actual in names.items():
        stem, suffix = logical.rsplit(".", 1)
        assert (builder.STATIC / actual).stat().st_size > 0
        assert actual.startswith(f"{stem}-")
        assert actual.endswith(f".{suffix}")
        assert len(actual) == len(logical) + 9  # a dash and eight characters of the digest


def test_nothing_is_fetched_from_elsewhere() -> None:
    for name in ("page.css", "viewer.css"):
        css = (builder.STATIC / manifest()[name]).read_text()
        assert "url(http" not in css
        assert "@import" not in css


def test_the_lock_names_no_registry() -> None:
    lock = (FRONTEND / "package-lock.json").read_text()
    assert "://" not in lock.replace("https://github.com/sponsors", "").replace("https://opencollective.com", "")
    assert '"resolved"' not in lock


def test_the_script_evaluates_no_strings_of_its_own() -> None:
    for source in (FRONTEND / "src").rglob("*.js"):
        words = source.read_text()
        assert "eval(" not in words
        assert "new Function" not in words
